"""Calls a hostile server. Each call must return the response to its own request or raise an AzureError.

``python -m tests.support.fuzz --seconds 60 --seed 7`` prints what happened. The seed determines the calls and what the
server does to each of them, but two runs differ in the timing of threads and signals.
"""

import argparse
import contextlib
import gc
import gzip
import itertools
import json
import random
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import RoomsClient

from .certificates import Certificates
from .wire_server import Connection, Request, WireServer, wire_server

KEY = "a2V5"
POISON = b'HTTP/1.1 200 OK\r\nX-Id: poison\r\nContent-Length: 15\r\n\r\n{"id":"poison"}'
RESET = struct.pack("ii", 1, 0)  # linger for 0 seconds: close() sends RST


class MismatchError(AssertionError):
    """A call returned the response to another request."""


class Interrupted(Exception):  # noqa: N818 - not an error
    """Raised by the signal handler."""


def body_of(request_id: str, chance: random.Random) -> bytes:
    padding = "x" * chance.choice([0, 10, 500, 9000, 30_000])
    return json.dumps({"id": request_id, "padding": padding}).encode()


def chunked(body: bytes, chance: random.Random) -> bytes:
    chunks = b""
    while body:
        size = chance.randint(1, len(body))
        extension = chance.choice([b"", b";a=b"])
        chunks += b"%x%b\r\n%b\r\n" % (size, extension, body[:size])
        body = body[size:]
    return chunks + b"0\r\n" + chance.choice([b"", b"Trailer: a\r\n"]) + b"\r\n"


def malformed_framing(body: bytes, chance: random.Random) -> tuple[str, bytes]:
    length = len(body)
    headers: str = chance.choice(
        [
            f"Content-Length: {length}\r\nContent-Length: {length + 3}",
            f"Content-Length: {length}\r\nTransfer-Encoding: chunked",
            f"Transfer-Encoding: chunked\r\nContent-Length: {length - 5}",
            f"Content-Length: +{length}",
            f"Content-Length: {length // 10}_{length % 10}",
            f"Content-Length: -{length}",
            f"Content-Length: {10**18}",
            f"Content-Length: {length},{length - 1}",
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: xchunked",
            f"X: a\rContent-Length: {length}",
        ]
    )
    return headers, chance.choice(
        [
            body,
            b"-1\r\n" + body,
            b"%x\r\n%bXX" % (length, body),
            b"%x\r\n%b" % (length + 99, body),
            chunked(body, chance),
        ]
    )


