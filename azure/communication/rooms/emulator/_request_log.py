"""The requests that the emulator received."""

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from ._faults import Fault

_MAX_REQUESTS = 10_000
_MAX_BYTES = 64 * 1024 * 1024
_OVERHEAD = 100  # about as many bytes as Python needs for a request or a header besides its text


@dataclass
class ReceivedRequest:
    """A request that reached the emulator."""

    method: str
    path: str
    """The path as sent, without the query."""
    query: str
    """The query as sent, without the question mark."""
    headers: dict[str, str]
    """The headers without ``Authorization``. Names are in lower case."""
    body: bytes
    received_at: datetime
    """When the request arrived, in UTC. :meth:`RoomsEmulator.advance` does not affect it."""
    status_code: int | None = None
    """The status code of the response. None if no response has been sent."""
    executed: bool = False
    """Whether the emulator processed the request as the service would. False if a fault prevented it."""
    fault: Fault | None = None
    """The injected fault that applied to the request, if any."""

    @property
    def _size(self) -> int:
        headers = sum(len(name) + len(value) + _OVERHEAD for name, value in self.headers.items())
        return len(self.path) + len(self.query) + len(self.body) + headers + _OVERHEAD


class RequestLog:
    """The latest requests. The server's thread and the callers' threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: deque[tuple[ReceivedRequest, int]] = deque()
        self._bytes = 0
        self.generation = 0
        """Number of resets so far. A request that arrives before a reset is not executed after it."""

    def add(self, request: ReceivedRequest) -> int:
        """Add the request, drop the oldest ones if the log is full, and return the current generation."""
        size = request._size
        with self._lock:
            self._requests.append((request, size))
            self._bytes += size
            while len(self._requests) > _MAX_REQUESTS or self._bytes > _MAX_BYTES:
                _, oldest_size = self._requests.popleft()
                self._bytes -= oldest_size
            return self.generation

    def requests(self) -> list[ReceivedRequest]:
        with self._lock:
            return [request for request, _ in self._requests]

    def clear(self) -> None:
        with self._lock:
            self._requests.clear()
            self._bytes = 0
            self.generation += 1
