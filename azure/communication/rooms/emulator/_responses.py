"""Responses in the service's format."""

import json
import secrets
from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from ._errors import ServiceError

_COMMON_HEADERS = [
    (b"request-context", b"appId="),
    (b"strict-transport-security", b"max-age=31536000;includeSubDomains"),
    (b"x-cache", b"CONFIG_NOCACHE"),
]


def json_response(status_code: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(json.dumps(body, separators=(",", ":")), status_code, headers)
    response.headers["Content-Type"] = "application/json; charset=utf-8"
    return response


def error_response(error: ServiceError, api_versions: Sequence[str] = ()) -> Response:
    """The response for an error.

    As in the service, if the error has details, the headers contain neither its code nor the API versions.
    """
    if error.has_details:
        return json_response(error.status_code, error.body)
    response = json_response(error.status_code, error.body, {"x-ms-error-code": error.code})
    if api_versions:
        add_api_versions(response, api_versions)
    return response


def add_api_versions(response: Response, api_versions: Sequence[str]) -> None:
    response.headers["api-supported-versions"] = ", ".join(api_versions)


def add_common_headers(response: Response, request: Request) -> None:
    """Add the headers that all responses have."""
    if request.scope["http_version"] != "1.0":
        del response.headers["Content-Length"]  # the server then sends the body chunked, as the service does
    if "origin" in request.headers:
        response.headers["Access-Control-Allow-Origin"] = "*"
    response.raw_headers += _COMMON_HEADERS
    response.raw_headers.append((b"ms-cv", f"{secrets.token_urlsafe(16)}.0".encode("ascii")))
    response.raw_headers.append((b"x-azure-ref", secrets.token_urlsafe(32).encode("ascii")))
