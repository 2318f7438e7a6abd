import base64
import http.client
import json
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError

from azure.communication.rooms import CommunicationUserIdentifier, RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from ..support.waiting import wait_for
from .calls import call, days, host_of, new_client

PATHS = ["/_emulator", "/_emulator/", "/_emulator/page.css", "/_emulator/page.js", "/_emulator/icon.svg"]
DATA = "/_emulator/data"
HOUR = timedelta(hours=1)


def fetch(
    emulator: RoomsEmulator, path: str, headers: Mapping[str, str] = {}, method: str = "GET", body: bytes = b""
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(host_of(emulator), timeout=30)
    try:
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def data_of(emulator: RoomsEmulator) -> Any:
    response, body = fetch(emulator, DATA)
    assert response.status == 200
    return json.loads(body)


def new_id() -> str:
    return f"8:acs:{uuid.uuid4()}_{uuid.uuid4()}"


def new_room(client: RoomsClient, *raw_ids: str, start: timedelta = -HOUR, end: timedelta = HOUR) -> str:
    """Create a room that opens at ``start`` and closes at ``end``, both relative to now. Return its ID."""
    now = datetime.now(timezone.utc)
    participants = [RoomParticipant(CommunicationUserIdentifier(raw_id), "Presenter") for raw_id in raw_ids]
    return client.create_room(valid_from=now + start, valid_until=now + end, participants=participants).id


@pytest.mark.parametrize("path", PATHS)
def test_assets_are_served(emulator: RoomsEmulator, path: str) -> None:
    response, body = fetch(emulator, path)
    assert response.status == 200
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert fetch(emulator, path, method="HEAD")[0].headers["Content-Length"] == str(len(body)) != "0"


def test_root_redirects_only_browsers(emulator: RoomsEmulator) -> None:
    response, _ = fetch(emulator, "/", {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (response.status, response.headers["Location"]) == (302, "/_emulator")
    assert fetch(emulator, "/", {"Accept": "application/json"})[0].status == 401


@pytest.mark.parametrize("path", [*PATHS, DATA])
def test_other_web_pages_are_rejected(emulator: RoomsEmulator, path: str) -> None:
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ):
        assert fetch(emulator, path, headers)[0].status == 403
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    is_document = path.rstrip("/") == "/_emulator"
    assert fetch(emulator, path, link)[0].status == (200 if is_document else 403)
    own = {"Sec-Fetch-Site": "same-origin", "Origin": emulator.endpoint}
    assert fetch(emulator, path, own)[0].status == 200
    assert fetch(emulator, path, own, method="POST")[0].status == 405


def test_page_does_not_use_up_faults(emulator: RoomsEmulator) -> None:
    emulator.inject(status=500)
    for path in ["/", *PATHS, DATA]:
        fetch(emulator, path, {"Accept": "text/html"})
    assert emulator.requests == []
    assert len(emulator.pending_faults) == 1


def test_secrets_are_not_shown() -> None:
    key = base64.b64encode(b"a key of the user").decode()
    with RoomsEmulator(access_key=key, bearer_token="the-token") as emulator, new_client(emulator) as client:
        call(client, "GET", "/rooms", headers={"x-secret": "the-header"})
        call(client, "POST", "/teamsUser/:exchangeAccessToken", {"token": "the-body"})
        fetch(emulator, "/rooms", {"Authorization": "Bearer the-token"})
        _, data = fetch(emulator, DATA)
    assert [call["body"] for call in json.loads(data)["calls"]] == ["", "Not shown, because it contains a token.", ""]
    for secret in ("the-token", "the-header", "the-body", key, "Signature"):
        assert secret.encode() not in data


def test_attempts_with_same_id_are_one_call(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(status=503, times=2)
    client.create_room()
    emulator.inject(drop="after", method="GET")
    list(client.list_rooms())
    for path in ("/rooms/1", "/rooms/2"):
        call(client, "GET", path, headers={"x-ms-client-request-id": "1"})
    fetch(emulator, "/rooms")
    fetch(emulator, "/rooms")
    *others, listing, create = data_of(emulator)["calls"]
    assert [(attempt["status"], attempt["fault"]) for attempt in create["attempts"]] == [
        ("503", "status 503"),
        ("503", "status 503"),
        ("201", None),
    ]
    assert [attempt["status"] for attempt in listing["attempts"]] == ["closed", "200"]
    assert [call["attemptCount"] for call in others] == [1, 1, 1, 1]


def test_long_history_is_cut_off(emulator: RoomsEmulator, client: RoomsClient) -> None:
    for number in range(51):
        fetch(emulator, f"/{number}" + "x" * 400)
    for _ in range(21):
        call(client, "POST", "/rooms", "ü" * 5000, headers={"x-ms-client-request-id": "1"})
    calls = data_of(emulator)["calls"]
    assert len(calls) == 50
    assert (calls[0]["attemptCount"], len(calls[0]["attempts"])) == (21, 20)
    assert len(calls[0]["body"]) < 2100
    assert calls[0]["body"].endswith("…\n(30,002 bytes in all)")
    assert calls[1]["path"] == "/50" + "x" * 297 + "…"


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"status": 429, "retry_after": 2}, "status 429, Retry-After: 2"),
        ({"status": 200, "body": b"{}"}, "status 200, body of 2 bytes"),
        ({"drop": "after", "delay": 1.5}, "delay of 1.5 s, connection closed after execution"),
        ({"truncate": True}, "response cut in half"),
    ],
)
def test_pending_faults(emulator: RoomsEmulator, fault: dict[str, Any], text: str) -> None:
    emulator.inject(**fault)
    emulator.inject(**fault, method="POST", path="/rooms/*", times=3)
    assert data_of(emulator)["pendingFaults"] == [
        {"text": text, "target": "any request", "times": 1},
        {"text": text, "target": "POST /rooms/*", "times": 3},
    ]


def test_delayed_requests_are_waiting() -> None:
    with RoomsEmulator() as emulator, new_client(emulator) as client:
        emulator.inject(delay=60)
        with ThreadPoolExecutor() as executor:
            response = executor.submit(call, client, "GET", "/rooms")
            wait_for(lambda: emulator.requests)
            [waiting] = data_of(emulator)["calls"]
            emulator.stop()
        assert isinstance(response.exception(), ServiceResponseError)
    [attempt] = waiting["attempts"]
    assert (attempt["status"], attempt["fault"]) == ("waiting", "delay of 60 s")


def test_unchanged_data_gets_304(emulator: RoomsEmulator, client: RoomsClient) -> None:
    new_room(client)
    response, _ = fetch(emulator, DATA)
    condition = {"If-None-Match": response.headers["ETag"]}
    unchanged, body = fetch(emulator, DATA, condition)
    assert (unchanged.status, body) == (304, b"")
    emulator.advance(timedelta(days=1))
    changed, body = fetch(emulator, DATA, condition)
    assert (changed.status, json.loads(body)["rooms"][0]["state"]) == (200, "ended")
    assert changed.headers["Emulator-Time"] > days(0.9)
