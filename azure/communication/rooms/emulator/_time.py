"""Times as the service stores them: in ticks of 100 ns since 1970, which keep seven fractional digits."""

import functools
import re
import time
from datetime import datetime, timedelta, timezone

TICKS_PER_SECOND = 10_000_000
MILLISECOND = TICKS_PER_SECOND // 1000
DAY = 24 * 60 * 60 * TICKS_PER_SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LAST_NOW = (datetime(9999, 1, 1, tzinfo=timezone.utc) - _EPOCH).days * DAY
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,16}))?)?(?:Z|([+-])(\d\d)(?::([0-5]\d))?)?)?",
    re.ASCII,
)


class Clock:
    """The clock for rooms. Tests can move it forward. Signatures are checked against the real time."""

    def __init__(self) -> None:
        self._ahead = 0

    def now(self) -> int:
        return time.time_ns() // 100 + self._ahead

    def advance(self, delta: timedelta) -> None:
        if delta < timedelta():
            raise ValueError(f"the clock can only move forward, not by {delta}")
        ahead = delta // timedelta(microseconds=1) * 10
        if self.now() + ahead >= _LAST_NOW:
            raise ValueError(f"the clock cannot move past the year 9998: {delta}")
        self._ahead += ahead

    def reset(self) -> None:
        self._ahead = 0


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
    since_epoch = datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(timezone.utc) - _EPOCH
    return since_epoch // timedelta(seconds=1) * TICKS_PER_SECOND + int((fraction or "").ljust(7, "0")[:7])


@functools.lru_cache(maxsize=100_000)
def format_time(ticks: int) -> str:
    """The time as the service writes it: ``+00:00``, up to seven fractional digits, no trailing zeros."""
    seconds, fraction = divmod(ticks, TICKS_PER_SECOND)
    text = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    return f"{text}{f'.{fraction:07}'.rstrip('0').rstrip('.')}+00:00"
