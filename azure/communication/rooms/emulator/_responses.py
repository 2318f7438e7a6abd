"""Responses in the service's format."""

import json
import secrets
from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from ._errors import ServiceError

_JSON = "application/json; charset=utf-8"


def json_response(status_code: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(json.dumps(body, separators=(",", ":")), status_code, headers)
    response.headers["Content-Type"] = _JSON
    return response


def error_response(error: ServiceError, api_versions: Sequence[str] = ()) -> Response:
    response = json_response(error.status_code, error.body)
    if not error.is_bare:
        response.headers["x-ms-error-code"] = error.code
        if api_versions:
            add_api_versions(response, api_versions)
    return response


def add_api_versions(response: Response, api_versions: Sequence[str]) -> None:
    response.headers["api-supported-versions"] = ", ".join(api_versions)


def add_common_headers(response: Response, request: Request) -> None:
    """Add the headers of all responses. The identity service differs from the Rooms service in a few of them."""
    headers = response.headers
    is_error = response.status_code >= 400
    is_identity = request.scope["path"].startswith(("/identities", "/teamsUser"))
    if is_identity:
        headers["X-Processing-Time"] = "1ms"
        if is_error and headers.get("Content-Type") == _JSON:
            headers["Content-Type"] = "application/json"
            del headers["x-ms-error-code"]
    if (is_error or not is_identity) and request.scope["http_version"] != "1.0":
        del headers["Content-Length"]  # the server then sends the body chunked, as the service does
    request_id = request.headers.get("x-ms-client-request-id")
    if request_id and (is_identity or request.headers.get("x-ms-return-client-request-id", "").lower() == "true"):
        headers["x-ms-client-request-id"] = request_id
    if "origin" in request.headers:
        headers["Access-Control-Allow-Origin"] = "*"
    headers["MS-CV"] = f"{secrets.token_urlsafe(16)}.0"
    headers["Request-Context"] = "appId="
    headers["Strict-Transport-Security"] = "max-age=31536000;includeSubDomains"
    headers["X-Azure-Ref"] = secrets.token_urlsafe(32)
    headers["X-Cache"] = "CONFIG_NOCACHE"
