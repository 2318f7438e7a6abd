"""The lines for continuous integration work as written, also if the project uses Microsoft's package."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from azure.communication.rooms import __version__

from ..support import ROOT, posix
from ..support.environments import Environment, run

pytestmark = pytest.mark.index

GUIDE = (ROOT / "samples" / "continuous_integration.md").read_text(encoding="utf-8")
WORKFLOW, ANY_CI, UV, REQUIREMENT = re.findall(r"^```\w+\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
JOBS = {
    name: "\n".join(step["run"] for step in job["steps"] if "run" in step)
    for name, job in yaml.safe_load(WORKFLOW)["jobs"].items()
}
JAVASCRIPT = {
    "package.json": '{"name": "app", "version": "1.0.0", "scripts": {"test": "node test.mjs"}}',
    "package-lock.json": '{"name": "app", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {}}}',
    "test.mjs": """
        const response = await fetch(process.env.COMMUNICATION_SAMPLES_ENDPOINT + "/rooms?api-version=2025-03-13");
        process.exit(response.status === 401 ? 0 : 1);
    """,
}
PYTHON_TEST = """
import os
from importlib.metadata import version
from azure.communication.rooms import RoomsClient

def test_room():
    assert version("azure-communication-rooms") == "{version}"
    client = RoomsClient.from_connection_string(os.environ["COMMUNICATION_SAMPLES_CONNECTION_STRING"])
    assert client.create_room().id
"""


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Git repository with the files of this checkout, which may itself be a copy without its history."""
    folder = tmp_path_factory.mktemp("repository")
    git = ("git", f"--git-dir={folder}", f"--work-tree={ROOT}", "-c", "user.name=a", "-c", "user.email=a@example.com")
    run(*git, "init", "--quiet", "--initial-branch=main", cwd=folder)
    run(*git, "add", "azure", "pyproject.toml", "README.md", "LICENSE", cwd=ROOT)
    run(*git, "commit", "--quiet", "--message=All files", cwd=folder)
    return f"file://localhost{folder.as_posix()}@main"  # older versions of pip reject file URLs without a host


RunScript = Callable[[str, dict[str, str]], str]


@pytest.fixture
def run_script(tmp_path: Path, repository: str) -> RunScript:
    """Runs a script in a project with these files, on a machine that has pip, pipx, uv and npm."""
    environment = Environment(tmp_path)
    environment.install("pip", "pipx", "uv")
    npm = shutil.which("npm")
    assert npm
    path = [tmp_path / "bin", Path(environment.interpreter).parent, Path(npm).parent, os.defpath]
    variables = {
        "PATH": os.pathsep.join(map(str, path)),
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "UV_TOOL_DIR": str(tmp_path / "uv"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
    }

    def run_script(script: str, files: dict[str, str]) -> str:
        for name, content in {**files, "script.sh": script}.items():
            text = content.replace("https://git.example/azure-communication-rooms@REVISION", repository)
            (tmp_path / name).write_text(text, encoding="utf-8")
        return run("bash", "-euo", "pipefail", "script.sh", cwd=tmp_path, **variables)

    return run_script


@pytest.mark.parametrize("script", [JOBS["javascript"], ANY_CI, UV], ids=["GitHub Actions", "any CI", "uv"])
@posix
def test_javascript(run_script: RunScript, script: str) -> None:
    assert "> node test.mjs" in run_script(script, JAVASCRIPT)


@pytest.mark.parametrize(
    ("requirement", "version", "script"),
    [
        ("azure-communication-rooms==1.2.0", "1.2.0", JOBS["python"]),
        (REQUIREMENT, __version__, "pip install -r requirements.txt\nrooms-emulator -- pytest"),
    ],
    ids=["the released package", "this package"],
)
@posix
def test_python(run_script: RunScript, requirement: str, version: str, script: str) -> None:
    files = {"requirements.txt": f"pytest\n{requirement}", "test_app.py": PYTHON_TEST.format(version=version)}
    assert "1 passed" in run_script(script, files)
