"""The emulator gives the same responses as the live service to the same requests, with their times moved to now.

Some response headers of the service have changed since the first exchanges. The emulator sends ``CURRENT_HEADERS``.
"""

import base64
import json
import re
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from email.utils import formatdate
from itertools import pairwise
from typing import Any

import pytest
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator
from azure.communication.rooms.emulator._api_versions import API_VERSIONS

from .live import DAY, EACH_EXCHANGE, TICKS_PER_SECOND, Exchange, move_times, ticks

# The headers of the latest exchanges, which are from 2025. A version that the emulator adds is in no exchange.
CURRENT_HEADERS = {
    "api-supported-versions": ", ".join(API_VERSIONS),
    "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
    "X-Cache": "CONFIG_NOCACHE",
}
CONTENT_TYPES = {"POST": "application/json", "PATCH": "application/merge-patch+json"}
PAGE_SIZE = 30
Json = dict[str, Any]
TIMES = ("createdAt", "validFrom", "validUntil")
TIME_FORMAT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?\+00:00", re.ASCII)
ROOM_ID = re.compile(r"994\d{13,14}", re.ASCII)
UNKNOWN_ROOM_ID = "99400000000000000"


@pytest.fixture(scope="module")
def running() -> Iterator[RoomsEmulator]:
    with RoomsEmulator(page_size=PAGE_SIZE) as emulator:
        yield emulator


@pytest.fixture
def emulator(running: RoomsEmulator) -> RoomsEmulator:
    running.reset()
    return running


@pytest.fixture
def client(emulator: RoomsEmulator) -> Iterator[RoomsClient]:
    """A client that sends each request only once."""
    with RoomsClient.from_connection_string(emulator.connection_string, retry_total=0) as client:
        yield client


@EACH_EXCHANGE
def test_same_response(exchange: Exchange, emulator: RoomsEmulator, client: RoomsClient) -> None:
    rooms: list[Json] = []
    if "listing" in exchange:
        exchange, rooms = list_setup(exchange, emulator, client)
    else:
        exchange = move_times(exchange, seconds_since(exchange["recorded_at"]))
    version = exchange.get("send_as") or exchange["api_version"]
    for request in exchange.get("before", ()):
        response = send(client, version, request, rooms)
        if request["method"] == "POST":
            rooms.append(response.json())

    request = {name: exchange[name] for name in ("method", "path")}
    request |= {"body": exchange["request_body"], "headers": exchange["request_headers"]}
    response = send(client, version, request, rooms)

    assert response.status_code == exchange["status"]
    check_body(response, exchange, rooms)
    check_headers(response, exchange)


