"""Measures the client that is installed in the environment of this process.

It reads commands from standard input, one JSON object per line, and prints the result of each as one line of JSON.
Both clients are measured by this code, so it uses only what both have.
"""

import base64
import json
import logging
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from azure.core.credentials import AzureKeyCredential

from azure.communication.rooms import RoomsClient

sys.path.append(str(Path(__file__).parents[2]))  # appended, so that the installed client comes first
from tests.support.operations import OPERATIONS

ACCESS_KEY = base64.b64encode(b"a key of the benchmark, of the usual length.").decode()
ROOM_ID = "99445276259151407"


def timed(function: Callable[[], object], times: int = 1) -> list[float]:
    """The mean CPU time of this process and the mean wall time of a call, in milliseconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        function()
    return [1000 * (time.process_time() - cpu) / times, 1000 * (time.perf_counter() - wall) / times]


@cache
def client_of(endpoint: str) -> RoomsClient:
    return RoomsClient(endpoint, AzureKeyCredential(ACCESS_KEY))


def call(endpoint: str, name: str, times: int) -> list[float]:
    client, operation = client_of(endpoint), OPERATIONS[name]
    return timed(lambda: operation.call(client, ROOM_ID), times)


def listing(endpoint: str, rooms: int) -> list[float]:
    """List all rooms. Read every attribute, because the released client parses some of them only then."""

    def read_all() -> None:
        listed = client_of(endpoint).list_rooms()
        assert sum(bool(r.id and r.created_at and r.valid_from and r.valid_until) for r in listed) == rooms

    return timed(read_all)


def client_per_call(endpoint: str, times: int, closes: bool) -> list[float]:
    """Create a client for each call, and close it afterwards or never."""
    connection_string = f"endpoint={endpoint}/;accesskey={ACCESS_KEY}"

    def get_room() -> None:
        client = RoomsClient.from_connection_string(connection_string)
        with client if closes else nullcontext():
            client.get_room(ROOM_ID)

    return timed(get_room, times)


def threads(endpoint: str, count: int, calls: int) -> list[float]:
    """The calls per second of threads that share a client."""
    client = client_of(endpoint)
    with ThreadPoolExecutor(count) as pool:
        _, milliseconds = timed(lambda: list(pool.map(client.get_room, [ROOM_ID] * calls)))
    return [1000 * calls / milliseconds]


def versions() -> str:
    names = ("azure-communication-rooms", "azure-core", "requests", "urllib3")
    return ", ".join(f"{name} {version(name)}" for name in names)


COMMANDS: dict[str, Callable[..., Any]] = {
    function.__name__: function for function in (call, listing, client_per_call, threads, versions)
}


def main() -> None:
    # The released client logs a warning for each create_room, and urllib3 one for each connection that its pool cannot
    # hold. Writing these would distort the times.
    logging.disable(logging.WARNING)
    for line in sys.stdin:
        arguments = json.loads(line)
        command = COMMANDS[arguments.pop("command")]
        print(json.dumps(command(**arguments)), flush=True)


if __name__ == "__main__":
    main()
