"""The emulator's own HTTP API."""

import json
import sqlite3
from contextlib import closing
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import Fault, ReceivedRequest, RoomsEmulator

from ..recorded.live import read_time
from .calls import call

JSON = {"Content-Type": "application/json"}


def send(emulator: RoomsEmulator, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
    """The status code and the error's message."""
    data = body if isinstance(body, str) else json.dumps(body)
    all_headers = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    response = requests.request(method, f"{emulator.endpoint}{path}", data=data, headers=all_headers, timeout=30)
    assert "Access-Control-Allow-Origin" not in response.headers
    return response.status_code, response.json()["error"]["message"] if response.text else ""


def fetch(emulator: RoomsEmulator, name: str) -> Any:
    return requests.get(f"{emulator.endpoint}/_emulator/{name}", timeout=30).json()


def test_inject(emulator: RoomsEmulator, client: RoomsClient) -> None:
    fault = {"status": 503, "times": 2, "path": "/rooms", "method": "GET", "body": "<é>", "retry_after": 0}
    assert send(emulator, "POST", "/_emulator/faults", fault) == (204, "")
    assert emulator.pending_faults == [
        Fault(status=503, times=2, path="/rooms", method="GET", body="<é>".encode(), retry_after=0)
    ]
    response = call(client, "GET", "/rooms")
    assert (response.status_code, response.content) == (503, "<é>".encode())
    assert [request.path for request in emulator.requests] == ["/rooms"]


def test_health(emulator: RoomsEmulator) -> None:
    assert fetch(emulator, "health") == {"status": "ok"}


def test_faults_that_still_apply(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(body=b"<", times=3, after=2, path="/rooms")
    for _ in range(3):
        call(client, "GET", "/rooms")
    [fault] = fetch(emulator, "faults")
    assert (fault["body"], fault["times"], fault["after"], fault["path"]) == ("<", 2, 0, "/rooms")


def test_requests(emulator: RoomsEmulator, client: RoomsClient) -> None:
    room = client.create_room()
    emulator.inject(status=503)
    call(client, "GET", "/rooms/é")
    created, failed = fetch(emulator, "requests")
    assert created.keys() == {field.name for field in fields(ReceivedRequest)}
    assert (created["method"], created["path"], created["status_code"], created["body"]) == (
        "POST",
        "/rooms",
        201,
        "{}",
    )
    assert json.loads(created["response_body"])["id"] == room.id
    assert (failed["path"], failed["reason"], failed["fault"]["status"]) == ("/rooms/%C3%A9", "an injected fault", 503)


def test_remove_faults(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(status=503, times=5)
    assert call(client, "GET", "/rooms").status_code == 503
    assert send(emulator, "DELETE", "/_emulator/faults") == (204, "")
    assert call(client, "GET", "/rooms").status_code == 200


def test_advance(emulator: RoomsEmulator, client: RoomsClient) -> None:
    before = client.create_room().created_at
    assert send(emulator, "POST", "/_emulator/clock", {"delta": 86400.5}) == (204, "")
    created_at = client.create_room().created_at
    assert created_at - before > timedelta(days=1, seconds=0.5)
    clock = fetch(emulator, "clock")
    assert clock["ahead"] == 86400.5
    assert read_time(clock["now"]) >= created_at


def test_reset(emulator: RoomsEmulator, client: RoomsClient) -> None:
    client.create_room()
    emulator.inject(status=503)
    assert send(emulator, "POST", "/_emulator/reset", "") == (204, "")
    assert (emulator.requests, emulator.pending_faults) == ([], [])
    assert list(client.list_rooms()) == []


def test_delete_room(emulator: RoomsEmulator, client: RoomsClient) -> None:
    room = client.create_room()
    assert send(emulator, "DELETE", f"/_emulator/rooms/{room.id}") == (204, "")
    assert list(client.list_rooms()) == []
    assert send(emulator, "DELETE", "/_emulator/rooms/1")[0] == 404


def test_locked_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure.communication.rooms.emulator._store._BUSY_TIMEOUT", 0.05)
    path = tmp_path / "rooms.db"
    with RoomsEmulator(database=str(path)) as emulator, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert send(emulator, "POST", "/_emulator/reset", {}) == (503, "The database failed: database is locked")


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("faults", {"status": 99}, "status must be from 200 to 599, not 99"),
        ("faults", {"status": "503"}, "status must be an integer, not '503'"),
        ("faults", {"status": 503, "body": {}}, "body must be a string"),
        ("faults", {"statuss": 503}, "'statuss' is not a member here; the members are: status, retry_after, "),
        ("faults", {}, "nothing to inject"),
        ("clock", {"delta": -1}, "the clock can only move forward"),
        ("clock", {"delta": 1e300}, "too large"),
        ("clock", {"delta": "1"}, "delta must be a number of seconds"),
        ("clock", {}, "delta must be a number of seconds"),
        ("reset", {"rooms": True}, "'rooms' is not a member here; the members are: none"),
        ("reset", [], "the request's body must be a JSON object"),
        ("reset", "{", "Expecting property name"),
        ("reset", "[" * 100_000, "the JSON is nested too deeply"),
        ("clock", '{"delta": NaN}', "NaN is not JSON"),
    ],
)
def test_invalid_arguments(emulator: RoomsEmulator, path: str, body: Any, message: str) -> None:
    status_code, text = send(emulator, "POST", f"/_emulator/{path}", body)
    assert status_code == 400
    assert message in text
    assert emulator.pending_faults == []


@pytest.mark.parametrize(
    ("method", "headers", "status_code"),
    [
        ("POST", {"Content_Type": "text/plain"}, 415),
        ("POST", {"Content_Type": ""}, 415),
        ("POST", {"Origin": "https://evil.example"}, 403),
        ("POST", {"Origin": "null"}, 403),
        ("DELETE", {"Sec_Fetch_Site": "cross-site"}, 403),
        ("OPTIONS", {"Origin": "https://evil.example", "Access_Control_Request_Method": "DELETE"}, 403),
        ("POST", {"Host": "evil.example"}, 421),
        ("PUT", {}, 405),
    ],
)
def test_other_web_pages_are_refused(
    emulator: RoomsEmulator, method: str, headers: dict[str, str], status_code: int
) -> None:
    emulator.inject(status=500)
    assert send(emulator, method, "/_emulator/faults", {"status": 503}, **headers)[0] == status_code
    assert emulator.pending_faults == [Fault(status=500)]
