"""Conversions between datetimes and the text formats of the service and of HTTP."""

from datetime import datetime, timezone
from email.utils import formatdate

_UTC = timezone.utc


def parse_time(text: str) -> datetime:
    """Parse a time in the service's format, with up to seven fractional digits. Python keeps six of them."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        # Before Python 3.11, the standard library accepts only three or six fractional digits, and no "Z".
        time = _parse_iso_8601(text)
    return time if time.tzinfo is _UTC else as_utc(time)


def as_utc(time: datetime) -> datetime:
    """Return the same instant in UTC. A time without a time zone counts as UTC, as in every Azure SDK."""
    return time.replace(tzinfo=_UTC) if time.utcoffset() is None else time.astimezone(_UTC)


def request_time(name: str, time: object) -> str:
    """Format the argument called ``name`` like the released clients: UTC, six fractional digits, ``Z``."""
    return _argument(name, time).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def response_time(name: str, time: object) -> str:
    """Format the argument called ``name`` like the service: UTC, no trailing zeros, ``+00:00``."""
    text = _argument(name, time).isoformat(timespec="microseconds").removesuffix("+00:00")
    return text.rstrip("0").removesuffix(".") + "+00:00"


def http_date(timestamp: float) -> str:
    """Format the timestamp, to the second, as an IMF-fixdate such as ``Thu, 27 Jul 2023 16:34:41 GMT``."""
    return formatdate(timestamp, usegmt=True)


def _argument(name: str, time: object) -> datetime:
    if isinstance(time, str):
        try:
            return as_utc(_parse_iso_8601(time))
        except (ValueError, OverflowError):
            raise ValueError(f"{name} must be an ISO 8601 time such as '2026-12-01T09:00:00Z', not {time!r}") from None
    if not isinstance(time, datetime):
        raise TypeError(f"{name} must be a datetime or an ISO 8601 string, not {type(time).__name__}")
    try:
        return as_utc(time)
    except OverflowError:
        raise ValueError(f"{name} is outside the years 1 to 9999 in UTC: {time!r}") from None


def _parse_iso_8601(text: str) -> datetime:
    import isodate  # noqa: PLC0415 - Python 3.11 and later need it only for times passed as strings

    time: datetime = isodate.parse_datetime(text)
    return time
