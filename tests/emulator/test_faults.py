from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceResponseError

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import Fault, RoomsEmulator

from ..support.faults import FAULTS, FaultKind
from ..support.waiting import wait_for
from .calls import call, new_client

KINDS = [
    *FAULTS.values(),
    FaultKind({"status": 200}, is_executed=False, response_arrives=True),
    FaultKind({"body": b"{}"}, is_executed=False, response_arrives=True),
    FaultKind({"body": b"{}", "truncate": True}, is_executed=False, response_arrives=False),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.arguments))
def test_execution_and_response(emulator: RoomsEmulator, client: RoomsClient, kind: FaultKind) -> None:
    emulator.inject(**kind.arguments)
    if kind.response_arrives:
        response = call(client, "POST", "/rooms", {})
        assert response.status_code == emulator.requests[-1].status_code
    else:
        with pytest.raises(ServiceResponseError):
            call(client, "POST", "/rooms", {})
    assert emulator.requests[-1].executed is kind.is_executed
    assert len(list(client.list_rooms())) == kind.is_executed


def test_first_matching_fault_applies(emulator: RoomsEmulator) -> None:
    client = new_client(emulator)
    room = client.create_room()
    emulator.inject(status=500, method="patch")
    emulator.inject(status=501, path="/rooms/*/participants", times=2)
    emulator.inject(status=599, path="/room?")  # a ? is not a wildcard
    emulator.inject(status=502, path="/rooms")
    emulator.inject(status=403)
    calls: list[Any] = [
        lambda: list(client.list_participants(room.id)),
        lambda: list(client.list_participants(room.id)),
        lambda: list(client.list_participants(room.id)),
        client.create_room,
        lambda: client.update_room(room.id),
        lambda: client.update_room(room.id),
    ]
    for each in calls:
        with suppress(HttpResponseError):
            each()
    assert [request.status_code for request in emulator.requests[1:]] == [501, 501, 403, 502, 500, 200]
    assert emulator.pending_faults == [Fault(status=599, path="/room?")]
    assert emulator.requests[4].fault == Fault(status=502, path="/rooms")
    assert emulator.requests[-1].fault is None


def test_after_skips_matching_requests(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(status=403, path="/rooms", method="GET", after=2, times=2)
    assert [call(client, *each).status_code for each in [("GET", "/rooms"), ("PUT", "/rooms")]] == [200, 405]
    assert [call(client, "GET", "/rooms").status_code for _ in range(4)] == [200, 403, 403, 200]


def test_probability(emulator: RoomsEmulator, client: RoomsClient, monkeypatch: pytest.MonkeyPatch) -> None:
    chances = iter([0.5, 0.05, 0.1])
    monkeypatch.setattr("random.random", lambda: next(chances))
    emulator.inject(status=403, probability=0.1, times=2)
    assert [call(client, "GET", "/rooms").status_code for _ in range(3)] == [200, 403, 200]


def test_second_page_fails_alone(emulator: RoomsEmulator, client: RoomsClient) -> None:
    rooms = [client.create_room() for _ in range(4)]
    emulator.inject(status=403, path="/rooms?nextLink=*")
    pages = client.list_rooms().by_page()
    assert [room.id for room in next(pages)] == [room.id for room in rooms[:0:-1]]
    with pytest.raises(HttpResponseError):
        next(pages)


def test_path_with_many_stars(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(status=403, path="/" + "*a" * 30)
    assert call(client, "GET", f"/rooms/{'a' * 3000}b").status_code == 400


def test_applied_fault_is_not_pending(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(status=403, times=2)
    assert emulator.pending_faults == [Fault(status=403, times=2)]
    for _ in range(2):
        with pytest.raises(HttpResponseError):
            client.create_room()
        assert emulator.pending_faults == []
    assert client.create_room().id


def test_injected_error(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(status=429, retry_after=7)
    response = call(client, "GET", "/rooms")
    assert response.json()["error"]["code"] == response.headers["x-ms-error-code"] == "TooManyRequests"
    assert response.headers["Retry-After"] == "7"
    assert response.headers["MS-CV"]
    assert response.headers["api-supported-versions"]


def test_injected_204(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(status=204)
    response = call(client, "GET", "/rooms")
    assert (response.status_code, response.content) == (204, b"")
    assert "Transfer-Encoding" not in response.headers
    assert call(client, "GET", "/rooms").status_code == 200


@pytest.mark.parametrize(("body", "content_type"), [(b" <html>", "text/html"), (b"{}", "application/json")])
def test_injected_body(emulator: RoomsEmulator, client: RoomsClient, body: bytes, content_type: str) -> None:
    emulator.inject(body=body)
    response = call(client, "GET", "/rooms")
    assert (response.status_code, response.content) == (200, body)
    assert response.headers["Content-Type"].startswith(content_type)


def test_delay_affects_only_one_request(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(delay=30)
    with pytest.raises(ServiceResponseError):
        client.create_room(read_timeout=0.05, retry_total=0)
    assert list(client.list_rooms()) == []


def test_reset_cancels_delayed_requests(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(delay=1.0, times=2)
    with ThreadPoolExecutor() as executor:
        delayed = [executor.submit(client.create_room, retry_total=0) for _ in range(2)]
        wait_for(lambda: len(emulator.requests) == 2)
        emulator.reset()
        assert all(isinstance(future.exception(), ServiceResponseError) for future in delayed)
    assert list(client.list_rooms()) == []


@pytest.mark.parametrize("arguments", [{}, {"times": 2}, {"delay": 0, "truncate": False}])
def test_fault_without_effect(emulator: RoomsEmulator, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="nothing to inject"):
        emulator.inject(**arguments)
    assert emulator.pending_faults == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"drop": "during"}, "drop must be 'before' or 'after', not 'during'"),
        ({"drop": "after", "status": 500}, "drop sends no response"),
        ({"retry_after": 1}, "retry_after needs a status"),
        ({"status": 429, "retry_after": "a\n"}, "retry_after is not valid"),
        ({"status": 99}, "status must be from 200 to 599, not 99"),
        ({"status": 204, "body": b"x"}, "a response with status code 204 has no body"),
        ({"status": 500, "times": 0}, "times must be at least 1, not 0"),
        ({"status": 500, "after": -1}, "after must not be negative: -1"),
        ({"status": 500, "probability": 0}, "probability must be above 0 and at most 1, not 0"),
        ({"status": 500, "probability": 1.5}, "probability must be above 0 and at most 1, not 1.5"),
        ({"delay": -1}, "delay must not be negative: -1"),
        ({"delay": float("nan")}, "delay must not be negative: nan"),
        ({"status": 500, "path": "rooms"}, r"path must begin with / or \*: 'rooms'"),
        ({"status": "500"}, "status must be an integer, not '500'"),
        ({"body": "<html>"}, "body must be bytes, not '<html>'"),
        ({"status": 500, "times": None}, "times must be an integer, not None"),
        ({"delay": "1"}, "delay must be a number, not '1'"),
    ],
)
def test_invalid_fault(emulator: RoomsEmulator, fault: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        emulator.inject(**fault)
    with pytest.raises((TypeError, ValueError), match=message):
        Fault(**fault)
