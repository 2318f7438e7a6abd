"""Commands as a user of the samples would run them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def run(*command: str, cwd: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
    """Run a command that must succeed without a word on stderr, and return what it prints.

    Nothing of the tests' own environment changes what it does.
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
