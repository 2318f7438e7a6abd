"""The real time, the clock of the rooms, which tests can move forward, and times in the service's JSON."""

import functools
import re
from datetime import datetime, timedelta, timezone
from importlib.util import find_spec, module_from_spec

# A copy of the module time. Libraries such as freezegun replace the functions of the original, and the server would
# then wait forever.
_spec = find_spec("time")
if _spec is None or _spec.loader is None:
    raise ImportError("Python has no module time")
real_time = module_from_spec(_spec)
_spec.loader.exec_module(real_time)

TICKS_PER_SECOND = 10_000_000
"""Times of rooms are in ticks of 100 ns since 1970, which keep seven fractional digits."""
DAY = 24 * 60 * 60 * TICKS_PER_SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LAST_NOW = (datetime(9999, 1, 1, tzinfo=timezone.utc) - EPOCH) // timedelta(seconds=1) * TICKS_PER_SECOND

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,16}))?)?(?:Z|([+-])(\d\d)(?::([0-5]\d))?)?)?",
    re.ASCII,
)


def real_now() -> datetime:
    """The real time, in UTC."""
    return EPOCH + timedelta(microseconds=real_time.time_ns() // 1000)


class Clock:
    """The clock of the rooms. Signatures are checked against the real time."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        """How far :meth:`advance` moved the clock."""
        self.client_ahead = 0.0
        """How many seconds the latest client's clock is ahead of the real time: 0, unless a test froze the time."""

    def client_now(self) -> int:
        """The time in ticks, by the clock of the latest client."""
        return int(real_time.time_ns()) // 100 + int(self.client_ahead * TICKS_PER_SECOND)

    def now(self) -> int:
        """The time in ticks."""
        return self.client_now() + self.ahead // timedelta(microseconds=1) * 10

    def advance(self, delta: timedelta) -> None:
        if delta < timedelta():
            raise ValueError(f"the clock can only move forward, not by {delta}")
        if self.now() + delta // timedelta(microseconds=1) * 10 >= _LAST_NOW:
            raise ValueError(f"the clock cannot move past the year 9998: {delta}")
        self.ahead += delta

    def reset(self) -> None:
        self.ahead = timedelta()
        self.client_ahead = 0.0


def parse_time(text: str) -> int:
    """The ticks of a time in a form that .NET's System.Text.Json accepts. Without a zone, the time is in UTC.

    Raises ValueError if the time is malformed, and OverflowError if it is outside the years 1 to 9999.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a time that System.Text.Json accepts")
    year, month, day, hour, minute, second = (int(group or 0) for group in match.groups()[:6])
    fraction, sign, offset_hours, offset_minutes = match.groups()[6:]
    offset = timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
    if offset > timedelta(hours=14):
        raise ValueError("the offset is more than 14 hours")
    zone = timezone(-offset if sign == "-" else offset)
    since_epoch = datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(timezone.utc) - EPOCH
    return since_epoch // timedelta(seconds=1) * TICKS_PER_SECOND + int((fraction or "").ljust(7, "0")[:7])


@functools.lru_cache(maxsize=100_000)
def format_time(ticks: int) -> str:
    """The time as the service writes it: ``+00:00``, up to seven fractional digits, no trailing zeros."""
    seconds, fraction = divmod(ticks, TICKS_PER_SECOND)
    text = (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    return f"{text}{f'.{fraction:07}'.rstrip('0').rstrip('.')}+00:00"
