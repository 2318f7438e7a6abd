"""The emulator gives the same responses as the live service to the same requests, with their times moved to now.

Some response headers of the service have changed since the first exchanges. The emulator sends ``CURRENT_HEADERS``.
"""

import json
import re
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from email.utils import formatdate

import pytest
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from ..emulator.calls import new_client
from .live import EACH_EXCHANGE, ROOM_ID, TICKS_PER_SECOND, Json, move_times, ticks

# The headers of the latest exchanges, which are from 2025.
CURRENT_HEADERS = {
    "api-supported-versions": "2023-06-14, 2023-10-30-preview, 2024-04-15, 2025-03-13",
    "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
    "X-Cache": "CONFIG_NOCACHE",
}
CONTENT_TYPES = {"POST": "application/json", "PATCH": "application/merge-patch+json"}
PAGE_SIZE = 30
LIFETIME = 180 * 24 * 60 * 60 * TICKS_PER_SECOND
LAG = TICKS_PER_SECOND // 10  # between a default validFrom and createdAt; in the exchanges, it is from 40 to 270 ms


@pytest.fixture(scope="module")
def running_emulator() -> Iterator[RoomsEmulator]:
    with RoomsEmulator(page_size=PAGE_SIZE) as emulator:
        yield emulator


@pytest.fixture
def client(emulator: RoomsEmulator) -> RoomsClient:
    return new_client(emulator)


@EACH_EXCHANGE
def test_same_response(exchange: Json, emulator: RoomsEmulator, client: RoomsClient) -> None:
    version = exchange.get("send_as") or exchange["api_version"]
    rooms: list[Json] = []
    if "listing" in exchange:
        exchange, rooms = create_listed_rooms(exchange, emulator, client)
    else:
        exchange = move_times(exchange, seconds_since(exchange["recorded_at"]))
    for request in exchange.get("before", ()):
        response = send(client, version, **request, rooms=rooms)
        if request["method"] == "POST":
            rooms.append(response.json())

    response = send(
        client,
        version,
        exchange["method"],
        exchange["path"],
        exchange["request_body"],
        headers=exchange["request_headers"],
        rooms=rooms,
    )

    assert response.status_code == exchange["status"]
    check_body(response, exchange, rooms)
    check_headers(response, exchange)


