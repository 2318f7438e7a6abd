"""Recordings match requests strictly, and contain nothing private."""

from pathlib import Path

import pytest
import yaml
from azure.core.rest import HttpRequest
from vcr import VCR  # type: ignore[import-untyped]
from vcr.errors import CannotOverwriteExistingCassetteException  # type: ignore[import-untyped]

from azure.communication.rooms import CommunicationUserIdentifier, RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .conftest import RECORDINGS, REPLAYED
from .scrubbing import ALICE, KEPT_HEADERS, REPLACED_ENDPOINT, VCR_CONFIG

PATH = "/rooms/99000000000000001/participants"
BODY = f'{{"participants": {{"{ALICE}": {{"role": "Attendee"}}}}, "flag": true}}'
MERGE_PATCH = "application/merge-patch+json"
EXCHANGE = f"""
version: 1
interactions:
- request:
    method: PATCH
    uri: {REPLACED_ENDPOINT}{PATH}?a=1%2B1
    body: '{BODY}'
    headers: {{Content-Type: [{MERGE_PATCH}]}}
  response:
    status: {{code: 200, message: OK}}
    headers: {{Content-Type: [application/json]}}
    body: {{string: '{{}}'}}
"""
SAME_BODY = f'{{"flag":true,"participants":{{"{ALICE}":{{"role":"Attendee"}}}}}}'


def send(cassette: Path, method: str, path: str, body: str | None, content_type: str) -> int:
    cassette.write_text(EXCHANGE, encoding="utf-8")
    request = HttpRequest(method, path, headers={"Content-Type": content_type}, content=body)
    with (
        VCR(**VCR_CONFIG).use_cassette(str(cassette), record_mode="none"),
        RoomsClient.from_connection_string(REPLAYED, retry_total=0) as client,
    ):
        return client.send_request(request).status_code


@pytest.mark.block_network
@pytest.mark.parametrize(
    ("method", "path", "body", "content_type"),
    [
        ("PUT", f"{PATH}?a=1%2B1", BODY, MERGE_PATCH),
        ("PATCH", f"{PATH.replace('1/', '2/')}?a=1%2B1", BODY, MERGE_PATCH),
        ("PATCH", f"{PATH}?a=1+1", BODY, MERGE_PATCH),
        ("PATCH", f"{PATH}?a=1%2B1", BODY, "application/json"),
        ("PATCH", f"{PATH}?a=1%2B1", None, MERGE_PATCH),
        ("PATCH", f"{PATH}?a=1%2B1", BODY.replace("true", "1"), MERGE_PATCH),
    ],
)
def test_different_request_fails(tmp_path: Path, method: str, path: str, body: str | None, content_type: str) -> None:
    with pytest.raises(CannotOverwriteExistingCassetteException):
        send(tmp_path / "exchange.yaml", method, path, body, content_type)


@pytest.mark.block_network
def test_json_order_and_spacing_are_ignored(tmp_path: Path) -> None:
    assert send(tmp_path / "exchange.yaml", "PATCH", f"{PATH}?a=1%2B1", SAME_BODY, MERGE_PATCH) == 200


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
