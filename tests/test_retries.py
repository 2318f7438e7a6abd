"""The client retries what it can, and no retry duplicates work."""

import json
import time
from datetime import datetime, tzinfo
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline import PipelineRequest
from azure.core.rest import HttpRequest

from azure.communication.rooms import RoomsClient, _authentication, _policies
from azure.communication.rooms._api_version import DEFAULT_API_VERSION
from azure.communication.rooms.emulator import RoomsEmulator

from .support.faults import BROKEN_CONNECTIONS
from .support.operations import NO_ROOM, OPERATIONS
from .support.scripted_server import Response, scripted_server

NO_OPTIONS: Any = {}
NOW = 1_800_000_000
IN_TWO_SECONDS = formatdate(NOW + 2, usegmt=True)
RETRIED_STATUS_CODES = [408, 429, 500, 502, 503, 504]
CREATE = "/rooms?api-version=2025-03-13"
REPEATABILITY = {
    "Repeatability-Request-ID": "4e1f5b8e-7a2d-4b0e-9d3a-1c2b3d4e5f60",
    "Repeatability-First-Sent": "Thu, 27 Jul 2023 16:34:41 GMT",
}


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop azure-core's clock, so that a date in ``Retry-After`` is always two seconds ahead."""

    class StoppedClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "StoppedClock":
            return cls.fromtimestamp(NOW, tz)

    monkeypatch.setattr("azure.core.pipeline.policies._utils.datetime", SimpleNamespace(datetime=StoppedClock))


