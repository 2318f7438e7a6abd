"""What the emulator responds and logs, apart from the operations of the services."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.rest import HttpRequest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .calls import ROOMS, call, details, get, host_of, message, new_client, signed_headers


def test_body_over_1_mb(emulator: RoomsEmulator, client: RoomsClient) -> None:
    response = call(client, "POST", "/rooms", "x" * 3_000_000)
    assert (response.status_code, message(response)) == (413, "The request's body is larger than 1 MB.")
    assert len(emulator.requests[-1].body) < 2_000_000
    assert client.create_room().id


def test_log_gives_the_reason(emulator: RoomsEmulator, client: RoomsClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "azure.communication.rooms.emulator"):
        call(client, "GET", f"/rooms/{'9' * 17}")
        call(client, "POST", "/rooms", {"validFrom": "today"})
        call(client, "POST", "/rooms", {"participants": {"\ud800\n": None}})
        faults: list[dict[str, Any]] = [{"drop": "before"}, {"drop": "after"}, {"truncate": True}]
        for fault in faults:
            emulator.inject(**fault)
            with pytest.raises(AzureError):
                call(client, "GET", "/rooms")
    logged = [record.message for record in caplog.records if record.name == "azure.communication.rooms.emulator"]
    patterns = [
        r"GET /rooms/9{17} 404 .*: The server cannot find the requested resource\.",
        r"POST /rooms 400 .*: .*\$\.validFrom\.",
        r"POST /rooms 400 .*: .*\\ud800.*",
        "GET /rooms - .*: the connection was closed before execution",
        "GET /rooms - .*: the connection was closed after execution",
        "GET /rooms 200 .*: the response was cut in half",
    ]
    for line, pattern in zip(logged, patterns, strict=True):
        assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ {pattern}", line)


def test_request_has_the_reason(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(status=503)
    call(client, "GET", "/rooms")
    call(client, "GET", "/rooms/1")
    call(client, "GET", "/rooms")
    assert [request.reason for request in emulator.requests] == ["an injected fault", "Invalid room ID length.", None]


def test_database_failure(tmp_path: Path) -> None:
    with RoomsEmulator(database=str(tmp_path / "rooms.db")) as emulator:
        client = new_client(emulator)
        connection = sqlite3.connect(tmp_path / "rooms.db")
        connection.execute("DROP TABLE repeatable_requests")
        connection.close()
        with pytest.raises(HttpResponseError, match=r"\(ServiceUnavailable\) The database failed: no such table"):
            client.create_room()


@pytest.mark.parametrize(
    "body",
    [b"", b"{}{}", b'{"validFrom": ', b'{"x": ' + b"[" * 100_000, b'{"validFrom": NaN}', b"\0", b'{"\xff": 1}',
     b'{"validFrom": ' + b"9" * 5000 + b"}", '{"validFrom": null}'.encode("utf-16")],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_body_that_is_not_json(client: RoomsClient, body: bytes) -> None:
    request = HttpRequest("POST", ROOMS, headers={"Content-Type": "application/json"}, content=body)
    assert details(client.send_request(request)) == [("The request's body is not JSON.", "$")]


def test_client_that_signs_the_host_without_its_port(emulator: RoomsEmulator, client: RoomsClient) -> None:
    """As Microsoft's client for Java does, whose Host header has no port either."""
    for _ in range(4):  # two pages
        client.create_room()
    for host in ("127.0.0.1", host_of(emulator)):
        status_code, body = get(emulator, {"Host": host, **signed_headers(emulator, host="127.0.0.1")})
        assert status_code == 200
        assert body["nextLink"].startswith(f"{emulator.endpoint}/rooms?")


def test_localhost_keeps_http(emulator: RoomsEmulator) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string.replace("127.0.0.1", "localhost"))
    assert "Strict-Transport-Security" not in call(client, "GET", "/rooms").headers
