"""What makes a create repeatable: if it is sent again with the same two headers, the service executes it once."""

import time
import uuid
from collections.abc import Mapping
from datetime import datetime

from ._time import http_date, utc_time

REPEATABILITY_REQUEST_ID = "Repeatability-Request-ID"
REPEATABILITY_FIRST_SENT = "Repeatability-First-Sent"


def repeatability_headers(
    request_id: str | uuid.UUID | None, first_sent: datetime | None, headers: Mapping[str, str]
) -> dict[str, str]:
    """Return the two headers of a create: the caller's, or new ones.

    The caller passes both by keyword, or both in ``headers``. One alone is an error: if the client generated the other,
    the service would treat each repetition as a new request.
    """
    given = {REPEATABILITY_REQUEST_ID.lower(), REPEATABILITY_FIRST_SENT.lower()} & {name.lower() for name in headers}
    if given:
        if request_id is not None or first_sent is not None:
            raise ValueError("pass the repeatability headers by keyword or in headers, not both")
        if len(given) == 1:
            raise ValueError(f"headers must have both {REPEATABILITY_REQUEST_ID} and {REPEATABILITY_FIRST_SENT}")
        return {}  # the client sends them with the caller's other headers
    if request_id is None and first_sent is None:
        return {REPEATABILITY_REQUEST_ID: str(uuid.uuid4()), REPEATABILITY_FIRST_SENT: http_date(time.time())}
    if request_id is None or first_sent is None:
        raise ValueError("repeatability_request_id and repeatability_first_sent go together: pass both or neither")
    try:
        repeatability_id = uuid.UUID(str(request_id))
    except ValueError:
        raise ValueError(f"repeatability_request_id must be a UUID, not {request_id!r}") from None
    timestamp = utc_time("repeatability_first_sent", first_sent).timestamp()
    return {REPEATABILITY_REQUEST_ID: str(repeatability_id), REPEATABILITY_FIRST_SENT: http_date(timestamp)}
