"""The server: TLS, and how it stops."""

import os
import ssl
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from azure.communication.rooms import ClientOptions, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from ..support.certificates import Certificates
from ..support.waiting import wait_for
from .calls import connect, receive_all

START = b"POST /rooms?api-version=2025-03-13 HTTP/1.1\r\nHost: localhost\r\n"


def test_tls_on_an_http_port_is_explained(emulator: RoomsEmulator, caplog: pytest.LogCaptureFixture) -> None:
    with connect(emulator) as connection, pytest.raises((ssl.SSLError, ConnectionError)):
        ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")
    assert "turn TLS on with --tls or RoomsEmulator(tls=True)" in caplog.text


def test_tls(monkeypatch: pytest.MonkeyPatch, certificates: Certificates) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificates.authority)
    with RoomsEmulator(tls=True, allowed_hosts=["rooms.test"]) as emulator:
        assert emulator.endpoint.startswith("https://127.0.0.1:")
        options: ClientOptions = {"connection_verify": emulator.ca_file}
        with RoomsClient.from_connection_string(emulator.connection_string, **options) as client:
            assert client.create_room().id
        context = ssl.create_default_context(cafile=emulator.ca_file)
        for host in ("127.0.0.1", "::1", "localhost", "rooms.test"):
            with context.wrap_socket(connect(emulator), server_hostname=host) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert b"".join(iter(lambda: connection.recv(10_000), b"")).startswith(b"HTTP/1.1 401 ")
        authorities = Path(emulator.ca_file).read_bytes()
        assert Path(certificates.authority).read_bytes() in authorities
        assert authorities.count(b"BEGIN CERTIFICATE") > 50  # the usual authorities
        folder = Path(emulator.ca_file).parent
        assert os.name == "nt" or folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_ca_file_needs_tls(emulator: RoomsEmulator, certificates: Certificates) -> None:
    with pytest.raises(RuntimeError, match="there is no ca_file without tls=True"):
        _ = emulator.ca_file
    with pytest.raises(ValueError, match="tls makes a certificate, so it cannot be combined with certfile"):
        RoomsEmulator(tls=True, certfile=certificates.certfile)


def test_stop_does_not_wait_for_clients(certificates: Certificates, caplog: pytest.LogCaptureFixture) -> None:
    context = ssl.create_default_context(cafile=certificates.authority)
    with RoomsEmulator(certfile=certificates.certfile, keyfile=certificates.keyfile) as emulator, ExitStack() as stack:
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
