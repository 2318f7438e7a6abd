"""Calls a hostile server. Each call must get the response to its own request, or raise an AzureError.

``python -m tests.support.fuzz --seconds 60 --seed 7`` prints what happened. The seed determines the calls and what the
server does to each of them, but two runs differ in the timing of threads.

The server does not cut off heads, because http.client takes such a head for one with fewer headers. A body without a
length ends where the connection does, so the fuzzer does not check that it is complete.
"""

import argparse
import gzip
import itertools
import json
import random
import re
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest

from azure.communication.rooms import RoomsClient

from .certificates import Certificates
from .wire_server import Connection, Request, response, wire_server

POISON = response(b'{"id": "poison"}', headers="X-Id: poison\r\n")
KINDS = ["plain"] * 4 + ["chunked", "gzip", "1.0", "close", "interim", "surplus", "malformed", "cut off", "bodyless"]
KINDS += ["late", "in pieces", "silent", "bad header", "503"]


def chunked(body: bytes, chance: random.Random) -> bytes:
    chunks = b""
    while body:
        size = chance.randint(1, len(body))
        chunks += b"%x%b\r\n%b\r\n" % (size, chance.choice([b"", b";a=b"]), body[:size])
        body = body[size:]
    return chunks + b"0\r\n" + chance.choice([b"", b"Trailer: a\r\n"]) + b"\r\n"


def malformed(body: bytes, chance: random.Random) -> tuple[str, bytes]:
    """Return framing that is wrong, and a body that may be too."""
    length = len(body)
    framing = chance.choice(
        [
            f"Content-Length: {length}\r\nContent-Length: {length + 3}",
            f"Content-Length: {length}\r\nTransfer-Encoding: chunked",
            f"Content-Length: -{length}",
            f"Content-Length: {10**18}",
            f"Content-Length: {length},{length - 1}",
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: xchunked",
        ]
    )
    bodies = [body, b"-1\r\n" + body, b"%x\r\n%bXX" % (length, body), b"%x\r\n%b" % (length + 99, body)]
    return framing, chance.choice([*bodies, chunked(body, chance)])


def respond(connection: Connection, request_id: str, chance: random.Random) -> None:
    """Send some kind of response, often an invalid one."""
    kind = chance.choice(KINDS)
    body = json.dumps({"id": request_id, "padding": "x" * chance.choice([0, 10, 500, 9000, 30_000])}).encode()
    status, headers, before, after = "HTTP/1.1 200 OK", f"X-Id: {request_id}\r\n", b"", b""
    if kind == "gzip":
        body = chance.choice([b"", b"", b"garbage"]) + gzip.compress(body, 1)
        headers += "Content-Encoding: gzip\r\n"
    framing = f"Content-Length: {len(body)}"
    match kind:
        case "chunked":
            framing, body = "Transfer-Encoding: chunked", chunked(body, chance)
        case "1.0":
            status, framing = "HTTP/1.0 200 OK", chance.choice([framing, "X: until closed"])
        case "close":
            headers += "Connection: close\r\n"
        case "interim":
            head = chance.choice([b"", b"X-Id: poison\r\nContent-Length: 15\r\n"])
            before = b"HTTP/1.1 %d Wait\r\n%b\r\n" % (chance.choice([100, 101, 102, 103]), head)
        case "surplus":
            after = chance.choice([POISON, POISON[:20], b"\r\n"])
        case "malformed":
            framing, body = malformed(body, chance)
            after = chance.choice([b"", POISON])
        case "bodyless":
            status, body = chance.choice(["HTTP/1.1 204 None", "HTTP/1.1 304 None"]), chance.choice([b"", POISON])
        case "bad header":
            headers += chance.choice(["no colon\r\n", "X : a\r\n", f"X: {'a' * 70_000}\r\n", "X: 1\r\n" * 120])
        case "503":
            status = "HTTP/1.1 503 Busy"
    data = before + f"{status}\r\n{headers}{framing}\r\n\r\n".encode() + body + after
    if kind == "late":
        connection.stopped.wait(chance.choice([0.05, 0.15]))
    elif kind == "silent":
        connection.stopped.wait(0.3)
        data = b""
    elif kind == "cut off":
        data = data[: -chance.randint(1, len(body))]
    elif kind == "in pieces":
        connection.send(data[:-20])
        connection.stopped.wait(0.02)
        data = data[-20:]
    connection.send(data)
    if kind in ("silent", "cut off") or (kind in ("1.0", "close", "malformed", "bad header") and chance.random() < 0.8):
        connection.close()


def call(client: RoomsClient, request_id: str, chance: random.Random) -> str:
    """Make one call. Return what came of it. Raise an AssertionError if it got another call's response."""
    request = HttpRequest(chance.choice(["GET", "HEAD"]), f"/rooms/{request_id}")
    if chance.random() < 0.5:
        request = HttpRequest("POST", f"/rooms/{request_id}", content=chance.randbytes(chance.choice([1, 10_000])))
    options: Any = {"read_timeout": chance.choice([0.02, 0.1, 2]), "retry_total": chance.choice([0, 0, 2])}
    try:
        received = client.send_request(request, stream=chance.random() < 0.3, **options)
        way = chance.choice(["read", "begin", "close"])
        content = received.read() if way == "read" else b""
        if way == "begin" and not received.is_stream_consumed:
            content = next(iter(received.iter_bytes()), b"")
        received.close()
    except AzureError as error:
        return type(error).__name__
    assert received.headers.get("X-Id") == request_id, f"{request_id} got {dict(received.headers)}"
    assert set(re.findall(rb'"id": "(\d+-\d+)"', content)) <= {request_id.encode()}, f"{request_id} got {content!r}"
    return "own response"


def fuzz(seed: int, seconds: float, threads: int = 6) -> str:
    """Make calls for this many seconds. Return a summary, or raise an AssertionError."""
    problems: list[str] = []
    outcomes: Counter[str] = Counter()
    attempts: Counter[str] = Counter()
    numbers = itertools.count()
    end = time.monotonic() + seconds

    def hostile(connection: Connection, request: Request) -> None:
        request_id = request.target.removeprefix("/rooms/")
        if request.method not in ("GET", "HEAD", "POST") or not re.fullmatch(r"\d+-\d+", request_id):
            problems.append(f"the server received a request that no call sent: {request}")
        attempts[request_id] += 1
        respond(connection, request_id, random.Random(f"{request_id}/{attempts[request_id]}"))

    def work() -> None:
        while time.monotonic() < end and not problems:
            request_id = f"{seed}-{next(numbers)}"
            chance = random.Random(request_id)
            try:
                outcomes[call(chance.choice(clients), request_id, chance)] += 1
            except BaseException as error:  # noqa: BLE001 - reported below
                problems.append(f"{request_id}: {type(error).__name__}: {error}"[:1000])

    with tempfile.TemporaryDirectory() as folder:
        tls = Certificates(Path(folder))
        with wire_server(forever=hostile) as server, wire_server(forever=hostile, certificates=tls) as tls_server:
            clients = [
                RoomsClient(server.endpoint, "a2V5", retry_backoff_factor=0),
                RoomsClient(tls_server.endpoint, "a2V5", retry_backoff_factor=0, connection_verify=tls.authority),
            ]
            workers = [threading.Thread(target=work) for _ in range(threads)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
    assert not problems, "\n".join([f"seed {seed}", *problems[:5]])
    return f"seed {seed}: {dict(outcomes.most_common())}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(fuzz(arguments.seed, arguments.seconds))