def seconds_since(recorded: str) -> int:
    """Return how far to move times, rounded down, so that a past time never becomes a future one."""
    return (time.time_ns() // 100 - ticks(recorded)) // TICKS_PER_SECOND


def send(client: RoomsClient, version: str, request: Json, rooms: Sequence[Json] = ()) -> HttpResponse:
    """Send the request. ``{room_id}`` in its path stands for the ID of the last room in ``rooms``."""
    path = request["path"].replace("{unknown_room_id}", UNKNOWN_ROOM_ID)
    if rooms:
        path = path.replace("{room_id}", rooms[-1]["id"])
    body = request["body"]
    content_type = {} if body is None else {"Content-Type": CONTENT_TYPES[request["method"]]}
    random = {
        "Repeatability-Request-ID": str(uuid.uuid4()),
        "Repeatability-First-Sent": formatdate(usegmt=True),
    }
    headers = request.get("headers", content_type)
    return client.send_request(
        HttpRequest(
            request["method"],
            f"{path}?api-version={version}",
            headers={name: random[name] if value is None else value for name, value in headers.items()},
            content=None if body is None else json.dumps(body).encode(),
        )
    )


def create(client: RoomsClient, version: str, body: Json) -> Json:
    room: Json = send(client, version, {"method": "POST", "path": "/rooms", "body": body}).json()
    return room


def list_setup(exchange: Exchange, emulator: RoomsEmulator, client: RoomsClient) -> tuple[Exchange, list[Json]]:
    """Create the rooms that the recorded page needs: the recorded ones last, after older and deleted ones."""
    version = exchange["api_version"]
    recorded = exchange["response_body"]["value"]
    with_link = exchange["listing"]["next_link"]
    deleted = PAGE_SIZE - exchange["listing"]["items"] if with_link else 0
    others = exchange["listing"]["items"] - len(recorded)
    for _ in range(others + (PAGE_SIZE // 2 if with_link else 0)):
        create(client, version, {})
    for _ in range(deleted):
        room = create(client, version, {})
        send(client, version, {"method": "DELETE", "path": "/rooms/{room_id}", "body": None}, [room])

    first = min([exchange["recorded_at"], *(room["createdAt"] for room in recorded)], key=ticks)
    exchange = move_times(exchange, seconds_since(first))
    rooms = []
    now = 0
    for room in sorted(exchange["response_body"]["value"], key=lambda room: ticks(room["createdAt"])):
        body = {name: member for name, member in room.items() if name not in ("id", "createdAt")}
        if has_default_times(room):
            del body["validFrom"], body["validUntil"]
        then, now = now or ticks(room["createdAt"]), ticks(room["createdAt"])
        emulator.advance(timedelta(microseconds=(now - then) // 10))
        rooms.append(create(client, version, body))
    emulator.advance(timedelta(microseconds=max(0, ticks(exchange["recorded_at"]) - now) // 10))
    return exchange, rooms


def has_default_times(room: Json) -> bool:
    created_at, valid_from, valid_until = (ticks(room[name]) for name in TIMES)
    return 0 < created_at - valid_from < TICKS_PER_SECOND and valid_until - valid_from == 180 * DAY


def check_body(response: HttpResponse, exchange: Exchange, rooms: list[Json]) -> None:
    recorded = exchange["response_body"]
    if recorded is None:
        assert response.content == b""
    elif "listing" in exchange:
        check_listing(response, exchange, rooms)
    elif "createdAt" in recorded:
        bodies = [exchange["request_body"], *(request["body"] for request in exchange.get("before", ()))]
        check_room(response.json(), recorded, given_times(bodies), rooms[-1] if rooms else None)
    else:
        assert canonical(response.json()) == canonical(recorded)


def canonical(value: object) -> str:
    """The JSON as text, because ``True == 1`` in Python."""
    return json.dumps(value, sort_keys=True)


def given_times(bodies: list[Json | None]) -> set[int]:
    return {ticks(body[name]) for body in bodies for name in TIMES[1:] if body and body.get(name)}


def check_room(room: Json, recorded: Json, given: set[int], created: Json | None) -> None:
    """Compare the room with the recorded one.

    The times in ``given``, which a request set, must be equal. The other times must be as far apart as recorded.
    """
    assert room.keys() == recorded.keys()
    assert ROOM_ID.fullmatch(room["id"])
    if created:
        assert room["id"] == created["id"]
    else:
        earliest = ticks(recorded["createdAt"]) - TICKS_PER_SECOND
        assert earliest < ticks(room["createdAt"]) <= time.time_ns() // 100
    assert room.get("pstnDialOutEnabled") is recorded.get("pstnDialOutEnabled")
    made = []
    for name in TIMES:
        assert TIME_FORMAT.fullmatch(room[name])
        if ticks(recorded[name]) in given:
            assert room[name] == recorded[name]
        else:
            assert created is None or room[name] == created[name]
            made.append(name)
    for first, second in pairwise(made):
        days, lag = days_apart(room[first], room[second])
        recorded_days, recorded_lag = days_apart(recorded[first], recorded[second])
        assert days == recorded_days
        assert (lag > 0) is (recorded_lag > 0)
        assert lag < TICKS_PER_SECOND


def days_apart(first: str, second: str) -> tuple[int, int]:
    """The days between two times, rounded up, and by how many ticks they were rounded."""
    distance = ticks(second) - ticks(first)
    return -(-distance // DAY), -distance % DAY


def check_listing(response: HttpResponse, exchange: Exchange, rooms: list[Json]) -> None:
    page = response.json()
    recorded = exchange["response_body"]
    assert page.keys() == recorded.keys()
    assert len(page["value"]) == exchange["listing"]["items"]
    seconds = [ticks(room["createdAt"]) // TICKS_PER_SECOND for room in page["value"]]
    assert seconds == sorted(seconds, reverse=True)
    newest = page["value"][: len(rooms)]
    for room, recorded_room, created in zip(newest, recorded["value"], reversed(rooms), strict=True):
        given = set() if has_default_times(recorded_room) else given_times([recorded_room])
        check_room(room, recorded_room, given, created)
    if "nextLink" in page:
        check_next_link(page["nextLink"], response.request.url)


def check_next_link(link: str, url: str) -> None:
    match = re.fullmatch(r"(.+)\?nextLink=([A-Za-z0-9]+)&(api-version=.+)", link)
    assert match
    assert f"{match[1]}?{match[3]}" == url
    assert len(match[2]) % 4 != 1
    json.loads(base64.b64decode(match[2] + "=" * (-len(match[2]) % 4)))


def check_headers(response: HttpResponse, exchange: Exchange) -> None:
    recorded = dict(exchange["response_headers"])
    recorded.pop("api-deprecated-versions", None)
    recorded |= CURRENT_HEADERS
    body = exchange["response_body"]
    if body and "details" in body.get("error", ()):
        del recorded["api-supported-versions"]
        recorded.pop("x-ms-error-code", None)
    if "Location" in recorded:
        recorded["Location"] = response.json()["id"]

    assert {name.lower() for name in response.headers} == {name.lower() for name in recorded}
    for name, value in recorded.items():
        assert response.headers[name] == value if value is not None else response.headers[name]
