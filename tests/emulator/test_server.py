"""Requests that are endless or malformed."""

import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from azure.communication.rooms.emulator import RoomsEmulator

from .calls import new_client


def memory() -> int:
    """Resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def endless(begin: bytes, more: bytes) -> Callable[[socket.socket], int]:
    """Return a function that sends until the emulator closes the connection, and returns the number of bytes sent."""

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
        assert send(connection) < 20_000_000  # at most what the sockets' buffers hold
    assert memory() - before < 50_000_000
    assert new_client(emulator).create_room().id


def test_malformed_request_after_delayed_one(emulator: RoomsEmulator) -> None:
    emulator.inject(delay=30)
    with socket.create_connection(("127.0.0.1", urlsplit(emulator.endpoint).port or 0), timeout=20) as connection:
        connection.sendall(b"GET /rooms HTTP/1.1\r\nHost: localhost\r\n\r\nThis is not HTTP.\r\n\r\n")
        assert connection.recv(65536) == b""  # an error would look like the response to the GET


def test_long_headers_get_431(emulator: RoomsEmulator) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(emulator.endpoint).port or 0), timeout=30) as connection:
        connection.sendall(START + b"X: " + b"x" * 128 * 1024)
        status_line, _, rest = connection.recv(65536).partition(b"\r\n")
        assert status_line == b"HTTP/1.1 431 Request Header Fields Too Large"
        assert b"connection: close" in rest
        assert connection.recv(65536) == b""