def send_response(connection: Connection, request_id: str, chance: random.Random) -> str:
    """Send some kind of response, often an invalid one. Return the kind."""
    kind = chance.choice(
        ["plain"] * 4
        + ["chunked", "gzip", "1.0", "1.0 keep-alive", "close", "interim", "surplus", "malformed", "cut off", "reset"]
        + ["bodyless", "late", "trickled", "silent", "switching", "bad header", "503"]
    )
    status, version = "200 OK", "HTTP/1.1"
    body = body_of(request_id, chance)
    headers = f"X-Id: {request_id}\r\n"
    before, after = b"", b""
    framing = f"Content-Length: {len(body)}"
    if kind == "chunked":
        framing, body = "Transfer-Encoding: chunked", chunked(body, chance)
    elif kind == "gzip":
        body = gzip.compress(body, 1)
        headers += "Content-Encoding: gzip\r\n"
        if chance.random() < 0.3:
            body = b"garbage" + body
        framing = f"Content-Length: {len(body)}"
    elif kind == "1.0":
        version = "HTTP/1.0"
        framing = chance.choice([framing, "X: until closed"])
    elif kind == "1.0 keep-alive":
        version = "HTTP/1.0"
        headers += "Connection: keep-alive\r\n"
    elif kind == "close":
        headers += "Connection: close\r\n"
    elif kind == "interim":
        for _ in range(chance.randint(1, 4)):
            before += b"HTTP/1.1 %d Wait\r\n%b\r\n" % (
                chance.choice([100, 102, 103]),
                chance.choice([b"", b"X-Id: poison\r\nContent-Length: 15\r\n"]),
            )
    elif kind == "surplus":
        after = chance.choice([POISON, POISON * 200, b"\r\n", POISON[:20], b"HTTP/1.1 200 OK\r\n"])
    elif kind == "malformed":
        framing, body = malformed_framing(body, chance)
        after = chance.choice([b"", POISON])
    elif kind == "bodyless":
        status = chance.choice(["204 No Content", "304 Not Modified"])
        framing = chance.choice([framing, "Transfer-Encoding: chunked", "X: none"])
        body = chance.choice([b"", POISON])
    elif kind == "switching":
        status = "101 Switching Protocols"
        after = POISON
    elif kind == "bad header":
        headers += chance.choice(
            ["no colon\r\n", "X: a\r\n folded\r\n", "X : a\r\n", "X: " + "a" * 70_000 + "\r\n", "X: 1\r\n" * 120]
        )
    elif kind == "503":
        status = "503 Busy"
    data = before + f"{version} {status}\r\n{headers}{framing}\r\n\r\n".encode("latin-1") + body + after
    if kind == "silent":
        connection.stopped.wait(0.3)
        connection.close()
    elif kind == "late":
        connection.stopped.wait(chance.choice([0.05, 0.15, 0.25]))
        connection.send(data)
    elif kind == "trickled":
        connection.send(data[:-20])
        connection.trickle(data[-20:], 0.01)
    elif kind in ("cut off", "reset"):
        connection.send(data[: chance.randrange(len(data))])
        if kind == "reset":
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.close()
    else:
        connection.send(data)
    if kind in ("1.0", "close", "malformed", "bad header") and chance.random() < 0.8:
        connection.close()
    return kind


class Fuzzer:
    def __init__(self, seed: int, server: WireServer, tls_server: WireServer, certificates: Certificates) -> None:
        self._seed = seed
        self._ids = itertools.count()
        options: dict[str, Any] = {"retry_backoff_factor": 0, "connection_timeout": 2}
        self._clients = [
            RoomsClient(server.endpoint, KEY, **options),
            RoomsClient(tls_server.endpoint, KEY, connection_verify=certificates.authority, **options),
        ]
        self.outcomes: Counter[str] = Counter()

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def call(self) -> None:
        request_id = f"{self._seed}-{next(self._ids)}"
        chance = random.Random(request_id)
        client = self._clients[chance.random() < 0.25]
        headers = {"X-Seed": request_id}
        if chance.random() < 0.5:
            contents: list[str | bytes] = ["é" * 50, "\N{SNOWMAN}" * 3000, b"\x00\xff" * 40, "a"]
            content = chance.choice(contents)
            if chance.random() < 0.3:
                headers[chance.choice(["Content-Length", "content-length", "Transfer-Encoding"])] = "3"
            request = HttpRequest("POST", f"/rooms/{request_id}", headers=headers, content=content)
        else:
            request = HttpRequest(chance.choice(["GET", "GET", "HEAD"]), f"/rooms/{request_id}", headers=headers)
        stream = chance.random() < 0.3
        try:
            response = client.send_request(
                request,
                stream=stream,
                read_timeout=chance.choice([0.02, 0.1, 0.5, 2]),
                retry_total=chance.choice([0, 0, 2]),
                permit_redirects=False,
            )
            content = self.read(response, chance) if stream else response.content
        except AzureError as error:
            self.outcomes[type(error).__name__] += 1
            return
        self.check(response, content, request_id)
        self.outcomes["own response"] += 1

    @staticmethod
    def read(response: HttpResponse, chance: random.Random) -> bytes:
        way = chance.choice(["read", "iter", "half", "abandon", "close"])
        if way == "read":
            return response.read()
        if way == "iter":
            return b"".join(response.iter_bytes())
        if way == "half":
            # Only the beginning: a chunk may claim what was sent after the body, and is an error only at its end.
            return next(iter(response.iter_bytes()), b"")[:20]
        if way == "close":
            response.close()
        return b""

    @staticmethod
    def check(response: HttpResponse, content: bytes, request_id: str) -> None:
        own_id = response.headers.get("X-Id")
        start = json.dumps({"id": request_id, "padding": ""}).encode()[:-2]
        if own_id != request_id or not start.startswith(content[: len(start)]) or b"poison" in content:
            raise MismatchError(f"request {request_id} got the response to {own_id}: {content[:200]!r}")


