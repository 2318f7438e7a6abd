"""Each Python snippet in the README runs on its own against the emulator, and its commands and links work."""

import re
from pathlib import Path
from typing import Any

import pytest
from azure.core.settings import settings

from azure.communication.rooms import PhoneNumberIdentifier, RoomParticipant, RoomsClient
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


@pytest.mark.parametrize("snippet", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_program_runs(
    client: RoomsClient,
    emulator: RoomsEmulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    snippet: str,
) -> None:
    caplog.set_level("DEBUG", "azure")  # caplog restores the level if a snippet changes it
    monkeypatch.setenv("COMMUNICATION_SAMPLES_CONNECTION_STRING", emulator.connection_string)
    monkeypatch.setenv("ROOMS_ACCESS_KEY", DEVELOPMENT_ACCESS_KEY)
    monkeypatch.setenv("ROOMS_SECOND_ACCESS_KEY", DEVELOPMENT_ACCESS_KEY)
    room = client.create_room(participants=[RoomParticipant(PhoneNumberIdentifier("+14255550123"))])
    namespace: dict[str, Any] = {"__name__": "snippet", "client": client, "room": room, "room_id": room.id}
    try:
        exec(compile(snippet, "README.md", "exec"), namespace)
    finally:
        settings.tracing_enabled.unset_value()


@pytest.mark.parametrize("snippet", TESTS.values(), ids=TESTS.keys())
def test_test_passes(pytester: pytest.Pytester, snippet: str) -> None:
    [plugins] = re.findall("`(pytest_plugins = [^`]*)`", README)
    pytester.makeconftest(plugins)
    pytester.makepyfile(snippet)
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error").assert_outcomes(passed=1)


def test_emulator_command_starts(tmp_path: Path) -> None:
    [command] = re.findall(r"^python (-m azure\.communication\.rooms\.emulator.*)$", README, re.MULTILINE)
    _, _, *arguments = command.split()
    arguments[arguments.index("8787")] = "0"
    arguments[arguments.index("rooms.db")] = str(tmp_path / "rooms.db")
    with emulator_process(*arguments) as process:
        assert process.stdout is not None
        with RoomsClient.from_connection_string(process.stdout.readline().strip()) as client:
            assert client.create_room().id
    assert (tmp_path / "rooms.db").exists()


def test_each_operation_has_an_example() -> None:
    code = "\n".join(SNIPPETS.values())
    for name in [*OPERATIONS, "send_request"]:
        assert f"client.{name}(" in code


def test_links_lead_somewhere() -> None:
    headings = re.findall("^#+ (.*)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(([^)]*)\)", README)
    assert {link[1:] for link in links if link.startswith("#")} <= anchors
    files = [link for link in links if not link.startswith(("#", "https:"))]
    assert [link for link in files if not (ROOT / link).exists()] == []


def test_readme_is_short() -> None:
    assert len(README.splitlines()) < 400
