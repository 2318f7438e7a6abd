"""Runs commands as users of the samples do."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ..support import ROOT

VARIABLE = "COMMUNICATION_SAMPLES_CONNECTION_STRING"


def environment(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment variables, without those that could change what a sample does, and with the changes."""
    prefixes = ("AZURE_", "COMMUNICATION_", "COV_", "PYTEST_")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    return {**variables, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}", **changes}


def run(*command: str | Path, cwd: Path = ROOT, **changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=cwd, env=environment(changes), capture_output=True, text=True, timeout=120, check=False
    )


def run_sample(sample: str, *arguments: str | Path, **changes: str) -> "subprocess.CompletedProcess[str]":
    return run(sys.executable, "-W", "error", f"samples/{sample}", *arguments, cwd=ROOT, **changes)
