"""The public class: its life cycle, its arguments, and where it listens."""

import socket
from typing import Any

import pytest

from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

from .calls import new_client


def test_start_stop_and_restart() -> None:
    emulator = RoomsEmulator()
    for _ in range(2):
        assert emulator.start() is emulator
        assert emulator.endpoint.startswith("http://127.0.0.1:")
        assert emulator.connection_string == f"endpoint={emulator.endpoint}/;accesskey={DEVELOPMENT_ACCESS_KEY}"
        client = new_client(emulator)
        assert list(client.list_rooms()) == []
        client.create_room()
        with pytest.raises(RuntimeError, match="already running"):
            emulator.start()
        emulator.stop()
        emulator.stop()
        with pytest.raises(RuntimeError, match="not running"):
            _ = emulator.connection_string


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"access_key": "not base64"}, ValueError, "access_key is not base64"),
        ({"access_key": ""}, ValueError, "access_key is not base64"),
        ({"page_size": 0}, ValueError, "page_size must be from 1 to 1000000000, not 0"),
        ({"port": 99999}, ValueError, "port must be from 0 to 65535, not 99999"),
        ({"port": "8787"}, TypeError, "port must be an int, not str"),
        ({"page_size": 2.5}, TypeError, "page_size must be an int, not float"),
        ({"allowed_hosts": "example.com"}, TypeError, "allowed_hosts must be an iterable of names, not a str"),
    ],
)
def test_invalid_argument(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        RoomsEmulator(**arguments)


def test_failed_start_leaks_nothing() -> None:
    with RoomsEmulator() as one, pytest.raises(OSError, match=r"cannot listen on 127\.0\.0\.1:\d+: .* in use"):
        RoomsEmulator(port=int(one.endpoint.rpartition(":")[2])).start()


@pytest.mark.parametrize(("host", "endpoint"), [("localhost", "http://localhost:"), ("::1", "http://[::1]:")])
def test_endpoint_has_given_host(host: str, endpoint: str) -> None:
    with RoomsEmulator(host=host) as emulator:
        assert emulator.endpoint.startswith(endpoint)
        assert new_client(emulator).create_room().id


def test_endpoint_for_other_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    create_server = socket.create_server  # listen on loopback anyway
    monkeypatch.setattr(socket, "create_server", lambda address, **kwargs: create_server(("127.0.0.1", 0), **kwargs))
    with RoomsEmulator(host="0.0.0.0") as emulator:
        assert emulator.endpoint.startswith("http://127.0.0.1:")
    with RoomsEmulator(host="0.0.0.0", allowed_hosts=["rooms_1.test", "other.test"]) as emulator:
        assert emulator.endpoint.startswith("http://rooms_1.test:")
