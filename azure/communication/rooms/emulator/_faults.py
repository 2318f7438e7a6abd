"""Faults that the emulator makes on request, and the requests that it received."""

import re
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

_REQUESTS_KEPT = 10_000
_BYTES_KEPT = 64 * 1024 * 1024


@dataclass
class Fault:
    """What is done to the next ``times`` requests that match."""

    status: int | None = None
    retry_after: float | str | None = None
    drop: Literal["before", "after"] | None = None
    delay: float = 0.0
    truncate: bool = False
    body: bytes | None = None
    times: int = 1
    method: str | None = None
    path: str | None = None

    def matches(self, method: str, path: str) -> bool:
        if self.method not in (None, method):
            return False
        pattern = ".*".join(map(re.escape, self.path.split("*"))) if self.path else ".*"
        return re.fullmatch(pattern, path) is not None


@dataclass
class ReceivedRequest:
    """A request that reached the emulator."""

    method: str
    path: str
    """The path as it was sent, without the query."""
    query: str
    """The query as it was sent, without the question mark."""
    headers: dict[str, str]
    """The headers, their names in lower case, without what authenticated the request."""
    body: bytes
    answer: int | None = None
    """The status that was answered; None where there was no answer, or not yet."""
    executed: bool = False
    """Whether it was executed, or refused as the service would; False where a fault came first."""


@dataclass
class Faults:
    """The faults still to be made and the requests received, shared by the server's thread and the callers'."""

    _faults: list[Fault] = field(default_factory=list)
    _requests: deque[ReceivedRequest] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _bytes: int = 0
    generation: int = 0
    """How often all was forgotten: a request of an earlier one is not executed any more."""

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def receive(self, request: ReceivedRequest) -> Fault:
        """Keep the request, and take the first fault that matches it; one that does nothing where there is none."""
        with self._lock:
            self._requests.append(request)
            self._bytes += len(request.body)
            while len(self._requests) > _REQUESTS_KEPT or self._bytes > _BYTES_KEPT:
                self._bytes -= len(self._requests.popleft().body)
            for fault in self._faults:
                if fault.matches(request.method, request.path):
                    fault.times -= 1
                    if not fault.times:
                        self._faults.remove(fault)
                    return fault
        return _NO_FAULT

    def requests(self) -> list[ReceivedRequest]:
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self._requests.clear()
            self._bytes = 0
            self.generation += 1


_NO_FAULT = Fault()
