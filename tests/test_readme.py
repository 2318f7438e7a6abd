"""The README: every Python snippet runs, each on its own, against the emulator."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from azure.core.settings import settings

from azure.communication.rooms import PhoneNumberIdentifier, RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parent.parent
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
    caplog.set_level("DEBUG", "azure")  # restores what a snippet sets
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
    arguments = command.replace("--port 8787", "--port 0").split()
    process = subprocess.Popen([sys.executable, *arguments], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        connection_string = process.stdout.readline().strip()
        with RoomsClient.from_connection_string(connection_string) as client:
            assert client.create_room().id
        process.terminate()
    assert (tmp_path / "rooms.db").exists()


def test_each_operation_has_an_example() -> None:
    code = "\n".join(SNIPPETS.values())
    operations = [name for name, value in vars(RoomsClient).items() if callable(value) and not name.startswith("_")]
    assert len(operations) == 10
    for name in set(operations) - {"close"}:
        assert f"client.{name}(" in code or f"RoomsClient.{name}(" in code


def test_links_lead_somewhere() -> None:
    headings = re.findall("^#+ (.*)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(([^)]*)\)", README)
    assert {link[1:] for link in links if link.startswith("#")} <= anchors
    files = [link for link in links if not link.startswith(("#", "https:"))]
    assert [link for link in files if not (ROOT / link).exists()] == []


def test_readme_is_short() -> None:
    assert len(README.splitlines()) < 400
