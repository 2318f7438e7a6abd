"""The public class: its life cycle, its arguments, and where it listens."""

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

from .calls import new_client


def test_start_stop_and_restart() -> None:
    emulator = RoomsEmulator()
    for _ in range(2):
        emulator.start()
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
    ("arguments", "message"),
    [
        ({"access_key": "not base64"}, "access_key is not base64"),
        ({"access_key": ""}, "access_key is not base64"),
        ({"page_size": 0}, "page_size must be at least 1, not 0"),
        ({"keyfile": "key.pem"}, "keyfile is given without certfile"),
        ({"port": 99999}, "port must be from 0 to 65535, not 99999"),
    ],
)
def test_invalid_argument(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RoomsEmulator(**arguments)


def test_allowed_hosts_must_not_be_a_string() -> None:
    with pytest.raises(TypeError, match="allowed_hosts must be an iterable of names, not a str"):
        RoomsEmulator(allowed_hosts="example.com")


def test_failed_start_leaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "not.pem").write_text("This is not a certificate.")
    for name in ("none.pem", "not.pem"):
        with pytest.raises(OSError, match="the certificate cannot be read"):
            RoomsEmulator(certfile=str(tmp_path / name)).start()
    with RoomsEmulator() as one, pytest.raises(OSError, match="in use"):
        RoomsEmulator(port=int(one.endpoint.rpartition(":")[2])).start()


@pytest.mark.parametrize(
    ("host", "endpoint"), [("localhost", "http://localhost:"), ("::1", "http://[::1]:"), ("127.0.0.1", "http://127.")]
)
def test_endpoint_has_given_host(host: str, endpoint: str) -> None:
    with RoomsEmulator(host=host) as emulator:
        assert emulator.endpoint.startswith(endpoint)
        assert new_client(emulator).create_room().id


STOP_IN_A_SIGNAL_HANDLER = """
import signal, socket, threading
from azure.communication.rooms.emulator import RoomsEmulator

def send_requests(port):
    try:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            while True:
                connection.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
                connection.recv(65536)
    except ConnectionError:
        pass

for use in (lambda: emulator.requests, lambda: emulator.inject(delay=0.001), lambda: emulator.reset()):
    for _ in range(3):
        emulator = RoomsEmulator()
        emulator.start()
        signal.signal(signal.SIGALRM, lambda *_: emulator.stop())
        sender = threading.Thread(target=send_requests, args=(int(emulator.endpoint.rpartition(":")[2]),))
        sender.start()
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            while emulator._running:
                use()
        except Exception:
            assert not emulator._running
        sender.join()
"""


def test_stop_in_signal_handler() -> None:
    subprocess.run([sys.executable, "-c", STOP_IN_A_SIGNAL_HANDLER], check=True, timeout=30)


def test_warning_if_not_on_loopback(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    create_server = socket.create_server  # listen on loopback anyway, to test only the warning
    monkeypatch.setattr(socket, "create_server", lambda address, **kwargs: create_server(("127.0.0.1", 0), **kwargs))
    with RoomsEmulator(host="0.0.0.0") as emulator:
        assert "listening on 0.0.0.0: other machines can reach this emulator" in caplog.text
        assert emulator.endpoint.startswith("http://127.0.0.1:")
        assert new_client(emulator).create_room().id
    caplog.clear()
    with RoomsEmulator():
        assert "other machines" not in caplog.text


def test_reset_removes_everything(emulator: RoomsEmulator, client: RoomsClient) -> None:
    client.create_room()
    emulator.inject(status=500)
    emulator.reset()
    assert emulator.requests == []
    assert emulator.pending_faults == []
    assert list(client.list_rooms()) == []
