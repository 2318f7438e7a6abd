"""Every Python snippet of the README runs, each on its own, against the emulator."""

import re
from pathlib import Path
from typing import Any

import pytest
from azure.core.settings import settings

from azure.communication.rooms import PhoneNumberIdentifier, RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
SNIPPETS = {
    f"line {README[: match.start()].count(chr(10)) + 2}": match.group(1)
    for match in re.finditer(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
}


@pytest.mark.parametrize("snippet", SNIPPETS.values(), ids=SNIPPETS.keys())
def test_a_snippet_runs(
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


def test_the_readme_has_an_example_for_each_operation() -> None:
    code = "\n".join(SNIPPETS.values())
    operations = [name for name, value in vars(RoomsClient).items() if callable(value) and not name.startswith("_")]
    assert len(operations) == 10
    for name in set(operations) - {"close"}:
        assert f"client.{name}(" in code or f"RoomsClient.{name}(" in code


def test_the_readme_links_to_headings_that_it_has() -> None:
    headings = re.findall("^#+ (.*)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", README)) <= anchors
