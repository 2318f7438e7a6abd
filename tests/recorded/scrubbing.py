"""What recordings keep of each exchange. Everything else could identify the resource."""

import json
import re
from typing import Any

from vcr.request import Request  # type: ignore[import-untyped]

REPLACED_ENDPOINT = "https://sanitized.communication.azure.com"
KEPT_HEADERS = {"content-type", "location", "repeatability-result", "retry-after", "x-ms-error-code"}

# The tests send only these IDs.
ALICE = "8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000001"
NO_SUCH_ROOM = "99000000000000000"


def _scrub_request(request: Request) -> Request:
    """Leave only what a request must match in replay. Two JSON bodies match in any order and spacing."""
    content: Any = request.body
    body = json.dumps(json.loads(content), sort_keys=True) if content else None
    headers = {name: value for name, value in request.headers.items() if name.lower() == "content-type"}
    return Request(request.method, _without_host(request.uri), body, headers)


def _scrub_response(response: dict[str, Any]) -> dict[str, Any]:
    headers = {name: values for name, values in response["headers"].items() if name.lower() in KEPT_HEADERS}
    body = _without_host(response["body"]["string"].decode())
    return {**response, "headers": headers, "body": {"string": body.encode()}}


def _without_host(text: str) -> str:
    return re.sub(r"https?://[^/\"']+", REPLACED_ENDPOINT, text)


VCR_CONFIG = {
    "before_record_request": _scrub_request,
    "before_record_response": _scrub_response,
    "decode_compressed_response": True,
    "match_on": ("method", "uri", "headers", "raw_body"),
}
