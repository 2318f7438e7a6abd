import base64
import http.client
import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from azure.communication.rooms import CommunicationUserIdentifier, RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

from ..support.waiting import wait_for
from .calls import call, connect, days, host_of, new_client

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


def data_of(emulator: RoomsEmulator, query: str = "") -> Any:
    response, body = fetch(emulator, f"{DATA}?{query}")
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


def test_it_shows_how_to_connect_to_the_address_that_the_browser_uses(emulator: RoomsEmulator) -> None:
    _, body = fetch(emulator, DATA, {"Host": "localhost:9000"})
    data = json.loads(body)
    connection_string = f"endpoint=http://localhost:9000/;accesskey={DEVELOPMENT_ACCESS_KEY}"
    assert data["connectionString"] == connection_string
    assert f"export COMMUNICATION_SAMPLES_CONNECTION_STRING='{connection_string}'" in data["exports"].splitlines()
    assert "export COMMUNICATION_SAMPLES_ENDPOINT=http://localhost:9000" in data["exports"].splitlines()


def test_secrets_are_not_shown() -> None:
    key = base64.b64encode(b"a key of the user").decode()
    with RoomsEmulator(access_key=key, bearer_token="the-token") as emulator, new_client(emulator) as client:
        call(client, "GET", "/rooms", headers={"x-secret": "the-header"})
        call(client, "POST", "/teamsUser/:exchangeAccessToken", {"token": "the-body"})
        fetch(emulator, "/rooms", {"Authorization": "Bearer the-token"})
        scopes = {"createTokenWithScopes": ["voip"]}
        issued = call(client, "POST", "/identities", scopes, version="2023-10-01").json()["accessToken"]["token"]
        data = data_of(emulator)
    assert data["connectionString"].endswith("/;accesskey=<your access key>")
    assert "accesskey=<your access key>'" in data["exports"]
    assert data["calls"][2]["body"] == "Not shown: it contains a token."
    assert json.loads(data["calls"][0]["response"])["accessToken"]["token"] == "(not shown)"
    for secret in ("the-token", "the-header", "the-body", key, issued, "Signature"):
        assert secret not in json.dumps(data)


def test_call_has_its_response_its_duration_and_the_id_it_created(emulator: RoomsEmulator, client: RoomsClient) -> None:
    room_id = client.create_room().id
    user_id = call(client, "POST", "/identities", {}, version="2023-10-01").json()["identity"]["id"]
    client.get_room(room_id)
    emulator.inject(status=201, body=b'{"id": "1"}')
    call(client, "POST", "/rooms", {})
    injected, get, identity, create = data_of(emulator)["calls"]
    assert [injected["createdId"], get["createdId"]] == [None, None]
    assert [identity["createdId"], create["createdId"]] == [user_id, room_id]
    assert json.loads(create["response"])["id"] == room_id
    assert create["duration"] == emulator.requests[0].duration


def test_calls_are_filtered(emulator: RoomsEmulator, client: RoomsClient) -> None:
    room_id = client.create_room().id
    call(client, "GET", "/rooms/404")
    emulator.inject(truncate=True)
    emulator.inject(drop="before")
    client.get_room(room_id)
    assert [entry["path"] for entry in data_of(emulator, "errors=1")["calls"]] == [f"/rooms/{room_id}", "/rooms/404"]
    assert [entry["path"] for entry in data_of(emulator, "path=S/4")["calls"]] == ["/rooms/404"]


def test_rooms_are_sorted_and_paged(emulator: RoomsEmulator, client: RoomsClient) -> None:
    assert data_of(emulator)["nextOpening"] is None
    early, late = (new_room(client, start=start, end=3 * HOUR) for start in (HOUR, 2 * HOUR))
    open_room = new_room(client)
    data = data_of(emulator, "sort=opening")
    assert [room["id"] for room in data["rooms"]] == [open_room, early, late]
    assert data["nextOpening"] == data["rooms"][1]["validFrom"]
    assert [room["id"] for room in data_of(emulator, "page=" + "9" * 5000)["rooms"]] == [open_room, late, early]


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
    assert [attempt["status"] for attempt in create["attempts"]] == ["503", "503", "201"]
    assert [attempt["fault"] for attempt in create["attempts"]] == ["status=503", "status=503", None]
    assert [attempt["status"] for attempt in listing["attempts"]] == ["closed", "200"]
    assert [len(call["attempts"]) for call in others] == [1, 1, 1, 1]


def test_long_history_is_cut_off(emulator: RoomsEmulator, client: RoomsClient) -> None:
    for number in range(51):
        fetch(emulator, f"/{number}" + "x" * 400)
    call(client, "POST", "/rooms", "ü" * 5000)
    calls = data_of(emulator)["calls"]
    assert len(calls) == 50
    assert len(calls[0]["body"]) < 8100
    assert calls[0]["body"].endswith("…\n(30,002 bytes in all)")
    assert calls[1]["path"] == "/50" + "x" * 297 + "…"


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"status": 429, "retry_after": 2}, "status=429, retry_after=2"),
        ({"status": 200, "body": b"{}"}, "status=200, body=b'{}'"),
        ({"drop": "after", "delay": 1.5}, "drop=after, delay=1.5"),
        ({"truncate": True, "after": 2, "probability": 0.5}, "truncate=True, after=2, probability=0.5"),
    ],
)
def test_pending_faults(emulator: RoomsEmulator, fault: dict[str, Any], text: str) -> None:
    emulator.inject(**fault)
    emulator.inject(**fault, method="POST", path="/rooms/*", times=3)
    assert data_of(emulator)["pendingFaults"] == [
        {"text": f"{text}, 1 left", "target": "any request"},
        {"text": f"{text}, 3 left", "target": "POST /rooms/*"},
    ]


def test_delayed_request_is_waiting(emulator: RoomsEmulator) -> None:
    emulator.inject(delay=60)
    with connect(emulator) as connection:
        connection.sendall(b"GET /rooms HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for(lambda: emulator.requests)
        [[attempt]] = [call["attempts"] for call in data_of(emulator)["calls"]]
        emulator.reset()
    assert (attempt["status"], attempt["fault"]) == ("waiting", "delay=60")


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
