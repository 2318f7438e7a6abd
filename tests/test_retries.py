"""What is retried, when and how; and that no retry does a thing twice."""

import json
import time
from collections.abc import Callable
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
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest

from azure.communication.rooms import PhoneNumberIdentifier, RoomParticipant, RoomsClient, _authentication, _policies
from azure.communication.rooms.emulator import RoomsEmulator

STATUSES = [408, 429, 500, 502, 503, 504]
PHONE = PhoneNumberIdentifier("+14255550123")
OPERATIONS: dict[str, Callable[[RoomsClient, str], object]] = {
    "create_room": lambda client, room_id: client.create_room(),
    "get_room": lambda client, room_id: client.get_room(room_id),
    "list_rooms": lambda client, room_id: list(client.list_rooms()),
    "update_room": lambda client, room_id: client.update_room(room_id, pstn_dial_out_enabled=True),
    "delete_room": lambda client, room_id: client.delete_room(room_id),
    "list_participants": lambda client, room_id: list(client.list_participants(room_id)),
    "add_or_update_participants": lambda client, room_id: client.add_or_update_participants(
        room_id, [RoomParticipant(PHONE)]
    ),
    "remove_participants": lambda client, room_id: client.remove_participants(room_id, [PHONE]),
}


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between attempts, which are not waited."""
    waits: list[float] = []
    monkeypatch.setattr(RequestsTransport, "sleep", lambda self, seconds: waits.append(seconds))
    return waits


@pytest.mark.parametrize("retry_after", [None, 0, 1, "a date"])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_retried_on_every_passing_status(
    emulator: RoomsEmulator,
    sleeps: list[float],
    operation: str,
    status: int,
    retry_after: float | str | None,
) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string, retry_backoff_factor=0)
    room_id = client.create_room().id
    retry_after = formatdate(time.time() + 2, usegmt=True) if retry_after == "a date" else retry_after
    emulator.inject(status=status, retry_after=retry_after, times=2)
    OPERATIONS[operation](client, room_id)
    assert [request.answer for request in emulator.requests[1:3]] == [status, status]
    assert len(emulator.requests) == 4
    assert all(0 < wait <= 2 * 1.25 for wait in sleeps) if retry_after else sleeps == []


@pytest.mark.parametrize("fault", ["before", "after", "truncate"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_retried_when_the_connection_breaks(
    client: RoomsClient, emulator: RoomsEmulator, operation: str, fault: str
) -> None:
    room_id = client.create_room().id
    emulator.inject(truncate=True) if fault == "truncate" else emulator.inject(drop=fault)  # type: ignore[arg-type]
    OPERATIONS[operation](client, room_id)
    no_body_to_truncate = fault == "truncate" and operation == "delete_room"
    assert len(emulator.requests) == (2 if no_body_to_truncate else 3)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_retried_when_no_answer_comes_in_time(
    client: RoomsClient, emulator: RoomsEmulator, operation: str
) -> None:
    room_id = client.create_room().id
    emulator.inject(delay=2.0)
    impatient = RoomsClient.from_connection_string(emulator.connection_string, read_timeout=0.5, retry_backoff_factor=0)
    OPERATIONS[operation](impatient, room_id)
    assert len(emulator.requests) == 3


def test_all_attempts_of_a_create_carry_one_repeatability_id_and_make_one_room(
    client: RoomsClient, emulator: RoomsEmulator
) -> None:
    emulator.inject(drop="after")
    emulator.inject(status=503)
    emulator.inject(truncate=True)
    room = client.create_room()
    assert list(client.list_rooms()) == [room]
    attempts = [request.headers for request in emulator.requests if request.method == "POST"]
    assert len(attempts) == 4
    assert len({(a["repeatability-request-id"], a["repeatability-first-sent"]) for a in attempts}) == 1


def test_each_create_has_a_repeatability_id_of_its_own(client: RoomsClient, emulator: RoomsEmulator) -> None:
    rooms = {client.create_room().id for _ in range(3)}
    assert len(rooms) == len({request.headers["repeatability-request-id"] for request in emulator.requests}) == 3


def test_repeatability_headers_of_the_callers_are_kept(client: RoomsClient, emulator: RoomsEmulator) -> None:
    headers = {
        "repeatability-request-id": "4e1f5b8e-7a2d-4b0e-9d3a-1c2b3d4e5f60",
        "Repeatability-First-Sent": "Thu, 27 Jul 2023 16:34:41 GMT",
    }
    first = client.create_room(headers=headers)
    assert client.create_room(headers=headers) == first
    for request in emulator.requests:
        assert request.headers["repeatability-request-id"] == "4e1f5b8e-7a2d-4b0e-9d3a-1c2b3d4e5f60"
        assert request.headers["repeatability-first-sent"] == "Thu, 27 Jul 2023 16:34:41 GMT"


def test_a_delete_that_took_effect_before_the_connection_broke_succeeds(
    client: RoomsClient, emulator: RoomsEmulator
) -> None:
    room_id = client.create_room().id
    emulator.inject(drop="after")
    client.delete_room(room_id)
    assert [request.answer for request in emulator.requests[1:]] == [None, 404]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_delete_that_may_have_taken_effect_before_an_error_succeeds(
    client: RoomsClient, emulator: RoomsEmulator, status: int
) -> None:
    emulator.inject(status=status)
    client.delete_room("99000000000000000")
    assert [request.answer for request in emulator.requests] == [status, 404]


@pytest.mark.parametrize("status", [None, 429])
def test_a_delete_of_a_room_that_was_never_there_is_not_found(
    client: RoomsClient, emulator: RoomsEmulator, status: int | None
) -> None:
    if status:
        emulator.inject(status=status)
    with pytest.raises(ResourceNotFoundError):
        client.delete_room("99000000000000000")


def test_every_retry_is_signed_anew(emulator: RoomsEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=time.time())
    monkeypatch.setattr(_authentication, "time", SimpleNamespace(time=lambda: clock.now))

    def a_minute_passes(response: object) -> None:
        clock.now += 60

    client = RoomsClient.from_connection_string(emulator.connection_string, retry_backoff_factor=0)
    emulator.inject(status=500, times=2)
    client.create_room(raw_response_hook=a_minute_passes)
    assert len({request.headers["x-ms-date"] for request in emulator.requests}) == 3
    assert emulator.requests[-1].answer == 201


def test_a_request_that_cannot_be_retried_safely_is_not(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(drop="after")
    with pytest.raises(ServiceResponseError):
        client.send_request(HttpRequest("POST", "/rooms?api-version=2025-03-13", json={}))
    assert len(emulator.requests) == 1


def test_a_repeatable_request_of_the_callers_is_retried(client: RoomsClient, emulator: RoomsEmulator) -> None:
    headers = {
        "Repeatability-Request-ID": "4e1f5b8e-7a2d-4b0e-9d3a-1c2b3d4e5f60",
        "Repeatability-First-Sent": "Thu, 27 Jul 2023 16:34:41 GMT",
    }
    emulator.inject(drop="after")
    client.send_request(HttpRequest("POST", "/rooms?api-version=2025-03-13", headers=headers, json={}))
    assert len(list(client.list_rooms())) == 1


def test_a_get_of_the_callers_is_retried(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(drop="before")
    assert client.send_request(HttpRequest("GET", "/rooms?api-version=2025-03-13")).status_code == 200


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
def test_azure_cores_options_shorten_the_retries_per_client_and_per_call(
    emulator: RoomsEmulator, options: dict[str, Any], attempts: int, per_call: bool
) -> None:
    client = RoomsClient.from_connection_string(
        emulator.connection_string, retry_backoff_factor=0, **({} if per_call else options)
    )
    emulator.inject(status=500, times=10)
    with pytest.raises(HttpResponseError):
        client.create_room(**(options if per_call else {}))
    assert len(emulator.requests) == attempts


def test_methods_to_retry_can_be_chosen_per_call(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(drop="before")
    with pytest.raises(ServiceResponseError):
        client.create_room(retry_on_methods=[])


def test_the_first_retry_waits_too_with_jitter(emulator: RoomsEmulator, sleeps: list[float]) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string)
    for _ in range(20):
        emulator.inject(status=429, times=3)
        client.create_room()
    for retry, (shortest, longest) in enumerate([(0.4, 0.8), (0.8, 1.6), (1.6, 3.2)]):
        waits = sleeps[retry::3]
        assert all(shortest <= wait <= longest for wait in waits)
        assert len(set(waits)) == 20


def test_a_wait_is_never_longer_than_the_longest(emulator: RoomsEmulator, sleeps: list[float]) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string, retry_backoff_max=1)
    emulator.inject(status=503, times=3)
    client.create_room()
    assert max(sleeps) <= 1


def test_the_fixed_mode_waits_alike(emulator: RoomsEmulator, sleeps: list[float]) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string, retry_mode="fixed")
    emulator.inject(drop="before", times=3)
    client.create_room()
    assert all(0.4 <= wait <= 0.8 for wait in sleeps)
    assert len(sleeps) == 3


def test_retry_after_is_waited_at_least_with_jitter(emulator: RoomsEmulator, sleeps: list[float]) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string)
    for _ in range(20):
        emulator.inject(status=429, retry_after=8)
        client.create_room()
    assert all(8 <= wait <= 10 for wait in sleeps)
    assert len(set(sleeps)) == 20


@pytest.mark.parametrize("retry_after", ["soon", "inf", "nan", "-1"])
def test_a_retry_after_that_cannot_be_waited_is_not_respected(
    client: RoomsClient, emulator: RoomsEmulator, retry_after: str
) -> None:
    emulator.inject(status=429, retry_after=retry_after)
    assert client.create_room().id


def test_a_timeout_for_all_attempts_together_ends_them(
    emulator: RoomsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=1000.0)

    def sleep(transport: RequestsTransport, seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr(RequestsTransport, "sleep", sleep)
    monkeypatch.setattr("azure.core.pipeline.policies._retry.time", SimpleNamespace(time=lambda: clock.now))
    client = RoomsClient.from_connection_string(emulator.connection_string)
    emulator.inject(status=503, times=9)
    with pytest.raises(ServiceResponseTimeoutError):
        client.create_room(timeout=1.0, retry_status=9, retry_backoff_factor=1)
    assert len(emulator.requests) < 4


def test_an_endpoint_that_nobody_listens_on_is_a_service_request_error(sleeps: list[float]) -> None:
    client = RoomsClient.from_connection_string("endpoint=http://127.0.0.1:1;accesskey=a2V5")
    with pytest.raises(ServiceRequestError) as caught:
        client.create_room()
    assert not isinstance(caught.value, ServiceRequestTimeoutError)
    assert len(sleeps) == 3


def test_no_answer_in_time_is_a_service_response_timeout_error(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(delay=0.5)
    with pytest.raises(ServiceResponseTimeoutError):
        client.create_room(read_timeout=0.1, retry_total=0)


def test_the_retry_policy_can_be_replaced(emulator: RoomsEmulator) -> None:
    policy = _policies.RoomsRetryPolicy(retry_total=0)
    client = RoomsClient.from_connection_string(emulator.connection_string, retry_policy=policy)
    emulator.inject(status=500)
    with pytest.raises(HttpResponseError):
        client.create_room()
    assert len(emulator.requests) == 1


def test_a_body_is_sent_whole_at_every_attempt(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(status=502)
    client.create_room(pstn_dial_out_enabled=True)
    assert [json.loads(request.body) for request in emulator.requests] == [{"pstnDialOutEnabled": True}] * 2