def hostile_step(problems: list[str], kinds: Counter[str]) -> Callable[[Connection, Request], None]:
    attempts: Counter[str] = Counter()

    def step(connection: Connection, request: Request) -> None:
        seed = request.headers.get("X-Seed")
        request_id = request.target.partition("?")[0].removeprefix("/rooms/")
        if request.method not in ("GET", "HEAD", "POST") or seed != request_id:
            problems.append(f"the server received a request that no call sent: {request}")
        attempts[request_id] += 1
        chance = random.Random(f"{request_id}/{attempts[request_id]}")
        kinds[send_response(connection, request_id, chance)] += 1

    return step


def fuzz(seed: int, seconds: float, threads: int, interrupts: int) -> str:
    """Make calls for this many seconds, or until this many interrupts. Return a summary."""
    problems: list[str] = []
    kinds: Counter[str] = Counter()
    stop = threading.Event()
    end = time.monotonic() + seconds

    def work(fuzzer: Fuzzer) -> None:
        try:
            while not stop.is_set() and time.monotonic() < end:
                fuzzer.call()
        except BaseException as error:  # noqa: BLE001 - reported by the main thread
            problems.append(f"{type(error).__name__}: {error}")
            stop.set()

    step = hostile_step(problems, kinds)
    with tempfile.TemporaryDirectory() as folder:
        certificates = Certificates(Path(folder))
        with (
            wire_server(forever=step) as server,
            wire_server(forever=step, certificates=certificates) as tls_server,
        ):
            fuzzer = Fuzzer(seed, server, tls_server, certificates)
            workers = [threading.Thread(target=work, args=(fuzzer,)) for _ in range(threads)]
            for worker in workers:
                worker.start()
            if interrupts:
                count = call_interrupted(fuzzer, end, interrupts, stop, problems)
                fuzzer.outcomes["interrupts"] = count
            else:
                work(fuzzer)
            stop.set()
            for worker in workers:
                worker.join()
            fuzzer.close()
    gc.collect()
    if problems:
        raise MismatchError("\n".join(problems[:5]))
    return f"seed {seed}: {dict(fuzzer.outcomes.most_common())}; server: {dict(kinds.most_common())}"


def call_interrupted(fuzzer: Fuzzer, end: float, interrupts: int, stop: threading.Event, problems: list[str]) -> int:
    """Make calls while a timer's handler raises, up to three times in each call. Return the number of interrupts."""
    chance = random.Random()
    count = budget = 0

    def handler(*_: object) -> None:
        nonlocal count, budget
        if budget:
            budget -= 1
            count += 1
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.00001, 0.0005))
            raise Interrupted

    def call() -> None:
        nonlocal budget
        budget = 3
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0001, 0.004))
        fuzzer.call()
        budget = 0

    def catching(inner: Callable[[], None]) -> Callable[[], None]:
        def outer() -> None:
            with contextlib.suppress(Interrupted):
                inner()

        return outer

    guarded = catching(catching(catching(call)))  # each of them catches one interrupt of the call
    previous = signal.signal(signal.SIGALRM, handler)
    try:
        while count < interrupts and time.monotonic() < end and not stop.is_set():
            try:
                guarded()
            except Interrupted:  # noqa: PERF203 - raised while an inner one was being caught
                continue
            finally:
                budget = 0
    except MismatchError as error:
        problems.append(str(error))
    finally:
        budget = 0
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    return count


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=6)
    parser.add_argument("--interrupts", type=int, default=0)
    arguments = parser.parse_args()
    with contextlib.suppress(AttributeError):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        print(fuzz(arguments.seed, arguments.seconds, arguments.threads, arguments.interrupts))
    except MismatchError as error:
        sys.exit(f"seed {arguments.seed}: {error}")


if __name__ == "__main__":
    main()
