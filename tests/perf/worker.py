"""Measures the client that is installed in the environment of this process.

It reads commands from standard input, one JSON object per line, and prints the result of each as one line of JSON. In
the results, ``value`` is wall time and ``cpu`` is the CPU time of this process, both in seconds. Both clients are
measured by this code, so it uses only what both have.
"""

import asyncio
import base64
import gc
import json
import logging
import sys
import time
import tracemalloc
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline import Pipeline
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import CommunicationRoom, RoomsClient

sys.path.append(str(Path(__file__).parents[2]))  # appended, so that the installed client comes first
from tests.support.credentials import signature_headers
from tests.support.operations import OPERATIONS, PARTICIPANTS

Figures = dict[str, float]

API_VERSION = "2025-03-13"
ACCESS_KEY = base64.b64encode(b"a key of the benchmark, of the usual length.").decode()
ROOM_ID = "99445276259151407"


def timed(function: Callable[[], object], times: int = 1) -> Figures:
    """The mean time of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        function()
    return {"value": (time.perf_counter() - wall) / times, "cpu": (time.process_time() - cpu) / times}


def count(rooms: Iterable[CommunicationRoom]) -> int:
    """Count the rooms. Read every attribute, and do not keep the rooms in memory."""
    return sum(bool(room.id and room.created_at and room.valid_from and room.valid_until) for room in rooms)


def references(endpoint: str) -> dict[str, Callable[[], object]]:
    """Calls with less overhead than get_room. They send its request, and parse the JSON of the response."""
    target = f"/rooms/{ROOM_ID}?api-version={API_VERSION}"
    pool = urllib3.connection_from_url(endpoint)

    def pipeline_of(transport: RequestsTransport) -> Callable[[], object]:
        pipeline = Pipeline[HttpRequest, HttpResponse](transport, [])
        return lambda: pipeline.run(HttpRequest("GET", endpoint + target)).http_response.json()  # noqa: PLW0108 - each call sends a request

    return {
        "pipeline": pipeline_of(RequestsTransport()),
        "pipeline_without_env": pipeline_of(RequestsTransport(use_env_settings=False)),
        "urllib3": lambda: json.loads(pool.request("GET", target, headers=signed("GET", endpoint, target)).data),
    }


def signed(method: str, endpoint: str, target: str, body: bytes = b"") -> dict[str, str]:
    """The headers of a signed request."""
    host = urlsplit(endpoint).netloc
    return {
        "Host": host,
        **signature_headers(method, target, formatdate(usegmt=True), host, body, access_key=ACCESS_KEY),
    }


@cache
def client_of(endpoint: str) -> RoomsClient:
    return RoomsClient(endpoint, AzureKeyCredential(ACCESS_KEY))


@cache
def calls_of(endpoint: str) -> dict[str, Callable[[], object]]:
    client = client_of(endpoint)
    calls = {name: partial(operation.call, client, ROOM_ID) for name, operation in OPERATIONS.items()}
    return {**calls, **references(endpoint)}


def call(endpoint: str, name: str, times: int) -> Figures:
    return timed(calls_of(endpoint)[name], times)


def listing(endpoint: str, rooms: int) -> Figures:
    def read_all() -> None:
        assert count(client_of(endpoint).list_rooms()) == rooms

    return timed(read_all)


def peak_memory(endpoint: str, rooms: int) -> int:
    """The peak of the memory that Python allocates during a listing, in bytes."""
    gc.collect()
    tracemalloc.start()
    listing(endpoint, rooms)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def threads(endpoint: str, count: int, calls: int) -> Figures:
    with RoomsClient(endpoint, AzureKeyCredential(ACCESS_KEY)) as client, ThreadPoolExecutor(count) as pool:
        return timed(lambda: list(pool.map(lambda _: client.get_room(ROOM_ID), range(calls))))


def titles() -> dict[str, str]:
    return {name: operation.title for name, operation in OPERATIONS.items()}


def versions() -> dict[str, str]:
    names = ("azure-communication-rooms", "azure-core", "requests", "urllib3")
    return {name: version(name) for name in names}


def emulator() -> str:
    """Start an emulator in a thread of this process, and return its endpoint."""
    from azure.communication.rooms.emulator import RoomsEmulator  # noqa: PLC0415 - only this checkout has it

    emulator = RoomsEmulator(access_key=ACCESS_KEY)
    emulator.start()
    return emulator.endpoint


def load(endpoint: str, name: str, seconds: float) -> Figures:
    """Send requests as fast as the emulator responds, over eight connections."""
    room = client_of(endpoint).create_room()
    method = "POST" if name == "create_room" else "GET"
    target = f"/rooms{f'/{room.id}' if name == 'get_room' else ''}?api-version={API_VERSION}"
    roles = {p.communication_identifier.raw_id: {"role": p.role} for p in PARTICIPANTS}
    body = json.dumps({"participants": roles}).encode() if method == "POST" else b""
    headers = signed(method, endpoint, target, body) | {"Content-Length": str(len(body))}
    if method == "POST":
        headers |= {"Content-Type": "application/json", "Repeatability-First-Sent": headers["x-ms-date"]}
        headers |= {"Repeatability-Request-ID": "{id}"}  # replaced by a new ID each time; it is not signed
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in headers.items()) + "\r\n"
    start = time.perf_counter()

    async def connection() -> int:
        reader, writer = await asyncio.open_connection(urlsplit(endpoint).hostname, urlsplit(endpoint).port)
        responses = 0
        while responses == 0 or time.perf_counter() < start + seconds:
            writer.write(head.replace("{id}", str(uuid.uuid4())).encode() + body)
            response = await reader.readuntil(b"\r\n0\r\n\r\n")  # the emulator's bodies are chunked
            assert response.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")), response
            responses += 1
        writer.close()
        return responses

    async def connections() -> int:
        return sum(await asyncio.gather(*(connection() for _ in range(8))))

    return {"responses": asyncio.run(connections()), "seconds": time.perf_counter() - start}


COMMANDS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (call, listing, peak_memory, threads, titles, versions, emulator, load, time.process_time)
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
