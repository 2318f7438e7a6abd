from datetime import datetime, timezone

import pytest
from azure.core.exceptions import ServiceResponseError

from azure.communication.rooms import RoomsClient
from azure.communication.rooms._api_version import DEFAULT_API_VERSION
from azure.communication.rooms.emulator import ReceivedRequest, RoomsEmulator
from azure.communication.rooms.emulator._request_log import RequestLog

from .calls import new_client


def received(headers: dict[str, str] | None = None, body: bytes = b"") -> ReceivedRequest:
    return ReceivedRequest("GET", "/rooms", "", headers or {}, body, datetime.now(timezone.utc))


def test_requests_and_their_responses(emulator: RoomsEmulator, client: RoomsClient) -> None:
    before = datetime.now(timezone.utc)
    client.create_room(headers={"X-Mine": "1"})
    emulator.inject(drop="before")
    with pytest.raises(ServiceResponseError):
        client.get_room("a b", retry_total=0)
    created, dropped = emulator.requests
    assert (created.method, created.path) == ("POST", "/rooms")
    assert created.query == f"api-version={DEFAULT_API_VERSION.value}"
    assert (created.body, created.status_code, created.executed) == (b"{}", 201, True)
    assert created.headers["x-mine"] == "1"
    assert "authorization" not in created.headers
    assert before <= created.received_at <= dropped.received_at <= datetime.now(timezone.utc)
    assert (dropped.path, dropped.status_code, dropped.executed) == ("/rooms/a%20b", None, False)


def test_number_of_requests_is_bounded() -> None:
    log = RequestLog()
    requests = [received() for _ in range(10_003)]
    for request in requests:
        log.add(request)
    assert log.requests() == requests[3:]


@pytest.mark.parametrize("large", [received({"x": "y" * 1_000_000}), received(body=b"y" * 1_000_000)])
def test_memory_is_bounded(large: ReceivedRequest) -> None:
    log = RequestLog()
    for _ in range(200):
        log.add(large)
    assert len(log.requests()) == 67
    log.clear()
    log.add(large)
    assert len(log.requests()) == 1


def test_small_headers_count_as_memory() -> None:
    log = RequestLog()
    for _ in range(200):
        log.add(received({f"{number:05}": "" for number in range(10_000)}))
    assert len(log.requests()) < 35


def test_large_requests_drop_old_ones(emulator: RoomsEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure.communication.rooms.emulator._request_log._MAX_BYTES", 10_000)
    client = new_client(emulator)
    for _ in range(7):
        client.create_room()
    assert 0 < len(emulator.requests) < 7
