"""The README is tested as its readers use it: its Python blocks, its commands and its links."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from azure.core.exceptions import ServiceRequestError

from azure.communication.rooms import RoomsClient

from .support import ROOT
from .support.operations import OPERATIONS
from .support.processes import COMMAND, emulator_process

pytest_plugins = ["pytester"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
TESTS = [snippet for snippet in SNIPPETS if "def test_" in snippet]
PROGRAM = "\n".join(snippet for snippet in SNIPPETS if snippet not in TESTS)
COMMANDS = re.findall(r"\.venv/bin/rooms-emulator ([^\n`]*)", README)


@pytest.mark.parametrize("command", sorted({command for command in COMMANDS if command.startswith("-- ")}))
def test_command_runs_the_blocks_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    (tmp_path / "app.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "test_app.py").write_text("def test_app() -> None:\n    import app", encoding="utf-8")
    process = subprocess.run(
        [*COMMAND, *shlex.split(command)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert "The emulator's log is empty" not in process.stderr


def test_tests_pass(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    [plugins] = re.findall("`(pytest_plugins = [^`]*)`", README)
    pytester.makeconftest(plugins)
    pytester.makepyfile(*TESTS)
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error").assert_outcomes(passed=2)


def test_command_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    [arguments] = [command.split() for command in COMMANDS if not command.startswith("-- ")]
    arguments[arguments.index("8787")] = "0"
    arguments[arguments.index("rooms.db")] = str(tmp_path / "rooms.db")
    with emulator_process(*arguments) as process:
        assert process.stdout is not None
        connection_string = process.stdout.readline().strip()
        with RoomsClient.from_connection_string(connection_string) as client, pytest.raises(ServiceRequestError):
            client.create_room()
        export = next(line for line in iter(process.stdout.readline, "") if "REQUESTS_CA_BUNDLE=" in line)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", export.strip().partition("=")[2].strip("'\""))
        with RoomsClient.from_connection_string(connection_string) as client:
            assert client.create_room().id
    assert (tmp_path / "rooms.db").exists()


def test_each_operation_has_an_example() -> None:
    for name in [*OPERATIONS, "send_request"]:
        assert f"client.{name}(" in PROGRAM


def test_links_lead_somewhere() -> None:
    headings = re.findall("^#+ (.*)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(([^)]*)\)", README)
    assert {link[1:] for link in links if link.startswith("#")} <= anchors
    files = [link.partition("#")[0] for link in links if not link.startswith(("#", "https:"))]
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_readme_is_short() -> None:
    assert len(README.splitlines()) < 360
