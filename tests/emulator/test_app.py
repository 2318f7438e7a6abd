import socket
import sqlite3

import pytest
from azure.core.exceptions import HttpResponseError

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .calls import call, connect, get, message

LISTEN_ALL = "0.0.0.0"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8787", "127.0.0.1.evil.example", "localhost.", "[::1]", "192.0.2.1", "", "*"]
)
def test_other_hosts_are_rejected(emulator: RoomsEmulator, host: str) -> None:
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


def test_listening_on_all_allows_any_ip(monkeypatch: pytest.MonkeyPatch) -> None:
    create_server = socket.create_server
    monkeypatch.setattr(socket, "create_server", lambda address, **kwargs: create_server(("127.0.0.1", 0), **kwargs))
    with RoomsEmulator(host=LISTEN_ALL) as emulator:
        for host in ("192.0.2.1:8787", "[2001:db8::1]:8787", "localhost"):
            assert get(emulator, {"Host": host})[0] == 401
        assert get(emulator, {"Host": "evil.example"})[0] == 421


@pytest.mark.parametrize(
    ("target", "hosts", "status_code"),
    [
        (b"/rooms", [b"localhost"], 401),
        (b"/rooms", [], 421),
        (b"/rooms", [b"localhost", b"evil.example"], 421),
        (b"/rooms", [b"evil.example", b"localhost"], 421),
        (b"/rooms?u=http://evil.example/", [b"localhost"], 401),
        (b"http://localhost/rooms", [b"evil.example"], 401),
        (b"http://evil.example/rooms", [b"localhost"], 421),
    ],
)
def test_host_from_url_or_single_header(
    emulator: RoomsEmulator, target: bytes, hosts: list[bytes], status_code: int
) -> None:
    with connect(emulator) as connection:
        headers = b"".join(b"Host: %b\r\n" % host for host in hosts)
        connection.sendall(b"GET %b HTTP/1.1\r\n%b\r\n" % (target, headers))
        assert connection.recv(12) == b"HTTP/1.1 %d" % status_code


def test_localhost_allows_its_address() -> None:
    with RoomsEmulator(host="localhost") as emulator:
        assert get(emulator, {"Host": "127.0.0.1:8787"})[0] == 401


@pytest.mark.parametrize(("method", "path", "status_code"), [("PUT", "", 405), ("DELETE", "", 405), ("GET", "x", 404)])
def test_unknown_method_or_path(client: RoomsClient, method: str, path: str, status_code: int) -> None:
    response = call(client, method, f"/rooms{path}")
    assert response.status_code == status_code
    assert message(response)
    assert response.headers.get("Allow") == ("GET, HEAD, POST" if status_code == 405 else None)


def test_slash_in_room_id(client: RoomsClient) -> None:
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
