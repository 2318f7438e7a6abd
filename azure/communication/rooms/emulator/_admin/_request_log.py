"""The requests that the emulator received."""

import threading
from dataclasses import dataclass
from datetime import datetime

from ._faults import Fault

_MAX_REQUESTS = 10_000
_MAX_BYTES = 64_000_000


@dataclass(eq=False)
class ReceivedRequest:
    """A request that reached the emulator."""

    method: str
    path: str
    query: str
    """As sent, like the path. Neither has the question mark."""
    headers: dict[str, str]
    """The headers without ``Authorization``. Names are in lower case."""
    body: bytes
    received_at: datetime
    """When the request arrived, in UTC and by the real clock."""
    status_code: int | None = None
    """The status code of the response. None if no response has been sent."""
    response_body: bytes = b""
    duration: float | None = None
    """Seconds until the response was ready or the connection was dropped. None before."""
    executed: bool = False
    """Whether the emulator processed the request as the service would. False if a fault prevented it."""
    fault: Fault | None = None
    """The injected fault that applied to the request, if any."""
    reason: str | None = None
    """Why the response is an error. None for other responses."""


class RequestLog:
    """The latest requests: at most 10,000, with at most 64 MB. Any thread may use it."""

    def __init__(self) -> None:
        self._sizes: dict[ReceivedRequest, int] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, request: ReceivedRequest) -> None:
        texts = [request.path, request.query, *request.headers, *request.headers.values()]
        with self._lock:
            self._grow(request, 1000 + len(request.body) + sum(map(len, texts)))

    def add_response(self, request: ReceivedRequest, body: bytes) -> None:
        with self._lock:
            if request in self._sizes:  # it may have been cleared
                request.response_body = body
                self._grow(request, len(body))

    def _grow(self, request: ReceivedRequest, size: int) -> None:
        self._sizes[request] = self._sizes.get(request, 0) + size
        self._bytes += size
        while len(self._sizes) > _MAX_REQUESTS or self._bytes > _MAX_BYTES:
            self._bytes -= self._sizes.pop(next(iter(self._sizes)))

    def requests(self) -> list[ReceivedRequest]:
        with self._lock:
            return list(self._sizes)

    def clear(self) -> None:
        with self._lock:
            self._sizes.clear()
            self._bytes = 0
