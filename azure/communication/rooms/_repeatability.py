"""What makes a create repeatable: sent again with the same two headers, the service executes it once."""

import re
import time
import uuid
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from ._http import REPEATABILITY_FIRST_SENT, REPEATABILITY_REQUEST_ID
from ._time import as_utc, http_date

_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", re.ASCII)


def repeatability_headers(
    request_id: str | uuid.UUID | None, first_sent: datetime | None, headers: Mapping[str, str]
) -> dict[str, str]:
    """Return the two headers of a create: the caller's pair, given by keyword or in ``headers``, or else a new one.

    A half pair is an error: if the client made up the other half, the service would see a new request each time.
    """
    given = {name.lower(): value for name, value in headers.items()}
    header_id = given.get(REPEATABILITY_REQUEST_ID.lower())
    header_date = given.get(REPEATABILITY_FIRST_SENT.lower())
    if header_id is not None or header_date is not None:
        if request_id is not None or first_sent is not None:
            raise ValueError("give the repeatability headers by keyword or in headers, not both")
        if header_id is None or header_date is None:
            raise ValueError(f"headers must have both {REPEATABILITY_REQUEST_ID} and {REPEATABILITY_FIRST_SENT}")
        _parse_uuid(f"headers: {REPEATABILITY_REQUEST_ID}", header_id)
        _check_date(f"headers: {REPEATABILITY_FIRST_SENT}", header_date)
        return {}
    if request_id is None and first_sent is None:
        return {REPEATABILITY_REQUEST_ID: str(uuid.uuid4()), REPEATABILITY_FIRST_SENT: http_date(time.time())}
    if request_id is None or first_sent is None:
        raise ValueError("repeatability_request_id and repeatability_first_sent go together: give both or neither")
    if not isinstance(request_id, (str, uuid.UUID)):
        raise TypeError(f"repeatability_request_id must be a str or a UUID, not {type(request_id).__name__}")
    if not isinstance(first_sent, datetime):
        raise TypeError(f"repeatability_first_sent must be a datetime, not {type(first_sent).__name__}")
    return {
        REPEATABILITY_REQUEST_ID: str(_parse_uuid("repeatability_request_id", str(request_id))),
        REPEATABILITY_FIRST_SENT: http_date(as_utc(first_sent).timestamp()),
    }


def _parse_uuid(name: str, value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError:
        raise ValueError(f"{name} must be a UUID, not {value!r}") from None


def _check_date(name: str, value: str) -> None:
    try:
        if _HTTP_DATE.fullmatch(value) and parsedate_to_datetime(value):
            return
    except ValueError:
        pass  # a date that does not exist is refused like any other malformed value
    raise ValueError(f"{name} must be an HTTP date such as 'Thu, 27 Jul 2023 16:34:41 GMT', not {value!r}")
