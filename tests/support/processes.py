"""The emulator in its own process."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

COMMAND = [sys.executable, "-m", "azure.communication.rooms.emulator"]


@contextmanager
def emulator_process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the emulator's command line in its own process. Kill the process at the end."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()
