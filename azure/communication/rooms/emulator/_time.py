"""Times as the service keeps them: in ticks of 100 ns since 1970, which hold its seven fractional digits."""

import functools
import re
import time
from datetime import datetime, timedelta, timezone

TICKS_PER_SECOND = 10_000_000
DAY = 24 * 60 * 60 * TICKS_PER_SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
LAST = int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc) - _EPOCH).total_seconds()) * TICKS_PER_SECOND
_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)


def now() -> int:
    return time.time_ns() // 100


def parse(text: str) -> int:
    """The ticks of an RFC 3339 time. ValueError where it is none, or not within the years 1 to 9999."""
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
    text_of(ticks)  # the offset may have carried it out of the years
    return ticks


@functools.lru_cache(maxsize=100_000)
def text_of(ticks: int) -> str:
    """The time as the service writes it: ``+00:00``, up to seven fractional digits, no trailing zeros."""
    seconds, fraction = divmod(ticks, TICKS_PER_SECOND)
    try:
        text = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    except OverflowError:
        raise ValueError("not within the years 1 to 9999") from None
    return f"{text}{f'.{fraction:07}'.rstrip('0').rstrip('.')}+00:00"
