"""The requests that the emulator received."""

from dataclasses import dataclass
from datetime import datetime

from ._faults import Fault

_MAX_REQUESTS = 10_000


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
    """Why the response is an error. None for other responses."""


class RequestLog:
    """The latest requests. The server's thread adds requests, and any thread can read and clear them."""

    def __init__(self) -> None:
        self._requests: list[ReceivedRequest] = []

    def add(self, request: ReceivedRequest) -> None:
        self._requests.append(request)
        del self._requests[:-_MAX_REQUESTS]

    def requests(self) -> list[ReceivedRequest]:
        return self._requests.copy()

    def clear(self) -> None:
        self._requests.clear()
