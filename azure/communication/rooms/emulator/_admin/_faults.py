"""Faults that a test injects into the emulator."""

import asyncio
import random
import re
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from typing import Literal

from .._clock import real_time

_TYPES = {
    **dict.fromkeys(("status", "times", "after"), (int, "an integer")),
    **dict.fromkeys(("delay", "probability"), (int | float, "a number")),
    **dict.fromkeys(("method", "path"), (str, "a string")),
    "retry_after": (int | float | str, "a number or a string"),
    "truncate": (bool, "true or false"),
    "body": (bytes, "bytes"),
}


@dataclass(frozen=True)
class Fault:
    """A fault for the next requests that match it. :meth:`RoomsEmulator.inject` explains its attributes.

    Without arguments, it does nothing to a request.
    """

    status: int | None = None
    retry_after: float | str | None = None
    drop: Literal["before", "after"] | None = None
    delay: float = 0.0
    truncate: bool = False
    body: bytes | None = None
    times: int = 1
    after: int = 0
    probability: float = 1.0
    method: str | None = None
    path: str | None = None

    def __post_init__(self) -> None:
        self._check_types()
        status = 200 if self.status is None else self.status
        sends_nothing = self.drop and (self.replaces_response or self.truncate)
        for is_wrong, problem in (
            (self.retry_after is not None and self.status is None, "retry_after needs a status"),
            ("\\" in ascii(self.retry_after), "retry_after is not valid"),  # ascii() escapes what no header may contain
            (self.drop not in (None, "before", "after"), f"drop must be 'before' or 'after', not {self.drop!r}"),
            (sends_nothing, "drop sends no response, so it cannot be combined with status, body or truncate"),
            (not 200 <= status <= 599, f"status must be from 200 to 599, not {status}"),
            (self.body and status in (204, 304), f"a response with status code {status} has no body"),
            (self.times < 1, f"times must be at least 1, not {self.times}"),
            (self.after < 0, f"after must not be negative: {self.after}"),
            (not 0 < self.probability <= 1, f"probability must be above 0 and at most 1, not {self.probability}"),
            (not self.delay >= 0, f"delay must not be negative: {self.delay}"),
            (not (self.path or "/").startswith(("/", "*")), f"path must begin with / or *: {self.path!r}"),
        ):
            if is_wrong:
                raise ValueError(problem)

    def _check_types(self) -> None:
        for field in fields(self):
            value, (wanted, description) = getattr(self, field.name), _TYPES.get(field.name, (object, ""))
            if value is not field.default and not isinstance(value, wanted):
                raise TypeError(f"{field.name} must be {description}, not {value!r}")

    @property
    def replaces_response(self) -> bool:
        """Whether the emulator sends the fault's response instead of executing the request."""
        return self.status is not None or self.body is not None

    def matches(self, method: str, path: str, query: str) -> bool:
        if self.method is not None and self.method.upper() != method:
            return False
        if self.path is None:
            return True
        target = f"{path}?{query}" if "?" in self.path else path
        return fnmatchcase(target, re.sub(r"[?[]", r"[\g<0>]", self.path))  # only * is a wildcard


class Faults:
    """The faults that still apply to requests. Only the server's thread takes them; any thread may add and clear."""

    def __init__(self) -> None:
        self._faults: list[_Entry] = []
        self._delays_ended = 0

    def add(self, fault: Fault) -> None:
        if not (fault.replaces_response or fault.drop or fault.delay or fault.truncate):
            raise ValueError("nothing to inject: pass status, body, drop, delay or truncate")
        self._faults.append(_Entry(fault, fault.times, fault.after))

    def take(self, method: str, path: str, query: str) -> Fault | None:
        """Return the first fault that applies to the request, if any, and use up one of its ``times``."""
        faults = self._faults
        for entry in faults:
            if not entry.fault.matches(method, path, query):
                continue
            if entry.skips_left:
                entry.skips_left -= 1
            elif random.random() < entry.fault.probability:
                entry.times_left -= 1
                if not entry.times_left:
                    faults.remove(entry)
                return entry.fault
        return None

    def pending(self) -> list[Fault]:
        """The faults that have not applied to any request."""
        return [entry.fault for entry in self._faults.copy() if entry.times_left == entry.fault.times]

    def remaining(self) -> list[Fault]:
        """The faults that still apply to requests, with what is left of ``times`` and ``after``."""
        return [
            replace(entry.fault, times=entry.times_left, after=entry.skips_left)
            for entry in self._faults.copy()
            if entry.times_left
        ]

    def clear(self) -> None:
        self._faults = []

    async def delay(self, seconds: float) -> bool:
        """Wait. Return False if :meth:`end_delays` ended the delay."""
        before = self._delays_ended
        end = real_time.monotonic() + seconds
        # Other threads end delays, and they cannot set an asyncio.Event.
        while self._delays_ended == before and (left := end - real_time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, 0.05))
        return self._delays_ended == before

    def end_delays(self) -> None:
        """End the delays in progress. The delayed requests are not executed."""
        self._delays_ended += 1


@dataclass(eq=False)
class _Entry:
    fault: Fault
    times_left: int
    skips_left: int
