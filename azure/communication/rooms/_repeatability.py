"""What makes a request repeatable. The service creates a room once for the same two headers."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import formatdate
from uuid import UUID, uuid4  # by name, so that a test's patch of the module doesn't give two rooms the same ID

from azure.core.rest import HttpRequest

from ._time import utc_time

REPEATABILITY_REQUEST_ID = "Repeatability-Request-ID"
REPEATABILITY_FIRST_SENT = "Repeatability-First-Sent"


class RepeatableRequest(HttpRequest):
    """A request that can be sent again: the service executes it only once, or it is idempotent."""


def repeatability_headers(
    request_id: str | UUID | None, first_sent: datetime | None, headers: Mapping[str, str]
) -> dict[str, str]:
    """Return the two headers: the caller's, who passes both by keyword or both in ``headers``, or new ones."""
    given = {REPEATABILITY_REQUEST_ID.lower(), REPEATABILITY_FIRST_SENT.lower()} & {name.lower() for name in headers}
    if given:
        if request_id is not None or first_sent is not None:
            raise ValueError("pass the repeatability headers by keyword or in headers, not both")
        if len(given) == 1:
            raise ValueError(f"headers must have both {REPEATABILITY_REQUEST_ID} and {REPEATABILITY_FIRST_SENT}")
        return {}  # the client sends them with the caller's other headers
    if request_id is None and first_sent is None:
        return {REPEATABILITY_REQUEST_ID: str(uuid4()), REPEATABILITY_FIRST_SENT: formatdate(usegmt=True)}
    if request_id is None or first_sent is None:
        raise ValueError("repeatability_request_id and repeatability_first_sent go together: pass both or neither")
    try:
        repeatability_id = UUID(str(request_id))
    except ValueError:
        raise ValueError(f"repeatability_request_id must be a UUID, not {request_id!r}") from None
    date = formatdate(utc_time("repeatability_first_sent", first_sent).timestamp(), usegmt=True)
    return {REPEATABILITY_REQUEST_ID: str(repeatability_id), REPEATABILITY_FIRST_SENT: date}
