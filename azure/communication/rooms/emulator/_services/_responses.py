"""Responses with JSON."""

import json
from collections.abc import Mapping

from starlette.responses import Response


def json_response(status_code: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(json.dumps(body, separators=(",", ":")), status_code, headers)
    response.headers["Content-Type"] = "application/json; charset=utf-8"
    return response
