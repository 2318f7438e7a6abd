"""Connection pools: which connections are kept, and what happens on forks and signals."""

import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError

from azure.communication.rooms import RoomsClient, _pools
from azure.communication.rooms.emulator import RoomsEmulator

from .support.wire_server import KEY, Connection, response, wire_server


def pools_of(client: RoomsClient) -> list[Any]:
    transport: Any = client._pipeline._transport
    return list(transport._pools._pools[1].values())


def test_one_connection_for_one_thread() -> None:
    with wire_server(*[response()] * 5) as server:
        client = RoomsClient(server.endpoint, KEY)
        for _ in range(5):
            client.get_room("99")
    assert {request.connection for request in server.requests} == {0}


def test_failures_leave_idle_connections_usable() -> None:
    both = threading.Barrier(2)

    def together(connection: Connection) -> None:
        both.wait()
        connection.send(response())

    with wire_server(together, together, Connection.close, response(), response()) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        thread = threading.Thread(target=client.get_room, args=("99",))
        thread.start()
        client.get_room("99")
        thread.join()
        with pytest.raises(ServiceResponseError):
            client.get_room("99")
        client.get_room("99")
    assert len(server.connections) == 2


def test_a_burst_leaves_few_idle_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pools, "_MAX_IDLE", 2)
    together = threading.Barrier(4)

    def respond_together(connection: Connection) -> None:
        together.wait()
        connection.send(response())

    with wire_server(*[respond_together] * 4) as server, RoomsClient(server.endpoint, KEY) as client:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(client.get_room, ["99"] * 4))
        [pool] = pools_of(client)
        assert len(pool._idle) == 2
        assert len(server.connections) == 4


def test_redirects_to_many_hosts_leave_few_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pools, "_MAX_POOLS", 2)
    moved = [response(status="307 Moved", headers=f"Location: http://{host}.example/\r\n") for host in "bcd"]
    with wire_server(*moved, response()) as proxy:
        client = RoomsClient("http://a.example", KEY, proxies={"http": proxy.endpoint})
        client.get_room("99")
        assert [pool.route.address.host for pool in pools_of(client)] == ["c.example", "d.example"]


def test_close_closes_idle_connections() -> None:
    with wire_server(response()) as server:
        with RoomsClient(server.endpoint, KEY) as client:
            client.get_room("99")
            [pool] = pools_of(client)
        assert not pool._idle
        with pytest.raises(ValueError, match="closed"):
            client.get_room("99")


def test_ipv6() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        heads = []

        def serve() -> None:
            sock, _ = listener.accept()
            connection = Connection(sock, 0)
            request = connection.read_request()
            assert request is not None
            heads.append(request.headers.get_all("Host"))
            connection.send(response())
            connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        assert RoomsClient(f"http://[::1]:{port}", KEY).get_room("99").id
        thread.join()
    assert heads == [[f"[::1]:{port}"]]


def run(program: str, *args: str, timeout: float = 120) -> str:
    """Run a Python program. Fail if it fails or hangs."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *args],
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


FORK = """
import os, sys
from azure.communication.rooms import RoomsClient
client = RoomsClient.from_connection_string(sys.argv[1])
pools = client._pipeline._transport._pools
client.create_room()
[parents_pool] = pools._pools[1].values()
child = os.fork()
for _ in range(20):
    client.create_room()
[pool] = pools._pools[1].values()
assert (pool is parents_pool) == (child != 0)
if child == 0:
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

FORK_WITH_THREADS = """
import os, sys, threading
from concurrent.futures import ThreadPoolExecutor
from azure.communication.rooms import RoomsClient
client = RoomsClient.from_connection_string(sys.argv[1])
client.create_room()
sys.setswitchinterval(1e-6)
for _ in range(10):
    child = os.fork()
    if child == 0:
        together = threading.Barrier(8)
        def work(number):
            together.wait()
            return client.create_room(connection_timeout=60 + number).id
        with ThreadPoolExecutor(8) as threads:
            ids = set(threads.map(work, range(8)))
        os._exit(len(ids) != 8)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


EXIT = """
import atexit, sys
from azure.communication.rooms import RoomsClient
clients = []
# Functions run in reverse order, so what the client itself registers would run first.
atexit.register(lambda: print(clients[0].create_room().id))
clients.append(RoomsClient.from_connection_string(sys.argv[1]))
clients[0].create_room()
"""


def test_exit(emulator: RoomsEmulator, client: RoomsClient) -> None:
    last_room = run(EXIT, emulator.connection_string).strip()
    assert client.get_room(last_room)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_fork(emulator: RoomsEmulator, client: RoomsClient) -> None:
    run(FORK, emulator.connection_string)
    assert len({room.id for room in client.list_rooms()}) == 1 + 20 + 20
    assert {request.status_code for request in emulator.requests} == {200, 201}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_fork_with_threads(emulator: RoomsEmulator, client: RoomsClient) -> None:
    run(FORK_WITH_THREADS, emulator.connection_string)
    assert len({room.id for room in client.list_rooms()}) == 1 + 10 * 8


INTERRUPTS = """
import faulthandler
from tests.support import fuzz
faulthandler.dump_traceback_later(110, exit=True)  # if a call hangs, this shows where
fuzz.main()
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signal.setitimer")
def test_exceptions_from_signal_handlers() -> None:
    output = run(INTERRUPTS, "--seconds=60", "--interrupts=3000", "--seed=1")
    assert "interrupts" in output
