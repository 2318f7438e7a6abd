"""The server: endless, pipelined and malformed requests, and how it stops."""

import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from azure.communication.rooms.emulator import RoomsEmulator

from ..support.certificates import Certificates
from ..support.faults import BROKEN_CONNECTIONS
from ..support.waiting import wait_for
from .calls import connect, new_client, receive_all


def memory() -> int:
    """Resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def endless(begin: bytes, more: bytes) -> Callable[[socket.socket], int]:
    """Return a function that sends until the emulator closes the connection. It returns the number of bytes sent."""

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
        endless(CHUNKED, b"1;x=" + b"x" * 60_000 + b"\r\n{\r\n"),
        endless(CHUNKED, b"1\r\n{\r\n" * 10_000),
        endless(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        endless(CHUNKED.replace(b"localhost", b"evil.example"), b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    ],
    ids=[
        "value",
        "name",
        "headers",
        "path",
        "trailer",
        "trailers",
        "chunk extension",
        "chunk extensions",
        "small chunks",
        "chunks",
        "rejected request",
    ],
)
def test_endless_requests_are_cut_off(emulator: RoomsEmulator, send: Callable[[socket.socket], int]) -> None:
    before = memory()
    with connect(emulator) as connection:
        assert send(connection) < 40_000_000  # the limit plus the sockets' buffers
    assert memory() - before < 50_000_000
    assert new_client(emulator).create_room().id


def test_pipelined_requests_use_little_memory(emulator: RoomsEmulator) -> None:
    before = memory()
    with connect(emulator) as connection:
        connection.settimeout(1)
        with suppress(TimeoutError):
            for _ in range(1000):
                connection.sendall(b"GET / HTTP/1.1\r\n\r\n" * 1000)
        assert memory() - before < 50_000_000
    assert new_client(emulator).create_room().id


def test_responses_are_in_request_order(emulator: RoomsEmulator) -> None:
    emulator.inject(delay=0.1, body=b"0", path="/0")
    for number in range(1, 1000):
        emulator.inject(body=b"%d" % number, path=f"/{number}")
    body = b"x" * 3000  # more than the server parses at once
    with connect(emulator) as connection:
        for number in range(1000):
            head = b"POST /%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
            close = b"Connection: close\r\n" if number == 999 else b""
            connection.sendall(head % (number, len(body)) + close + b"\r\n" + body)
        bodies = [response.rpartition(b"\r\n\r\n")[2] for response in receive_all(connection).split(b"\r\n0\r\n\r\n")]
    assert bodies == [b"%x\r\n%d" % (len(str(number)), number) for number in range(1000)] + [b""]


@pytest.mark.parametrize(
    "malformed",
    [
        b"This is not HTTP.\r\n\r\n",
        CHUNKED + b"This is not a chunk.\r\n",
        b"GET /rooms HTTP/1.1\r\nHost: localhost\r\n\r\n" + CHUNKED + b"This is not a chunk.\r\n",
    ],
    ids=["head", "body", "body of third request"],
)
def test_malformed_request_after_delayed_one(emulator: RoomsEmulator, malformed: bytes) -> None:
    emulator.inject(delay=30)
    with connect(emulator) as connection:
        connection.sendall(b"GET /rooms HTTP/1.1\r\nHost: localhost\r\n\r\n" + malformed)
        assert receive_all(connection) == b""  # an error would look like the response to the GET


@pytest.mark.parametrize("split", [0, 1, 60, 90, 100])
def test_upgrade_is_ignored(emulator: RoomsEmulator, split: int) -> None:
    body = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    request = b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: %d\r\n\r\n"
    data = request % len(body) + body
    with connect(emulator) as connection:
        for _ in range(2):
            connection.sendall(data[:split])
            connection.sendall(data[split:])
        wait_for(lambda: len(emulator.requests) == 2)
        assert connection.recv(12) == b"HTTP/1.1 401"
    assert [(request.path, request.body) for request in emulator.requests] == [("/", body)] * 2


def test_connect_is_rejected(emulator: RoomsEmulator) -> None:
    with connect(emulator) as connection:
        connection.sendall(b"CONNECT /rooms HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        assert receive_all(connection).startswith(b"HTTP/1.1 400 Bad Request")
    assert emulator.requests == []


@pytest.mark.parametrize("fault", BROKEN_CONNECTIONS)
def test_fault_discards_queued_requests(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    with RoomsEmulator() as emulator:
        emulator.inject(**BROKEN_CONNECTIONS[fault].arguments)
        with connect(emulator) as connection, suppress(ConnectionError):
            connection.sendall(b"GET /rooms HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
            assert b"0\r\n\r\n" not in receive_all(connection)
    assert len(emulator.requests) == 1
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_long_headers_get_431(emulator: RoomsEmulator) -> None:
    with connect(emulator) as connection:
        connection.sendall(START + b"X: " + b"x" * 128 * 1024)
        status_line, _, rest = receive_all(connection).partition(b"\r\n")
    assert status_line == b"HTTP/1.1 431 Request Header Fields Too Large"
    assert b"connection: close" in rest


def test_stop_does_not_wait_for_clients(certificates: Certificates, caplog: pytest.LogCaptureFixture) -> None:
    context = ssl.create_default_context(cafile=certificates.authority)
    with RoomsEmulator(certfile=certificates.certfile, keyfile=certificates.keyfile) as emulator, ExitStack() as stack:
        without_handshake, idle, incomplete = (stack.enter_context(connect(emulator)) for _ in range(3))
        idle = stack.enter_context(context.wrap_socket(idle, server_hostname="127.0.0.1"))
        incomplete = stack.enter_context(context.wrap_socket(incomplete, server_hostname="127.0.0.1"))
        incomplete.sendall(START + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{")
        assert incomplete.recv(12) == b"HTTP/1.1 100"
        emulator.stop()
        for connection in (without_handshake, idle, incomplete):
            with suppress(ConnectionError, ssl.SSLError):
                assert b"HTTP/1.1" not in receive_all(connection)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
