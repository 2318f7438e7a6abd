"""Each Python snippet in the README runs against the emulator, and its commands and links work."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.rest import HttpRequest

from azure.communication.rooms import RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

from .support import ROOT
from .support.operations import OPERATIONS
from .support.processes import emulator_process

pytest_plugins = ["pytester"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = {
    f"line {README[: match.start()].count(chr(10)) + 2}": match.group(1)
    for match in re.finditer(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
}
TESTS = {place: snippet for place, snippet in SNIPPETS.items() if "def test_" in snippet}
PROGRAMS = {place: snippet for place, snippet in SNIPPETS.items() if place not in TESTS}
COMMANDS = re.findall(r"python (-m azure\.communication\.rooms\.emulator[^\n`]*)", README)


@pytest.fixture(scope="module")
def tls_emulator() -> Iterator[RoomsEmulator]:
    with RoomsEmulator(tls=True) as emulator:
        yield emulator


@pytest.mark.parametrize("snippet", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_program_runs(
    tls_emulator: RoomsEmulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, snippet: str
) -> None:
    caplog.set_level("DEBUG", "azure")  # caplog restores the level if a snippet changes it
    monkeypatch.setenv("COMMUNICATION_SAMPLES_CONNECTION_STRING", tls_emulator.connection_string)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", tls_emulator.ca_file)
    monkeypatch.setenv("ROOMS_ACCESS_KEY", DEVELOPMENT_ACCESS_KEY)
    monkeypatch.setenv("ROOMS_SECOND_ACCESS_KEY", DEVELOPMENT_ACCESS_KEY)
    doctor, patient = tls_emulator.create_user(), tls_emulator.create_user()
    with RoomsClient.from_connection_string(tls_emulator.connection_string) as client:
        room = client.create_room(participants=[RoomParticipant(patient)])
        namespace: dict[str, Any] = {
            "__name__": "snippet",
            "client": client,
            "room": room,
            "room_id": room.id,
            "doctor": doctor,
            "patient": patient,
        }
        exec(compile(snippet, "README.md", "exec"), namespace)


@pytest.mark.parametrize("snippet", TESTS.values(), ids=TESTS.keys())
def test_test_passes(pytester: pytest.Pytester, snippet: str) -> None:
    [plugins] = re.findall("`(pytest_plugins = [^`]*)`", README)
    pytester.makeconftest(plugins)
    pytester.makepyfile(snippet)
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error").assert_outcomes(passed=1)


@pytest.mark.parametrize("command", sorted({command for command in COMMANDS if " -- " in command}))
def test_command_runs_a_program(tmp_path: Path, command: str) -> None:
    program = next(snippet for snippet in PROGRAMS.values() if "from_connection_string(os.environ" in snippet)
    (tmp_path / "app.py").write_text(program, encoding="utf-8")
    (tmp_path / "test_app.py").write_text("def test_app() -> None:\n    import app", encoding="utf-8")
    arguments = [sys.executable if word == "python" else word for word in shlex.split(command)]
    if arguments[-1] == "pytest":
        arguments[-1:] = [sys.executable, "-m", "pytest"]
    process = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr


def test_command_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [command] = {command for command in COMMANDS if " -- " not in command}
    _, _, *arguments = command.split()
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


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`?(?:POST )?(/emulator/\w+)`", README))))
def test_control_path_exists(emulator: RoomsEmulator, client: RoomsClient, path: str) -> None:
    request = HttpRequest("POST", path, json={}, headers={"Content-Type": "application/json"})
    assert client.send_request(request).status_code in (200, 204, 400)  # 400: an argument is missing


def test_each_operation_has_an_example() -> None:
    code = "\n".join(SNIPPETS.values())
    for name in [*OPERATIONS, "send_request"]:
        assert f"client.{name}(" in code


def test_links_lead_somewhere() -> None:
    headings = re.findall("^#+ (.*)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(([^)]*)\)", README)
    assert {link[1:] for link in links if link.startswith("#")} <= anchors
    files = [link.partition("#")[0] for link in links if not link.startswith(("#", "https:"))]
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_readme_is_short() -> None:
    assert len(README.splitlines()) < 360
