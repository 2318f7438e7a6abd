import http.client
import json
import sqlite3
import threading
import uuid
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, Fault, RoomsEmulator

from ..support.waiting import wait_for
from .calls import ALICE, BOB, call, days, host_of, new_client

PATHS = ["/_emulator", "/_emulator/", "/_emulator/page.css", "/_emulator/page.js", "/_emulator/icon.svg"]
DATA = "/_emulator/data"


def fetch(
    emulator: RoomsEmulator, path: str, headers: Mapping[str, str] | None = None, *, method: str = "GET"
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(host_of(emulator), timeout=30)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def data_of(emulator: RoomsEmulator, query: str = "") -> Any:
    response, body = fetch(emulator, f"{DATA}?{query}")
    assert response.status == 200
    return json.loads(body)


def status_code(emulator: RoomsEmulator, path: str, headers: Mapping[str, str] | None = None) -> int:
    return fetch(emulator, path, headers)[0].status


def new_room(client: RoomsClient, start: float = 0, end: float = 1, **options: Any) -> str:
    """Create a room that opens ``start`` and closes ``end`` days from now. Return its ID."""
    response = call(client, "POST", "/rooms", {"validFrom": days(start), "validUntil": days(end), **options})
    room_id: str = response.json()["id"]
    return room_id


# The page and its assets


@pytest.mark.parametrize("path", PATHS)
def test_assets_are_served(emulator: RoomsEmulator, path: str) -> None:
    response, body = fetch(emulator, path)
    assert response.status == 200
    assert body
    assert fetch(emulator, path, method="HEAD")[0].headers["Content-Length"] == str(len(body))


def test_root_redirects_browsers(emulator: RoomsEmulator) -> None:
    response, _ = fetch(emulator, "/", {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (response.status, response.headers["Location"]) == (302, "/_emulator")


def test_root_is_the_api_for_other_clients(emulator: RoomsEmulator) -> None:
    response, body = fetch(emulator, "/", {"Accept": "application/json"})
    assert (response.status, json.loads(body)["error"]["code"]) == (401, "Denied")
    assert fetch(emulator, "/", {"Accept": "text/html"}, method="POST")[0].status == 401
    assert status_code(emulator, "/_emulators", {"Accept": "text/html"}) == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/_emulator", DATA])
def test_page_is_read_only(emulator: RoomsEmulator, path: str, method: str) -> None:
    response, _ = fetch(emulator, path, method=method)
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/_emulator/x", "/_emulator/../_page.py", "/_emulator/index.html", "/_emulator//"])
def test_unknown_paths(emulator: RoomsEmulator, path: str) -> None:
    assert status_code(emulator, path) == 404


# Access


@pytest.mark.parametrize("path", [*PATHS, DATA, "/_emulator/x", "/_emulator/data?page=x"])
def test_security_headers(emulator: RoomsEmulator, path: str) -> None:
    response, _ = fetch(emulator, path)
    headers = response.headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert headers["Cross-Origin-Resource-Policy"] == headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert not [name for name in headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("path", [*PATHS, DATA])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ],
    ids=str,
)
def test_other_origins_are_rejected(emulator: RoomsEmulator, path: str, headers: Mapping[str, str]) -> None:
    response, body = fetch(emulator, path, headers)
    assert (response.status, body) == (403, b"Other origins cannot read this page.")


@pytest.mark.parametrize("path", [*PATHS, DATA])
def test_own_origin_is_served(emulator: RoomsEmulator, path: str) -> None:
    assert status_code(emulator, path, {"Sec-Fetch-Site": "same-origin", "Origin": emulator.endpoint}) == 200
    assert status_code(emulator, path, {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}) == 200


def test_link_opens_page_but_not_data(emulator: RoomsEmulator) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert status_code(emulator, "/_emulator", link) == 200
    assert status_code(emulator, DATA, link) == 403


@pytest.mark.parametrize("path", ["/", *PATHS, DATA])
def test_other_hosts_are_rejected(emulator: RoomsEmulator, path: str) -> None:
    assert status_code(emulator, path, {"Host": "evil.example", "Accept": "text/html"}) == 421


def test_page_does_not_use_up_faults(emulator: RoomsEmulator) -> None:
    emulator.inject(status=500)
    for path in ["/", *PATHS, DATA]:
        fetch(emulator, path, {"Accept": "text/html"})
    assert emulator.requests == []
    assert len(emulator.pending_faults) == 1


def test_secrets_are_not_shown() -> None:
    with RoomsEmulator(bearer_token="the-token") as emulator, new_client(emulator) as client:
        call(client, "GET", "/rooms?sig=the-query", headers={"x-ms-client-request-id": "1", "x-secret": "the-header"})
        call(client, "POST", "/rooms", {"secret": "the-body"})
        fetch(emulator, "/rooms?api-version=2025-03-13", {"Authorization": "Bearer the-token"})
        _, data = fetch(emulator, DATA)
        assert [attempt["status"] for call in json.loads(data)["calls"] for attempt in call["attempts"]]
        for path in [*PATHS, DATA]:
            _, body = fetch(emulator, path)
            for secret in ("the-token", "the-query", "the-header", "the-body", DEVELOPMENT_ACCESS_KEY, "Signature"):
                assert secret.encode() not in body


# Rooms


def test_rooms_have_a_state(emulator: RoomsEmulator, client: RoomsClient) -> None:
    ended = new_room(client, -1, 1)
    emulator.advance(timedelta(days=2))
    is_open = new_room(client, 1, 3, pstnDialOutEnabled=True)
    upcoming = new_room(client, 3, 4)
    data = data_of(emulator)
    assert data["counts"] == {"upcoming": 1, "open": 1, "ended": 1}
    rooms = [(room["id"], room["state"], room["pstnDialOutEnabled"]) for room in data["rooms"]]
    assert rooms == [(upcoming, "upcoming", False), (is_open, "open", True), (ended, "ended", False)]


def test_rooms_match_api(emulator: RoomsEmulator, client: RoomsClient) -> None:
    room = call(client, "GET", f"/rooms/{new_room(client)}").json()
    [shown] = data_of(emulator)["rooms"]
    assert {name: shown[name] for name in room} == room


def test_participants_have_roles(emulator: RoomsEmulator, client: RoomsClient) -> None:
    new_room(client, participants={BOB: {"role": "Presenter"}, ALICE: {}})
    [room] = data_of(emulator)["rooms"]
    assert room["participants"] == [{"rawId": BOB, "role": "Presenter"}, {"rawId": ALICE, "role": "Attendee"}]
    assert room["hasMoreParticipants"] is False


def test_long_participant_list_is_cut_off(emulator: RoomsEmulator, client: RoomsClient) -> None:
    new_room(client, participants={f"8:acs:{number}": {} for number in range(101)})
    [room] = data_of(emulator)["rooms"]
    assert len(room["participants"]) == 100
    assert room["hasMoreParticipants"] is True


def test_deleted_rooms_are_not_shown(emulator: RoomsEmulator, client: RoomsClient) -> None:
    call(client, "DELETE", f"/rooms/{new_room(client)}")
    data = data_of(emulator)
    assert (data["rooms"], data["counts"]) == ([], {"upcoming": 0, "open": 0, "ended": 0})


def test_filter_by_state(emulator: RoomsEmulator, client: RoomsClient) -> None:
    new_room(client)
    upcoming = new_room(client, 1, 2)
    data = data_of(emulator, "state=upcoming")
    assert [room["id"] for room in data["rooms"]] == [upcoming]
    assert data["counts"] == {"upcoming": 1, "open": 1, "ended": 0}


def test_search_matches_part_of_id(emulator: RoomsEmulator, client: RoomsClient) -> None:
    first = new_room(client, participants={ALICE: {}, BOB: {}})
    second = new_room(client, participants={BOB: {}})
    found = {
        text: [room["id"] for room in data_of(emulator, f"search={text}")["rooms"]]
        for text in ("alice", "bob", first[2:], "%25", "_")
    }
    assert found == {"alice": [first], "bob": [second, first], first[2:]: [first], "%25": [], "_": [second, first]}


def test_pages_of_rooms(emulator: RoomsEmulator, client: RoomsClient) -> None:
    ids = [new_room(client) for _ in range(26)]
    pages = [data_of(emulator, f"page={page}") for page in (0, 1, 2, 3)]
    assert [(data["page"], data["pages"]) for data in pages] == [(1, 2), (1, 2), (2, 2), (2, 2)]
    assert [room["id"] for room in pages[1]["rooms"] + pages[2]["rooms"]] == ids[::-1]


@pytest.mark.parametrize("query", ["state=closed", "page=x", "page=-1", "page=1234567", "page=²", "page="])
def test_invalid_query(emulator: RoomsEmulator, query: str) -> None:
    assert status_code(emulator, f"{DATA}?{query.replace('²', '%C2%B2')}") == 400


# Requests and faults


def test_latest_requests_come_first(emulator: RoomsEmulator, client: RoomsClient) -> None:
    room_id = new_room(client)
    call(client, "DELETE", f"/rooms/{room_id}")
    calls = data_of(emulator)["calls"]
    assert [(call["method"], call["path"]) for call in calls] == [("DELETE", f"/rooms/{room_id}"), ("POST", "/rooms")]
    assert [call["attempts"][0]["status"] for call in calls] == ["204", "201"]
    received_at = datetime.fromisoformat(calls[0]["attempts"][0]["receivedAt"])
    assert received_at == emulator.requests[-1].received_at


def test_retries_are_attempts_of_one_call(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(status=503, times=2)
    client.create_room()
    emulator.inject(drop="after", method="GET")
    list(client.list_rooms())
    listing, create = data_of(emulator)["calls"]
    assert [(attempt["status"], attempt["fault"]) for attempt in create["attempts"]] == [
        ("503", "status 503"),
        ("503", "status 503"),
        ("201", None),
    ]
    assert [attempt["status"] for attempt in listing["attempts"]] == ["closed", "200"]


def test_new_attempt_moves_call_to_front(emulator: RoomsEmulator, client: RoomsClient) -> None:
    repeatable = {
        "Repeatability-Request-ID": str(uuid.uuid4()),
        "Repeatability-First-Sent": "Mon, 23 Nov 2026 12:00:00 GMT",
    }
    call(client, "POST", "/rooms", {}, headers=repeatable)
    call(client, "GET", "/rooms")
    call(client, "POST", "/rooms", {}, headers=repeatable)
    assert [(call["method"], call["attemptCount"]) for call in data_of(emulator)["calls"]] == [("POST", 2), ("GET", 1)]


def test_other_targets_are_separate_calls(emulator: RoomsEmulator, client: RoomsClient) -> None:
    same_id = {"x-ms-client-request-id": "1"}
    for path in ("/rooms", "/rooms?a=b", "/rooms/1"):
        call(client, "GET", path, headers=same_id)
    assert [call["attemptCount"] for call in data_of(emulator)["calls"]] == [1, 1, 1]


def test_requests_without_id_are_separate(emulator: RoomsEmulator) -> None:
    fetch(emulator, "/rooms")
    fetch(emulator, "/rooms")
    assert [call["attemptCount"] for call in data_of(emulator)["calls"]] == [1, 1]


def test_long_history_is_cut_off(emulator: RoomsEmulator, client: RoomsClient) -> None:
    for number in range(51):
        fetch(emulator, f"/{number}" + "x" * 400)
    for _ in range(21):
        call(client, "GET", "/rooms", headers={"x-ms-client-request-id": "1"})
    calls = data_of(emulator)["calls"]
    assert len(calls) == 50
    assert (calls[0]["attemptCount"], len(calls[0]["attempts"])) == (21, 20)
    assert calls[1]["path"] == "/50" + "x" * 297 + "…"


FAULT_TEXTS: list[tuple[dict[str, Any], str]] = [
    ({"status": 429, "retry_after": 2}, "status 429, Retry-After: 2"),
    ({"status": 200, "body": b"{}"}, "status 200, body of 2 bytes"),
    ({"drop": "before"}, "connection closed before execution"),
    ({"drop": "after", "delay": 1.5}, "delay of 1.5 s, connection closed after execution"),
    ({"truncate": True}, "response cut in half"),
]


def test_every_effect_has_a_text() -> None:
    effects = {field.name for field in fields(Fault)} - {"times", "method", "path"}
    assert {name for fault, _ in FAULT_TEXTS for name in fault} == effects


@pytest.mark.parametrize(("fault", "text"), FAULT_TEXTS, ids=str)
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
        thread = threading.Thread(target=call, args=(client, "GET", "/rooms"))
        thread.start()
        wait_for(lambda: emulator.requests)
        [waiting] = data_of(emulator)["calls"]
        emulator.stop()
        thread.join()
    [attempt] = waiting["attempts"]
    assert (attempt["status"], attempt["fault"]) == ("waiting", "delay of 60 s")


# Polling


def test_unchanged_data_gets_304(emulator: RoomsEmulator, client: RoomsClient) -> None:
    response, _ = fetch(emulator, DATA)
    condition = {"If-None-Match": response.headers["ETag"]}
    unchanged, body = fetch(emulator, DATA, condition)
    assert (unchanged.status, body) == (304, b"")
    new_room(client)
    assert status_code(emulator, DATA, condition) == 200


def test_data_changes_when_room_ends(emulator: RoomsEmulator, client: RoomsClient) -> None:
    new_room(client)
    response, _ = fetch(emulator, DATA)
    emulator.advance(timedelta(days=1))
    changed, body = fetch(emulator, DATA, {"If-None-Match": response.headers["ETag"]})
    assert (changed.status, json.loads(body)["rooms"][0]["state"]) == (200, "ended")


def test_emulator_time_is_sent(emulator: RoomsEmulator) -> None:
    emulator.advance(timedelta(days=10))
    response, _ = fetch(emulator, DATA)
    now = datetime.fromisoformat(response.headers["Emulator-Time"][:19] + "+00:00")
    assert timedelta(days=9) < now - datetime.now(timezone.utc) < timedelta(days=11)


def test_page_does_not_wait_for_writers(tmp_path: Path) -> None:
    file = tmp_path / "rooms.db"
    with RoomsEmulator(database=str(file)) as emulator, new_client(emulator) as client:
        new_room(client)
        writer = sqlite3.connect(file, isolation_level=None)
        writer.execute("BEGIN EXCLUSIVE")
        assert len(data_of(emulator)["rooms"]) == 1
        writer.close()


def test_database_failure_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "rooms.db"
    with RoomsEmulator(database=str(file)) as emulator:
        other = sqlite3.connect(file)
        other.execute("DROP TABLE participants")
        other.close()
        response, body = fetch(emulator, f"{DATA}?search=x")
    assert (response.status, body) == (503, b"The database failed: no such table: participants")
