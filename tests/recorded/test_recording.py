"""Recordings contain nothing private."""

from pathlib import Path

import pytest
import yaml
from vcr import VCR  # type: ignore[import-untyped]

from azure.communication.rooms import CommunicationUserIdentifier, RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .conftest import RECORDINGS
from .scrubbing import ALICE, KEPT_HEADERS, REPLACED_ENDPOINT, VCR_CONFIG


def test_recording_keeps_nothing_private(tmp_path: Path) -> None:
    with (
        RoomsEmulator(page_size=1) as emulator,
        VCR(**VCR_CONFIG).use_cassette(str(tmp_path / "private.yaml")),
        RoomsClient.from_connection_string(emulator.connection_string, headers={"x-planted": "secret"}) as client,
    ):
        for _ in range(2):
            client.create_room(participants=[RoomParticipant(CommunicationUserIdentifier(ALICE))])
        assert len(list(client.list_rooms())) == 2

    recorded = (tmp_path / "private.yaml").read_text(encoding="utf-8")
    assert len(yaml.safe_load(recorded)["interactions"]) == 4
    assert "secret" not in recorded
    assert_nothing_private(recorded)


@pytest.mark.parametrize("path", sorted(RECORDINGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_recordings_contain_nothing_private(path: Path) -> None:
    assert_nothing_private(path.read_text(encoding="utf-8"))
    tests = Path(__file__).with_name(f"test_{path.parent.name}.py")
    assert f"\ndef {path.stem}(" in tests.read_text(encoding="utf-8")


def assert_nothing_private(recorded: str) -> None:
    assert "127.0.0.1" not in recorded
    for interaction in yaml.safe_load(recorded)["interactions"]:
        assert interaction["request"]["uri"].startswith(f"{REPLACED_ENDPOINT}/")
        for message in interaction.values():
            assert {name.lower() for name in message["headers"]} <= KEPT_HEADERS
