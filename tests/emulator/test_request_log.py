import json
from datetime import datetime, timezone

import pytest
from azure.core.exceptions import ServiceResponseError

from azure.communication.rooms import ApiVersion, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .calls import call


def test_requests_and_their_responses(emulator: RoomsEmulator, client: RoomsClient) -> None:
    before = datetime.now(timezone.utc)
    client.create_room(headers={"X-Mine": "1"})
    emulator.inject(drop="before")
    with pytest.raises(ServiceResponseError):
        client.get_room("a b", retry_total=0)
    created, dropped = emulator.requests
    assert (created.method, created.path) == ("POST", "/rooms")
    assert created.query == f"api-version={ApiVersion.V2025_03_13.value}"
    assert (created.body, created.status_code, created.executed) == (b"{}", 201, True)
    assert created.headers["x-mine"] == "1"
    assert "authorization" not in created.headers
    assert before <= created.received_at <= dropped.received_at <= datetime.now(timezone.utc)
    assert created.duration is not None
    assert json.loads(created.response_body)["id"]
    assert (dropped.path, dropped.status_code, dropped.executed) == ("/rooms/a%20b", None, False)


def test_only_the_latest_requests_are_kept(
    emulator: RoomsEmulator, client: RoomsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure.communication.rooms.emulator._admin._request_log._MAX_REQUESTS", 2)
    rooms = [client.create_room() for _ in range(3)]
    client.delete_room(rooms[0].id)
    assert [request.method for request in emulator.requests] == ["POST", "DELETE"]


def test_the_log_is_bounded_by_bytes(
    emulator: RoomsEmulator, client: RoomsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure.communication.rooms.emulator._admin._request_log._MAX_BYTES", 250_000)
    for _ in range(5):
        call(client, "POST", "/rooms", "x" * 100_000)
    assert len(emulator.requests) == 2
    emulator.reset()
    client.create_room()
    client.create_room()
    assert len(emulator.requests) == 2
