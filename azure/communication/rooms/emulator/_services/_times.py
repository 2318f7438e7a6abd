"""Times in the service's JSON."""

import functools
import re
from datetime import datetime, timedelta, timezone

from .._clock import EPOCH, TICKS_PER_SECOND

MILLISECOND = TICKS_PER_SECOND // 1000
DAY = 24 * 60 * 60 * TICKS_PER_SECOND

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,16}))?)?(?:Z|([+-])(\d\d)(?::([0-5]\d))?)?)?",
    re.ASCII,
)


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
