"""The ASGI application: reads each request, applies faults, responds, and logs."""

import asyncio
import ipaddress
import logging
import sqlite3
import time
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timezone

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ._errors import ServiceError, status_error
from ._faults import Fault, Faults
from ._page import Page
from ._request_log import ReceivedRequest, RequestLog
from ._resource import Resource
from ._responses import add_common_headers, error_response

LOGGER = logging.getLogger("azure.communication.rooms.emulator")
_MAX_BODY = 1024 * 1024
_MAX_TARGET = 16 * 1024
_MAX_HEADERS = 32 * 1024


class Application:
    """The emulated resource over HTTP. The server puts each connection's transport into the state of its requests."""

    def __init__(
        self, resource: Resource, page: Page, faults: Faults, log: RequestLog, allowed_hosts: Collection[str]
    ) -> None:
        self._resource = resource
        self._page = page
        self._faults = faults
        self._log = log
        self._allowed_hosts = frozenset(allowed_hosts)
        self._stopping = asyncio.Event()

    def end_delays(self) -> None:
        """Let delayed requests continue at once. The server's thread calls this when it stops."""
        self._stopping.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        # Route by the path as sent: a %2F in a room ID is not a slash.
        scope["path"] = scope["raw_path"].decode("latin-1")
        request = Request(scope, receive)
        if not self._is_allowed_host(request):
            misdirected = _misdirected(request)
            rejection = error_response(misdirected)
            add_common_headers(rejection, request)
            await rejection(scope, receive, send)
            _log_request(request, rejection.status_code, started, str(misdirected))
            return
        page_response = self._page.respond(request)
        if page_response is not None:
            await page_response(scope, receive, send)
            return
        try:
            body = await _read_body(request)
        except ClientDisconnect:
            return  # the request is incomplete, and nobody waits for a response
        received = ReceivedRequest(
            method=request.method,
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers={name: value for name, value in request.headers.items() if name != "authorization"},
            body=body,
            received_at=datetime.now(timezone.utc),
            fault=self._faults.take(request.method, scope["path"]),
        )
        generation = self._log.add(received)
        fault = received.fault
        if fault is not None and fault.delay:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), fault.delay)
        reason: str | None = None
        response: Response | None = None
        if generation == self._log.generation:  # otherwise the emulator was reset in the meantime
            try:
                response = self._respond(request, received)
            except ServiceError as error:
                response = error_response(error, self._resource.api_versions(received.path))
                reason = error.log_reason
        if response is None or (fault is not None and fault.drop):
            await _drop(request)
        else:
            received.status_code = response.status_code
            add_common_headers(response, request)
            if fault is not None and fault.truncate:
                await _truncate(request, response, send)
            else:
                await response(scope, receive, send)
        _log_request(request, received.status_code, started, reason)

    def _is_allowed_host(self, request: Request) -> bool:
        """Whether the client called this emulator by one of its names.

        A web page can point a name of its own at this machine and then call the emulator from a browser (DNS
        rebinding). Such a request names the page's host.
        """
        host = request.headers.get("host", "").lower()
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        return name in self._allowed_hosts or ("*" in self._allowed_hosts and _is_ip_address(name))

    def _respond(self, request: Request, received: ReceivedRequest) -> Response | None:
        """The response, or None to close the connection without one."""
        fault = received.fault
        if fault is not None and fault.drop == "before":
            return None
        if fault is not None and fault.replaces_response:
            return self._injected_response(fault, received.path)
        _check_size(request, received)
        received.executed = True
        try:
            return self._resource.respond(request, received.body)
        except sqlite3.Error as error:
            LOGGER.exception("the database failed")
            raise status_error(503, f"The database failed: {error}") from error

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


def _is_ip_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _misdirected(request: Request) -> ServiceError:
    host = request.headers.get("host", "")
    return status_error(
        421, f"The emulator does not serve the host {host!r}. Allow it with --allowed-host or allowed_hosts."
    )


async def _read_body(request: Request) -> bytes:
    """The body, or a bit more than the allowed size of it."""
    body = bytearray()
    async for chunk in request.stream():
        if len(body) <= _MAX_BODY:
            body += chunk
    return bytes(body)


def _check_size(request: Request, received: ReceivedRequest) -> None:
    if len(received.body) > _MAX_BODY:
        raise status_error(413, "The request's body is larger than 1 MB.")
    if len(received.path) + len(received.query) > _MAX_TARGET:
        raise status_error(414, "The request's URI is too long.")
    if sum(len(name) + len(value) for name, value in request.headers.raw) > _MAX_HEADERS:
        raise status_error(431, "The request's headers are too large.")


async def _drop(request: Request) -> None:
    """Close the connection without a response."""
    request.scope["state"]["transport"].abort()
    await request.receive()  # returns once the connection is lost


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