def seconds_since(recorded: str) -> int:
    """Return how far to move times, rounded down, so that a past time never becomes a future one."""
    return (time.time_ns() // 100 - ticks(recorded)) // TICKS_PER_SECOND


def send(
    client: RoomsClient,
    version: str,
    method: str,
    path: str,
    body: Json | None,
    *,
    headers: Json | None = None,
    rooms: list[Json] | None = None,
) -> HttpResponse:
    """Send a request. ``{room_id}`` in its path stands for the ID of the last room in ``rooms``."""
    path = path.replace("{unknown_room_id}", ROOM_ID)
    if rooms:
        path = path.replace("{room_id}", rooms[-1]["id"])
    if headers is None:
        headers = {} if body is None else {"Content-Type": CONTENT_TYPES[method]}
    random = {"Repeatability-Request-ID": str(uuid.uuid4()), "Repeatability-First-Sent": formatdate(usegmt=True)}
    return client.send_request(
        HttpRequest(
            method,
            f"{path}?api-version={version}",
            headers={name: value or random[name] for name, value in headers.items()},
            content=None if body is None else json.dumps(body).encode(),
        )
    )


def create_listed_rooms(exchange: Json, emulator: RoomsEmulator, client: RoomsClient) -> tuple[Json, list[Json]]:
    """Create the rooms that the recorded page needs: the recorded ones last, after older and deleted ones.

    Return the exchange with its times moved so that the first recorded room is created now, and the recorded rooms.
    """
    version, items, has_link = exchange["api_version"], exchange["listing"]["items"], exchange["listing"]["next_link"]
    recorded = sorted(exchange["response_body"]["value"], key=lambda room: ticks(room["createdAt"]))
    for _ in range(items - len(recorded) + (PAGE_SIZE // 2 if has_link else 0)):
        send(client, version, "POST", "/rooms", {})
    for _ in range(PAGE_SIZE - items if has_link else 0):
        deleted = send(client, version, "POST", "/rooms", {}).json()
        send(client, version, "DELETE", "/rooms/{room_id}", None, rooms=[deleted])

    seconds = seconds_since(recorded[0]["createdAt"])
    rooms = []
    now = recorded[0]["createdAt"]
    for room in recorded:
        advance(emulator, now, room["createdAt"])
        now = room["createdAt"]
        body = {name: member for name, member in room.items() if name not in ("id", "createdAt")}
        if has_default_times(room):
            del body["validFrom"], body["validUntil"]
        rooms.append(send(client, version, "POST", "/rooms", move_times(body, seconds)).json())
    advance(emulator, now, max(now, exchange["recorded_at"], key=ticks))
    return move_times(exchange, seconds), rooms


def advance(emulator: RoomsEmulator, earlier: str, later: str) -> None:
    emulator.advance(timedelta(microseconds=(ticks(later) - ticks(earlier)) // 10))


def has_default_times(room: Json) -> bool:
    return ticks(room["validUntil"]) - ticks(room["validFrom"]) == LIFETIME


def check_body(response: HttpResponse, exchange: Json, rooms: list[Json]) -> None:
    recorded = exchange["response_body"]
    if recorded is None:
        assert response.content == b""
    elif "listing" in exchange:
        check_listing(response, exchange, rooms)
    elif "createdAt" in recorded:
        room = response.json()
        bodies = [exchange["request_body"], *(request["body"] for request in exchange.get("before", ()))]
        check_room(room, recorded, {text for body in bodies if body for text in body.values() if isinstance(text, str)})
        if rooms:
            assert (room["id"], room["createdAt"]) == (rooms[-1]["id"], rooms[-1]["createdAt"])
    else:
        assert canonical(response.json()) == canonical(recorded)


def canonical(value: object) -> str:
    """The JSON as text, because ``True == 1`` in Python."""
    return json.dumps(value, sort_keys=True)


def check_room(room: Json, recorded: Json, given: set[str]) -> None:
    """Compare the room with the recorded one. A request has set the times in ``given``; the others are defaults."""
    assert room.keys() == recorded.keys()
    assert re.fullmatch(r"994\d{13,14}", room["id"])
    assert room.get("pstnDialOutEnabled") is recorded.get("pstnDialOutEnabled")
    created_at = ticks(room["createdAt"])
    for name, default in (("validFrom", created_at - LAG), ("validUntil", created_at - LAG + LIFETIME)):
        if ticks(recorded[name]) in map(ticks, given):
            assert room[name] == recorded[name]
        else:
            assert ticks(room[name]) == default
    for name in ("createdAt", "validFrom", "validUntil"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?\+00:00", room[name])


def check_listing(response: HttpResponse, exchange: Json, rooms: list[Json]) -> None:
    page, recorded = response.json(), exchange["response_body"]
    assert page.keys() == recorded.keys()
    assert len(page["value"]) == exchange["listing"]["items"]
    created_at = [ticks(room["createdAt"]) for room in page["value"]]
    assert created_at == sorted(created_at, reverse=True)
    assert page["value"][: len(rooms)] == rooms[::-1]
    for room, recorded_room in zip(page["value"], recorded["value"], strict=False):
        given = set() if has_default_times(recorded_room) else {recorded_room["validFrom"], recorded_room["validUntil"]}
        check_room(room, recorded_room, given)
    if "nextLink" in page:
        path, query = re.escape(response.request.url).split(re.escape("?"))
        assert re.fullmatch(rf"{path}\?nextLink=[A-Za-z0-9]{{715}}&{query}", page["nextLink"])


def check_headers(response: HttpResponse, exchange: Json) -> None:
    recorded = {**exchange["response_headers"], **CURRENT_HEADERS}
    recorded.pop("api-deprecated-versions", None)
    body = exchange["response_body"]
    if body and "details" in body.get("error", ()):
        del recorded["api-supported-versions"]
        recorded.pop("x-ms-error-code", None)
    if "Location" in recorded:
        recorded["Location"] = response.json()["id"]

    # No recording has kept the header that repeats the ID of the request.
    names = {name.lower() for name in response.headers} - {"x-ms-client-request-id"}
    assert names == {name.lower() for name in recorded}
    for name, value in recorded.items():
        assert response.headers[name] == value if value is not None else response.headers[name]
