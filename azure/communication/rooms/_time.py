"""Conversions between datetimes and the texts of the service and of HTTP."""

from datetime import datetime, timezone
from email.utils import formatdate


def parse_time(text: str) -> datetime:
    """Read a time as the service writes it, with up to seven fractional digits; Python holds six of them."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        # Before Python 3.11 the standard library reads three or six digits only, and no "Z".
        import isodate  # noqa: PLC0415 - an import that later Pythons never need

        time = isodate.parse_datetime(text)
    return time if time.tzinfo is timezone.utc else as_utc(time)


def as_utc(time: datetime) -> datetime:
    """The same instant in UTC; a time without time zone is in UTC already, as in every Azure SDK."""
    return time.replace(tzinfo=timezone.utc) if time.utcoffset() is None else time.astimezone(timezone.utc)


def request_time(name: str, time: object) -> str:
    """Write the argument called ``name`` as the released clients do: UTC, six fractional digits, ``Z``."""
    if not isinstance(time, datetime):
        raise TypeError(f"{name} must be a datetime, not {type(time).__name__}")
    try:
        return as_utc(time).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    except OverflowError:
        raise ValueError(f"{name} is outside of the years 1 to 9999 in UTC: {time!r}") from None


def response_time(name: str, time: object) -> str:
    """Write the argument called ``name`` as the service does: UTC, no trailing zeros, ``+00:00``."""
    text = request_time(name, time).removesuffix("Z")
    return text.rstrip("0").removesuffix(".") + "+00:00"


def http_date(timestamp: float) -> str:
    """Return the second as an IMF-fixdate, such as ``Thu, 27 Jul 2023 16:34:41 GMT``."""
    return formatdate(timestamp, usegmt=True)
