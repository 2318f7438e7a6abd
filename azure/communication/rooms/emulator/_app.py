"""The ASGI application: reads each request, applies faults, responds, and logs."""

import logging
import sqlite3
import time
from datetime import datetime, timezone

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ._control import Control
from ._errors import ServiceError, status_error
from ._faults import Fault, Faults
from ._hosts import Hosts
from ._page import Page
from ._request_log import ReceivedRequest, RequestLog
from ._resource import Resource
from ._responses import add_common_headers, error_response

LOGGER = logging.getLogger("azure.communication.rooms.emulator")
_MAX_BODY = 1024 * 1024


class Application:
    """Serves the emulated resource over HTTP. The state of each request must contain the connection's transport."""

    def __init__(
        self, resource: Resource, page: Page, control: Control, *, faults: Faults, log: RequestLog, hosts: Hosts
    ) -> None:
        self._resource = resource
        self._page = page
        self._control = control
        self._faults = faults
        self._log = log
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        # Route by the path as sent: a %2F in a room ID is not a slash.
        scope["path"] = scope["raw_path"].decode("latin-1")
        request = Request(scope, receive)
        host = request.headers.get("host", "")
        if not self._hosts.include(host):
            reason = f"The emulator does not serve the host {host!r}. Allow it with --allowed-host or allowed_hosts."
            _log_request(request, 421, started, reason)
            await error_response(status_error(421, reason))(scope, receive, send)
            return
        try:
            body = await _read_body(request)
        except ClientDisconnect:
            return
        own_response = self._page.respond(request) or self._control.respond(request, body)
        if own_response is not None:
            await own_response(scope, receive, send)
            return
        received = ReceivedRequest(
            method=request.method,
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers={name: value for name, value in request.headers.items() if name != "authorization"},
            body=body,
            received_at=datetime.now(timezone.utc),
            fault=self._faults.take(request.method, scope["path"]),
        )
        self._log.add(received)
        fault = received.fault or Fault()
        response: Response | None = None
        if await self._faults.delay(fault.delay) and fault.drop != "before":
            response = self._respond(request, received, fault)
        if response is None or fault.drop:
            _log_request(request, None, started, None)
            await _drop(request)
            return
        received.status_code = response.status_code
        _log_request(request, response.status_code, started, received.reason)
        add_common_headers(response, request)
        if fault.truncate:
            await _truncate(request, response, send)
        else:
            await response(scope, receive, send)

    def _respond(self, request: Request, received: ReceivedRequest, fault: Fault) -> Response:
        if fault.replaces_response:
            response = self._injected_response(fault, received.path)
            received.reason = "an injected fault" if response.status_code >= 400 else None
            return response
        try:
            if len(received.body) > _MAX_BODY:
                raise status_error(413, "The request's body is larger than 1 MB.")
            received.executed = True
            response = self._resource.respond(request, received.body)
        except sqlite3.Error as database_error:
            error = status_error(503, f"The database failed: {database_error}")
        except ServiceError as service_error:
            error = service_error
        else:
            if response.status_code == 405:
                received.reason = "The method is not allowed on this resource."
            return response
        received.reason = error.log_reason
        return error_response(error, self._resource.api_versions(received.path))

    def _injected_response(self, fault: Fault, path: str) -> Response:
        status_code = 200 if fault.status is None else fault.status
        if fault.body is not None:
            is_markup = fault.body.lstrip().startswith(b"<")
            content_type = "text/html" if is_markup else "application/json; charset=utf-8"
            response = Response(fault.body, status_code, {"Content-Type": content_type})
        elif status_code >= 400:
            error = status_error(status_code, "An injected fault.")
            response = error_response(error, self._resource.api_versions(path))
        else:
            response = Response(status_code=status_code)
        if fault.retry_after is not None:
            response.headers["Retry-After"] = str(fault.retry_after)
        return response


async def _read_body(request: Request) -> bytes:
    """Return the body. Stop reading if it exceeds the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            break
    return bytes(body)


async def _drop(request: Request) -> None:
    """Close the connection without a response."""
    request.scope["state"]["transport"].abort()
    await request.receive()  # returns when the connection is lost


async def _truncate(request: Request, response: Response, send: Send) -> None:
    """Send half of the body, then close the connection."""
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    half = bytes(response.body)[: len(response.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": len(response.body) > len(half)})
    request.scope["state"]["transport"].close()
    await request.receive()


def _log_request(request: Request, status_code: int | None, started: float, reason: str | None) -> None:
    LOGGER.info(
        "%s %s %s %s %.1f ms%s",
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        request.method,
        request.scope["path"],
        "-" if status_code is None else status_code,
        (time.perf_counter() - started) * 1000,
        f": {reason}" if reason else "",
    )
