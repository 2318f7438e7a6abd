"""What makes a create repeatable: if it is sent again with the same two headers, the service executes it once."""

import time
import uuid
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from ._http import REPEATABILITY_FIRST_SENT, REPEATABILITY_REQUEST_ID
from ._time import as_utc, http_date


def repeatability_headers(
    request_id: str | uuid.UUID | None, first_sent: datetime | None, headers: Mapping[str, str]
) -> dict[str, str]:
    """Return the two headers of a create: the caller's, or new ones.

    The caller passes both by keyword, or both in ``headers``. One alone is an error: if the client generated the other,
    the service would treat each repetition as a new request.
    """
    header_id, header_date = _repeatability(headers)
    if header_id is not None or header_date is not None:
        if request_id is not None or first_sent is not None:
            raise ValueError("pass the repeatability headers by keyword or in headers, not both")
        if header_id is None or header_date is None:
            raise ValueError(f"headers must have both {REPEATABILITY_REQUEST_ID} and {REPEATABILITY_FIRST_SENT}")
        _check_uuid(header_id)
        _check_date(header_date)
        return {}  # the client sends them with the caller's other headers
    if request_id is None and first_sent is None:
        return {REPEATABILITY_REQUEST_ID: str(uuid.uuid4()), REPEATABILITY_FIRST_SENT: http_date(time.time())}
    if request_id is None or first_sent is None:
        raise ValueError("repeatability_request_id and repeatability_first_sent go together: pass both or neither")
    return {REPEATABILITY_REQUEST_ID: _request_id(request_id), REPEATABILITY_FIRST_SENT: _first_sent(first_sent)}


def check_client_headers(headers: Mapping[str, str]) -> None:
    """Raise a ValueError if the client's own headers contain repeatability headers, which every create would share."""
    if _repeatability(headers) != (None, None):
        raise ValueError(
            "headers: pass repeatability headers to a single create_room, not to the client: "
            "the service would execute only the client's first create"
        )


def _repeatability(headers: Mapping[str, str]) -> tuple[str | None, str | None]:
    lower_case = {str(name).lower(): value for name, value in headers.items()}
    return lower_case.get(REPEATABILITY_REQUEST_ID.lower()), lower_case.get(REPEATABILITY_FIRST_SENT.lower())


def _request_id(value: object) -> str:
    if not isinstance(value, (str, uuid.UUID)):
        raise TypeError(f"repeatability_request_id must be a str or a UUID, not {type(value).__name__}")
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise ValueError(f"repeatability_request_id must be a UUID, not {value!r}") from None


def _first_sent(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"repeatability_first_sent must be a datetime, not {type(value).__name__}")
    try:
        return http_date(as_utc(value).replace(microsecond=0).timestamp())
    except OverflowError:
        raise ValueError(f"repeatability_first_sent is outside the years 1 to 9999 in UTC: {value!r}") from None


def _check_uuid(value: object) -> None:
    try:
        if isinstance(value, str) and str(uuid.UUID(value)) == value.lower():
            return
    except ValueError:
        pass  # rejected below, like other forms of a UUID, because the client sends the header unchanged
    raise ValueError(f"headers: {REPEATABILITY_REQUEST_ID} must be a hyphenated UUID, not {value!r}")


def _check_date(value: object) -> None:
    try:
        if isinstance(value, str) and http_date(parsedate_to_datetime(value).timestamp()) == value:
            return
    except (ValueError, OverflowError):
        pass  # rejected below, like a date with the wrong day of the week
    example = "Thu, 27 Jul 2023 16:34:41 GMT"
    raise ValueError(f"headers: {REPEATABILITY_FIRST_SENT} must be an HTTP date such as {example!r}, not {value!r}")
