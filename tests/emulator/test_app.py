import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import HttpResponseError

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .calls import call, get, message, new_client

LISTEN_ALL = "0.0.0.0"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8787", "127.0.0.1.evil.example", "localhost.", "[::1]", "192.0.2.1", "", "*"]
)
def test_foreign_hosts_are_refused(emulator: RoomsEmulator, host: str) -> None:
    emulator.inject(status=500)
    status_code, body = get(emulator, {"Host": host})
    assert (status_code, body["error"]["code"]) == (421, "MisdirectedRequest")
    assert body["error"]["message"].startswith(f"The emulator does not serve the host {host!r}.")
    assert emulator.requests == []
    assert len(emulator.pending_faults) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "localhost", "LocalHost:8787"])
def test_own_hosts_are_served(emulator: RoomsEmulator, host: str) -> None:
    assert get(emulator, {"Host": host})[0] == 401


@pytest.mark.parametrize("host", ["rooms.test", "ROOMS.TEST:8787", "other.test", "127.0.0.1"])
def test_allowed_hosts_are_served(host: str) -> None:
    with RoomsEmulator(allowed_hosts=["Rooms.test", "other.test"]) as emulator:
        assert get(emulator, {"Host": host})[0] == 401
        assert get(emulator, {"Host": f"x{host}"})[0] == 421


def test_any_address_is_served_if_it_listens_on_all(monkeypatch: pytest.MonkeyPatch) -> None:
    create_server = socket.create_server
    monkeypatch.setattr(socket, "create_server", lambda address, **kwargs: create_server(("127.0.0.1", 0), **kwargs))
    with RoomsEmulator(host=LISTEN_ALL) as emulator:
        for host in ("192.0.2.1:8787", "[2001:db8::1]:8787", "localhost"):
            assert get(emulator, {"Host": host})[0] == 401
        assert get(emulator, {"Host": "evil.example"})[0] == 421


def test_localhost_is_also_called_by_its_address() -> None:
    with RoomsEmulator(host="localhost") as emulator:
        assert get(emulator, {"Host": "127.0.0.1:8787"})[0] == 401


@pytest.mark.parametrize(("method", "path", "status_code"), [("PUT", "", 405), ("DELETE", "", 405), ("GET", "x", 404)])
def test_unknown_method_or_path(client: RoomsClient, method: str, path: str, status_code: int) -> None:
    response = call(client, method, f"/rooms{path}")
    assert response.status_code == status_code
    assert message(response)
    assert response.headers.get("Allow") == ("GET, HEAD, POST" if status_code == 405 else None)


def test_slash_in_a_room_id(client: RoomsClient) -> None:
    response = call(client, "GET", f"/rooms/{client.create_room().id}%2Fparticipants")
    assert message(response) == "Invalid room ID length."


def test_database_failure(
    client: RoomsClient, running_emulator: RoomsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**values: object) -> None:
        raise sqlite3.OperationalError("disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(running_emulator._started().store, "add_room", fail)
        with pytest.raises(HttpResponseError, match=r"\(ServiceUnavailable\) The database failed: disk is full"):
            client.create_room(retry_total=0)
    assert client.create_room().id


def memory() -> int:
    """Resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def endless(begin: bytes, more: bytes) -> Callable[[socket.socket], int]:
    """Send until the emulator closes the connection. Returns the bytes that were sent."""

    def send(connection: socket.socket) -> int:
        sent = connection.send(begin)
        try:
            while sent < 100_000_000:
                sent += connection.send(more)
        except ConnectionError:
            pass
        return sent

    return send


START = b"POST /rooms?api-version=2025-03-13 HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "send",
    [
        endless(START + b"X: ", b"x" * 65536),
        endless(START + b"X", b"x" * 65536),
        endless(START, b"X: y\r\n" * 10_000),
        endless(b"GET /", b"x" * 65536),
        endless(CHUNKED + b"2\r\n{}\r\n0\r\nX: ", b"x" * 65536),
        endless(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 10_000),
        endless(CHUNKED + b"2;x=", b"x" * 65536),
    ],
    ids=["value", "name", "headers", "path", "trailer", "trailers", "chunk extension"],
)
def test_endless_headers_are_cut_off(emulator: RoomsEmulator, send: Callable[[socket.socket], int]) -> None:
    before = memory()
    with socket.create_connection(("127.0.0.1", urlsplit(emulator.endpoint).port or 0), timeout=30) as connection:
        assert send(connection) < 20_000_000  # what the sockets' buffers hold, at most
    assert memory() - before < 50_000_000
    assert new_client(emulator).create_room().id


def test_long_head_is_431(emulator: RoomsEmulator) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(emulator.endpoint).port or 0), timeout=30) as connection:
        connection.sendall(START + b"X: " + b"x" * 128 * 1024)
        status_line, _, rest = connection.recv(65536).partition(b"\r\n")
        assert status_line == b"HTTP/1.1 431 Request Header Fields Too Large"
        assert b"connection: close" in rest
        assert connection.recv(65536) == b""
