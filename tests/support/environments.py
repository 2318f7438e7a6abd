"""Virtual environments outside the checkout, to install distributions into."""

import os
import subprocess
import sys
import venv
from pathlib import Path


def run(*command: str, cwd: Path, **environment: str) -> str:
    """Run a command that must succeed, and return what it prints."""
    process = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


class Environment:
    """A virtual environment in a temporary folder, where its programs run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv")
        self.interpreter = str(folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python")

    def install(self, *requirements: str) -> None:
        pip = (sys.executable, "-m", "pip", "--python", self.interpreter)
        run(*pip, "install", "--quiet", *requirements, cwd=self.folder)

    def python(self, *arguments: str, **environment: str) -> str:
        return run(self.interpreter, *arguments, cwd=self.folder, **environment)

    def mypy(self, *arguments: str) -> str:
        """Run the tests' mypy with the packages in this environment."""
        command = (sys.executable, "-m", "mypy", "--python-executable", self.interpreter, "--strict")
        return run(*command, *arguments, cwd=self.folder)

    def pyright(self, *arguments: str) -> str:
        """Run the tests' pyright with the packages in this environment."""
        # Some of pyright's commands ignore --pythonpath, and use the first Python in PATH.
        path = os.pathsep.join((str(Path(self.interpreter).parent), os.environ["PATH"]))
        command = (sys.executable, "-m", "pyright", "--pythonpath", self.interpreter)
        return run(*command, *arguments, cwd=self.folder, PATH=path)
