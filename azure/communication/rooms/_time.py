"""Conversions between times and the text formats of the service."""

import sys
from datetime import datetime, timezone

import isodate

if sys.version_info < (3, 11):  # isodate fills its tables of patterns now. Two threads must not do so at once.
    isodate.parse_datetime("2026-12-01T09:00:00Z")


def parse_time(text: str) -> datetime:
    """Parse an ISO 8601 time. It may have seven fractional digits; Python keeps six. Without a time, it is midnight."""
    try:
        return _as_utc(datetime.fromisoformat(text))
    except ValueError:  # before Python 3.11: seven fractional digits, or "Z"
        return _as_utc(isodate.parse_datetime(text))


def request_time(name: str, time: object) -> str:
    """Format the argument called ``name`` like the released clients: UTC, six fractional digits, ``Z``."""
    return utc_time(name, time).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def response_time(name: str, time: object) -> str:
    """Format the argument called ``name`` like the service: UTC, no trailing zeros, ``+00:00``."""
    text = utc_time(name, time).isoformat(timespec="microseconds").removesuffix("+00:00")
    return text.rstrip("0").removesuffix(".") + "+00:00"


def utc_time(name: str, time: object) -> datetime:
    """Return the argument called ``name`` as a time in UTC. A date stands for midnight UTC."""
    try:
        if isinstance(time, datetime):
            return _as_utc(time)
        if isinstance(time, str):
            return parse_time(time)
        if isoformat := getattr(time, "isoformat", None):  # a date, or a time of another library
            return parse_time(isoformat())
    except OverflowError:
        raise ValueError(f"{name} is outside the years 1 to 9999 in UTC: {time!r}") from None
    except ValueError:
        raise ValueError(f"{name} must be an ISO 8601 time such as '2026-12-01T09:00:00Z', not {time!r}") from None
    raise TypeError(f"{name} must be a datetime, a date or an ISO 8601 string, not {type(time).__name__}")


def _as_utc(time: datetime) -> datetime:
    """Return the same instant in UTC. A time without a time zone counts as UTC, as in every Azure SDK."""
    return time.replace(tzinfo=timezone.utc) if time.utcoffset() is None else time.astimezone(timezone.utc)
