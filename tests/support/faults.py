"""The kinds of faults that the tests share. To add a fault of the emulator to them, add it here."""

from typing import Any, NamedTuple


class FaultKind(NamedTuple):
    """The arguments of ``inject``, and what happens to the request."""

    arguments: dict[str, Any]
    is_executed: bool
    response_arrives: bool

    @property
    def is_retried(self) -> bool:
        """Whether the client sends the request again. It does not if the service's own response arrives."""
        return not (self.is_executed and self.response_arrives)


FAULTS = {
    "429": FaultKind({"status": 429}, is_executed=False, response_arrives=True),
    "429, Retry-After 0": FaultKind({"status": 429, "retry_after": 0}, is_executed=False, response_arrives=True),
    "500": FaultKind({"status": 500}, is_executed=False, response_arrives=True),
    "503, Retry-After a date": FaultKind(
        {"status": 503, "retry_after": "Thu, 01 Jan 1970 00:00:00 GMT"}, is_executed=False, response_arrives=True
    ),
    "503, HTML": FaultKind({"status": 503, "body": b"<html>"}, is_executed=False, response_arrives=True),
    "dropped before": FaultKind({"drop": "before"}, is_executed=False, response_arrives=False),
    "dropped after": FaultKind({"drop": "after"}, is_executed=True, response_arrives=False),
    "truncated": FaultKind({"truncate": True}, is_executed=True, response_arrives=False),
    "delayed": FaultKind({"delay": 0.001}, is_executed=True, response_arrives=True),
}
BROKEN_CONNECTIONS = {name: kind for name, kind in FAULTS.items() if not kind.response_arrives}
