"""Runs commands as users of the samples do."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ..support import ROOT


def run(*command: str, cwd: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
    """Run a command, and return its output. It must succeed and write nothing to stderr.

    The command does not inherit environment variables that could change what it does, such as those of pytest.
    """
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AZURE_", "COMMUNICATION_", "COV_", "PYTEST_"))
    }
    variables["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), variables["PATH"]])
    process = subprocess.run(
        command,
        cwd=cwd,
        env={**variables, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, ""), process.stdout + process.stderr
    return process.stdout
