"""What the services have in common: from a request to its operation, and from an error to a response."""

import secrets
import sqlite3
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.authentication import AuthenticationBackend
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from ._errors import ServiceError, json_response, service_error
from ._request import ServiceRequest

Operation = Callable[[ServiceRequest], Response]


class Service:
    """A service of the resource. ``app`` is its ASGI application.

    The path in a request's scope must be the path as sent, not percent-decoded, and its state must have the ``body``.
    """

    prefix = ""
    """How the paths of the service begin."""
    api_versions: tuple[str, ...]

    def __init__(self, credentials: AuthenticationBackend, routes: Sequence[Route]) -> None:
        self.app = Starlette(
            routes=routes,
            middleware=[Middleware(AuthenticationMiddleware, backend=credentials, on_error=self._error)],
            exception_handlers=dict.fromkeys((ServiceError, HTTPException, sqlite3.Error), self._error),
        )
        self.app.router.redirect_slashes = False

    def route(self, path: str, **operations: Operation) -> Route:
        """A route with an operation for each method."""

        async def endpoint(request: Request) -> Response:
            operation = operations.get(request.method) or operations["GET"]  # HEAD is GET
            service_request = ServiceRequest(request, self.api_versions)
            if request.method in ("GET", "HEAD"):  # takes microseconds, less than a thread would
                response = self.execute(operation, service_request)
            else:  # may wait for another program that has locked the database
                response = await run_in_threadpool(self.execute, operation, service_request)
            response.headers["api-supported-versions"] = ", ".join(self.api_versions)
            return response

        return Route(path, endpoint, methods=list(operations))

    def execute(self, operation: Operation, request: ServiceRequest) -> Response:
        return operation(request)

    def error_response(self, error: ServiceError) -> Response:
        response = json_response(error.status_code, error.body)
        if error.service_headers:
            response.headers["x-ms-error-code"] = error.code
            response.headers["api-supported-versions"] = ", ".join(self.api_versions)
        return response

    def add_common_headers(self, response: Response, request: Request) -> None:
        """Add the headers that all responses of the service have."""
        headers = response.headers
        headers["MS-CV"] = f"{secrets.token_urlsafe(16)}.0"
        headers["Request-Context"] = "appId="
        headers["X-Azure-Ref"] = secrets.token_urlsafe(32)
        headers["X-Cache"] = "CONFIG_NOCACHE"
        if not request.headers["host"].startswith("localhost"):  # a browser would use https for every server there
            headers["Strict-Transport-Security"] = "max-age=31536000;includeSubDomains"
        if request.headers.get("x-ms-return-client-request-id", "").lower() == "true":
            headers["x-ms-client-request-id"] = request.headers.get("x-ms-client-request-id", "")
        if "origin" in request.headers:
            headers["Access-Control-Allow-Origin"] = "*"
        if request.scope["http_version"] != "1.0":
            del headers["Content-Length"]  # the server then sends the body chunked, as the service does

    def _error(self, request: HTTPConnection, exception: Exception) -> Response:
        error = service_error(exception)
        request.state.reason = error.log_reason
        response = self.error_response(error)
        response.headers.update(getattr(exception, "headers", None) or {})
        return response
