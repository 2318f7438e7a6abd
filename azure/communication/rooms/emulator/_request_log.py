"""The requests that the emulator received."""

from dataclasses import dataclass, field
from datetime import datetime

from ._faults import Fault

_MAX_REQUESTS = 10_000
_MAX_BYTES = 64 * 1024 * 1024
_OVERHEAD = 200  # roughly the bytes that Python needs for a request or a header in addition to its text


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
    reason: str | None = None
    """Why the response is an error, if it is one."""

    @property
    def _size(self) -> int:
        headers = sum(len(name) + len(value) + _OVERHEAD for name, value in self.headers.items())
        return len(self.path) + len(self.query) + len(self.body) + headers + _OVERHEAD


@dataclass(eq=False)
class Generation:
    """The requests between two resets. A request that arrives before a reset is not executed after it."""

    requests: list[tuple[ReceivedRequest, int]] = field(default_factory=list)
    """The requests and their sizes, oldest first."""
    size: int = 0


class RequestLog:
    """The latest requests. Only the server's thread adds requests. Any thread can read and clear them.

    It has no lock. If it had one, a signal handler that stops the emulator could hang: the server's thread would wait
    for a lock that the interrupted thread holds.
    """

    def __init__(self) -> None:
        self.generation = Generation()

    def add(self, request: ReceivedRequest) -> Generation:
        """Add the request, drop the oldest ones if the log is full, and return the current generation."""
        size = request._size
        generation = self.generation
        generation.requests.append((request, size))
        generation.size += size
        while len(generation.requests) > _MAX_REQUESTS or generation.size > _MAX_BYTES:
            _, oldest_size = generation.requests.pop(0)
            generation.size -= oldest_size
        return generation

    def requests(self) -> list[ReceivedRequest]:
        return [request for request, _ in self.generation.requests.copy()]

    def clear(self) -> None:
        self.generation = Generation()
