"""Times as the service stores them: in ticks of 100 ns since 1970, which keep seven fractional digits."""

import functools
import re
import time
from datetime import datetime, timedelta, timezone

TICKS_PER_SECOND = 10_000_000
MILLISECOND = TICKS_PER_SECOND // 1000
DAY = 24 * 60 * 60 * TICKS_PER_SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
LAST = int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc) - _EPOCH).total_seconds()) * TICKS_PER_SECOND
_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
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
        if self.now() + ahead > LAST - 400 * DAY:
            raise ValueError(f"the clock cannot move past the year 9998: {delta}")
        self._ahead += ahead

    def reset(self) -> None:
        self._ahead = 0


def parse_time(text: str) -> int:
    """The ticks of an RFC 3339 time. Raises ValueError if it is malformed or outside the years 1 to 9999."""
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 time")
    *date_and_time, fraction, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    if offset >= timedelta(days=1):
        raise ValueError("the offset is a day or more")
    local = datetime(*map(int, date_and_time), tzinfo=timezone.utc)  # type: ignore[misc, arg-type]
    seconds = (local - _EPOCH).total_seconds() - offset.total_seconds() * (-1 if sign == "-" else 1)
    ticks = int(seconds) * TICKS_PER_SECOND + int((fraction or "").ljust(7, "0")[:7])
    format_time(ticks)  # raises ValueError if the offset moved the time out of the years 1 to 9999
    return ticks


@functools.lru_cache(maxsize=100_000)
def format_time(ticks: int) -> str:
    """The time as the service writes it: ``+00:00``, up to seven fractional digits, no trailing zeros."""
    seconds, fraction = divmod(ticks, TICKS_PER_SECOND)
    try:
        text = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    except OverflowError:
        raise ValueError("outside the years 1 to 9999") from None
    return f"{text}{f'.{fraction:07}'.rstrip('0').rstrip('.')}+00:00"
