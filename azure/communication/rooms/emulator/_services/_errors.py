"""The errors of the services, and responses with JSON."""

import json
import sqlite3
from collections.abc import Mapping
from http import HTTPStatus

from starlette.authentication import AuthenticationError
from starlette.exceptions import HTTPException
from starlette.responses import Response


def json_response(status_code: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(json.dumps(body, separators=(",", ":")), status_code, headers)
    response.headers["Content-Type"] = "application/json; charset=utf-8"
    return response


class ServiceError(Exception):
    """An error response. ``members`` are added to its JSON.

    Without ``service_headers``, the headers contain neither the code nor the API versions. The log has ``log_reason``
    instead of the message.
    """

    def __init__(
        self,
        status_code: int,
        code: str,
        message: str,
        *,
        service_headers: bool = True,
        log_reason: str | None = None,
        **members: object,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code
        self.body = {"error": {"code": code, "message": message, **members}}
        self.service_headers = service_headers
        self.log_reason = (log_reason or message).encode("unicode_escape").decode("ascii")  # one line of plain text


class DeniedError(ServiceError, AuthenticationError):
    """The credentials are missing or wrong."""

    def __init__(self, log_reason: str, message: str = "Denied by the resource provider.") -> None:
        super().__init__(401, "Denied", message, log_reason=log_reason)


def bad_request(message: str) -> ServiceError:
    return ServiceError(400, "BadRequest", message)


def bad_arguments(*problems: tuple[str, str]) -> ServiceError:
    """An error with a detail for each problem. A problem is a message and a target."""
    details = [{"code": "BadArgument", "message": message, "target": target} for message, target in problems]
    message = "The request could not be understood by the server due to malformed syntax."
    reason = " ".join(message for message, _ in problems)
    return ServiceError(400, "BadRequest", message, service_headers=False, log_reason=reason, details=details)


def wrong_type(wanted: str, target: str) -> ServiceError:
    return bad_arguments((f"The JSON value could not be converted to {wanted}. Path: {target}.", target))


def not_found(message: str = "The server cannot find the requested resource.") -> ServiceError:
    return ServiceError(404, "NotFound", message)


def status_error(status_code: int, message: str) -> ServiceError:
    """An injected fault, or an error that HTTP itself defines. Its code is the name of its status."""
    try:
        code = HTTPStatus(status_code).phrase.replace(" ", "").replace("-", "")
    except ValueError:
        code = "BadRequest" if status_code < 500 else "InternalServerError"
    return ServiceError(status_code, "Denied" if status_code == 401 else code, message)


def service_error(error: Exception) -> ServiceError:
    """The error response for an exception that ended a request."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, sqlite3.Error):
        return status_error(503, f"The database failed: {error}")
    if isinstance(error, HTTPException) and error.status_code == 405:
        return status_error(405, "The method is not allowed on this resource.")
    return not_found("The emulator has no such path. It has only the Rooms and identity services.")
