"""The server: TLS, unusual requests, unusual programs around it, and how it stops."""

import ssl
import subprocess
import sys
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta, timezone

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.core.rest import HttpRequest
from freezegun import freeze_time

from azure.communication.rooms.emulator import RoomsEmulator

from ..support.waiting import wait_for
from .calls import ROOMS, connect, host_of, new_client, receive_all, signed_headers

USER_WITH_TOKEN = HttpRequest("POST", "/identities?api-version=2023-10-01", json={"createTokenWithScopes": ["voip"]})
START = b"POST /rooms?api-version=2025-03-13 HTTP/1.1\r\nHost: localhost\r\n"


def test_tls_on_an_http_port_is_explained(emulator: RoomsEmulator, caplog: pytest.LogCaptureFixture) -> None:
    with connect(emulator) as connection, pytest.raises((ssl.SSLError, ConnectionError)):
        ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")
    assert "turn TLS on with --tls or RoomsEmulator(tls=True)" in caplog.text


def test_stop_does_not_wait_for_clients(caplog: pytest.LogCaptureFixture) -> None:
    with RoomsEmulator(tls=True) as emulator, ExitStack() as stack:
        context = ssl.create_default_context(cafile=emulator.ca_file)
        connections = [stack.enter_context(connect(emulator)) for _ in range(3)]
        idle, incomplete, delayed = (
            stack.enter_context(context.wrap_socket(connection, server_hostname="127.0.0.1"))
            for connection in connections
        )
        incomplete.sendall(START + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{")
        assert incomplete.recv(12) == b"HTTP/1.1 100"
        emulator.inject(delay=3600)
        delayed.sendall(b"GET /rooms HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for(lambda: emulator.requests)
        emulator.stop()
        for connection in (idle, incomplete, delayed):
            with suppress(ConnectionError, ssl.SSLError):
                assert b"HTTP/1.1" not in receive_all(connection)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_frozen_time() -> None:
    with ExitStack() as stack:
        with freeze_time("2031-01-01"):
            emulator = stack.enter_context(RoomsEmulator(any_date=True))
        client = new_client(emulator)
        for year in (2031, 2021):
            with freeze_time(now := datetime(year, 1, 1, tzinfo=timezone.utc)):
                emulator.inject(delay=0.01)
                emulator.advance(timedelta(days=1))
                closes = now + timedelta(days=170)
                created_at = client.create_room(valid_until=closes).created_at
                assert timedelta(days=1) <= created_at - now < timedelta(days=1, minutes=1)
                token = client.send_request(USER_WITH_TOKEN).json()["accessToken"]
                assert token["expiresOn"].startswith(f"{year}-01-02T00:00:")
                emulator.reset()
        assert datetime.now(timezone.utc) - client.create_room().created_at < timedelta(minutes=1)


def test_time_that_is_frozen_in_between(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "azure.communication.rooms.emulator")
    with RoomsEmulator() as emulator:
        client = new_client(emulator)
        client.create_room()
        with freeze_time("2031-01-01"), pytest.raises(ClientAuthenticationError):
            client.create_room()
        client.create_room()
    assert "seconds ahead; if that is intended, use --any-date or any_date" in caplog.text


def test_patched_asyncio() -> None:
    program = """
import asyncio, nest_asyncio
from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

nest_asyncio.apply()

async def main():
    with RoomsEmulator() as emulator, RoomsClient.from_connection_string(emulator.connection_string) as client:
        client.create_room()

asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_start_raises_what_ends_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise OSError("no more files")

    monkeypatch.setattr("uvicorn.Server.startup", fail)
    with pytest.raises(OSError, match="no more files"):
        RoomsEmulator().start()


def exchange(emulator: RoomsEmulator, request: bytes) -> bytes:
    with connect(emulator) as connection:
        connection.sendall(request)
        return receive_all(connection)


def test_head_is_bounded(emulator: RoomsEmulator) -> None:
    assert exchange(emulator, START + b"X: " + b"x" * 100_000).startswith(b"HTTP/1.1 400 ")


def test_two_hosts_are_refused(emulator: RoomsEmulator) -> None:
    assert exchange(emulator, START + b"Host: localhost\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_offer_of_http_2_keeps_the_body(emulator: RoomsEmulator) -> None:
    """Java's HttpClient makes this offer with its first request."""
    headers = {
        **signed_headers(emulator, method="POST", body=b"{}"),
        "Host": host_of(emulator),
        "Content-Type": "application/json",
        "Content-Length": "2",
        "Connection": "Upgrade, HTTP2-Settings, close",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAEAAEAAAAIAAAAB",
    }
    lines = [f"POST {ROOMS} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    request = "\r\n".join([*lines, "", "{}"]).encode()
    assert exchange(emulator, request).startswith(b"HTTP/1.1 201 ")