def status_codes(emulator: RoomsEmulator) -> list[int | None]:
    return [request.status_code for request in emulator.requests]


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("retry_after", [None, 0, 1, IN_TWO_SECONDS])
@pytest.mark.parametrize("status_code", RETRIED_STATUS_CODES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_retry_on_status_code(
    client: RoomsClient,
    emulator: RoomsEmulator,
    sleeps: list[float],
    *,
    name: str,
    status_code: int,
    retry_after: int | str | None,
) -> None:
    room_id = client.create_room().id
    emulator.inject(status=status_code, retry_after=retry_after, times=2)
    OPERATIONS[name].call(client, room_id)
    assert status_codes(emulator)[1:3] == [status_code, status_code]
    assert len(emulator.requests) == 4
    seconds = 2 if retry_after == IN_TWO_SECONDS else int(retry_after or 0)
    assert all(seconds <= wait <= seconds * 1.25 for wait in sleeps)
    assert len(sleeps) == 2


@pytest.mark.parametrize("fault", BROKEN_CONNECTIONS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_retry_on_broken_connection(client: RoomsClient, emulator: RoomsEmulator, name: str, fault: str) -> None:
    room_id = client.create_room().id
    emulator.inject(**BROKEN_CONNECTIONS[fault].arguments)
    OPERATIONS[name].call(client, room_id)
    no_body_to_truncate = fault == "truncated" and name == "delete_room"
    assert len(emulator.requests) == (2 if no_body_to_truncate else 3)


@pytest.mark.parametrize("name", OPERATIONS)
def test_retry_on_read_timeout(client: RoomsClient, emulator: RoomsEmulator, name: str) -> None:
    room_id = client.create_room().id
    timeouts = iter([0.1, 60])

    def set_timeout(request: PipelineRequest[HttpRequest]) -> None:
        request.context.options["read_timeout"] = next(timeouts)

    emulator.inject(delay=60)
    OPERATIONS[name].call(client, room_id, raw_request_hook=set_timeout)
    assert len(emulator.requests) == 3


def test_retried_create_makes_one_room(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(drop="after")
    emulator.inject(status=503)
    emulator.inject(truncate=True)
    room = client.create_room()
    assert list(client.list_rooms()) == [room]
    attempts = [request.headers for request in emulator.requests if request.method == "POST"]
    assert len(attempts) == 4
    assert len({(a["repeatability-request-id"], a["repeatability-first-sent"]) for a in attempts}) == 1


def test_each_create_makes_a_room(client: RoomsClient, emulator: RoomsEmulator) -> None:
    rooms = {client.create_room().id for _ in range(3)}
    assert len(rooms) == len({request.headers["repeatability-request-id"] for request in emulator.requests}) == 3


def test_every_attempt_sends_the_body(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(status=502)
    client.create_room(pstn_dial_out_enabled=True)
    assert [json.loads(request.body) for request in emulator.requests] == [{"pstnDialOutEnabled": True}] * 2


def test_every_attempt_is_signed(emulator: RoomsEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=time.time())
    monkeypatch.setattr(_authentication, "time", SimpleNamespace(time=lambda: clock.now))

    def a_minute_passes(response: object) -> None:
        clock.now += 60

    with RoomsClient.from_connection_string(emulator.connection_string, retry_backoff_factor=0) as client:
        emulator.inject(status=500, times=2)
        client.create_room(raw_response_hook=a_minute_passes)
    assert len({request.headers["x-ms-date"] for request in emulator.requests}) == 3
    assert status_codes(emulator) == [500, 500, 201]


def test_delete_executed_before_the_break(client: RoomsClient, emulator: RoomsEmulator) -> None:
    room_id = client.create_room().id
    emulator.inject(drop="after")
    client.delete_room(room_id)
    assert status_codes(emulator)[1:] == [None, 204]


@pytest.mark.parametrize("status_code", [408, 500, 502, 503, 504])
def test_not_found_after_a_possible_delete(client: RoomsClient, emulator: RoomsEmulator, status_code: int) -> None:
    emulator.inject(status=status_code)
    client.delete_room(NO_ROOM)
    assert status_codes(emulator) == [status_code, 404]


def test_not_found_after_a_broken_delete(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(drop="before")
    client.delete_room(NO_ROOM)
    assert status_codes(emulator) == [None, 404]


@pytest.mark.parametrize("status_code", [None, 429])
def test_not_found_if_nothing_was_deleted(
    client: RoomsClient, emulator: RoomsEmulator, status_code: int | None
) -> None:
    if status_code:
        emulator.inject(status=status_code)
    with pytest.raises(ResourceNotFoundError):
        client.delete_room(NO_ROOM)


def test_unrepeatable_post_is_not_retried(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(drop="after")
    with pytest.raises(ServiceResponseError):
        client.send_request(HttpRequest("POST", CREATE, json={}))
    assert len(emulator.requests) == 1


@pytest.mark.parametrize("method", ["POST", "post"])
def test_repeatable_request_of_the_caller(client: RoomsClient, emulator: RoomsEmulator, method: str) -> None:
    emulator.inject(drop="after")
    client.send_request(HttpRequest(method, CREATE, headers=REPEATABILITY, json={}))
    assert len(list(client.list_rooms())) == 1


@pytest.mark.parametrize("method", ["PATCH", "patch"])
@pytest.mark.parametrize(
    "content_type",
    ["application/merge-patch+json", "application/merge-patch+json; charset=utf-8", "Application/Merge-Patch+JSON"],
)
def test_merge_patch_of_the_caller(
    client: RoomsClient, emulator: RoomsEmulator, method: str, content_type: str
) -> None:
    room_id = client.create_room().id
    url = f"/rooms/{room_id}?api-version=2025-03-13"
    emulator.inject(drop="after")
    request = HttpRequest(method, url, headers={"Content-Type": content_type}, content=b"{}")
    assert client.send_request(request).status_code == 200
    assert status_codes(emulator) == [201, None, 200]


@pytest.mark.parametrize("method", ["GET", "get"])
def test_get_of_the_caller(client: RoomsClient, emulator: RoomsEmulator, method: str) -> None:
    emulator.inject(drop="before")
    assert client.send_request(HttpRequest(method, CREATE)).status_code == 200


@pytest.mark.parametrize(
    ("options", "attempts"),
    [
        ({"retry_total": 0}, 1),
        ({"retry_status": 0}, 1),
        ({"retry_status": 1}, 2),
        ({"retry_total": 2}, 3),
        ({"retry_status": 5}, 6),
    ],
)
@pytest.mark.parametrize("per_call", [True, False])
def test_number_of_retries(emulator: RoomsEmulator, options: dict[str, Any], attempts: int, per_call: bool) -> None:
    emulator.inject(status=500, times=10)
    with (
        RoomsClient.from_connection_string(
            emulator.connection_string, retry_backoff_factor=0, **(NO_OPTIONS if per_call else options)
        ) as client,
        pytest.raises(HttpResponseError),
    ):
        client.create_room(**(options if per_call else NO_OPTIONS))
    assert len(emulator.requests) == attempts


def test_call_options_survive_a_redirect() -> None:
    target = f"/rooms/99?api-version={DEFAULT_API_VERSION.value}"
    moved = Response(307, headers={"Location": "/elsewhere"})
    with (
        scripted_server(moved, Response(503)) as server,
        RoomsClient(server.endpoint, "a2V5") as client,
        pytest.raises(HttpResponseError) as caught,
    ):
        client.get_room("99", retry_total=0)
    assert caught.value.status_code == 503
    assert [target for _, target, _ in server.requests] == [target, "/elsewhere"]


def test_not_found_after_a_possible_delete_and_a_redirect(sleeps: list[float]) -> None:
    moved = Response(307, headers={"Location": "/elsewhere"})
    with (
        scripted_server(Response(503), moved, Response(429), Response(404)) as server,
        RoomsClient(server.endpoint, "a2V5") as client,
    ):
        client.delete_room("99")
    assert len(server.requests) == 4


def test_methods_to_retry(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(drop="before")
    with pytest.raises(ServiceResponseError):
        client.create_room(retry_on_methods=[])
    assert len(emulator.requests) == 1


def test_methods_to_retry_in_lower_case(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(drop="before")
    request = HttpRequest("POST", "/rooms?api-version=2025-03-13", json={})
    assert client.send_request(request, retry_on_methods=["post"]).status_code == 201


def test_retry_policy_of_the_caller(emulator: RoomsEmulator) -> None:
    policy = _policies.RoomsRetryPolicy(retry_total=0)
    emulator.inject(status=500)
    with (
        RoomsClient.from_connection_string(emulator.connection_string, retry_policy=policy) as client,
        pytest.raises(HttpResponseError),
    ):
        client.create_room()
    assert len(emulator.requests) == 1


def test_refused_connection(sleeps: list[float]) -> None:
    with RoomsClient("http://127.0.0.1:1", "a2V5") as client, pytest.raises(ServiceRequestError) as caught:
        client.create_room()
    assert not isinstance(caught.value, ServiceRequestTimeoutError)
    assert len(sleeps) == 3


def test_no_response_in_time(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(delay=60)
    with pytest.raises(ServiceResponseTimeoutError):
        client.create_room(read_timeout=0.1, retry_total=0)
