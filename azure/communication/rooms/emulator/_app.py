"""The ASGI application: reads each request, applies faults, responds, and logs."""

import asyncio
import logging
import sqlite3
import time
from contextlib import suppress
from datetime import datetime, timezone

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ._errors import ServiceError, status_error
from ._faults import Fault, Faults
from ._hosts import Hosts
from ._page import Page
from ._request_log import Generation, ReceivedRequest, RequestLog
from ._resource import Resource
from ._responses import add_common_headers, error_response
from ._store import BUSY_TIMEOUT, is_locked

LOGGER = logging.getLogger("azure.communication.rooms.emulator")
_MAX_BODY = 1024 * 1024
_MAX_TARGET = 16 * 1024
_MAX_HEADERS = 32 * 1024
_NO_FAULT = Fault()


class Application:
    """Serves the emulated resource over HTTP. The state of each request must contain the connection's transport."""

    def __init__(self, resource: Resource, page: Page, faults: Faults, log: RequestLog, hosts: Hosts) -> None:
        self._resource = resource
        self._page = page
        self._faults = faults
        self._log = log
        self._hosts = hosts
        self._stopping = asyncio.Event()

    def end_delays(self) -> None:
        """Let delayed requests continue now. The server calls this in its thread when it stops."""
        self._stopping.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        # Route by the path as sent: a %2F in a room ID is not a slash.
        scope["path"] = scope["raw_path"].decode("latin-1")
        request = Request(scope, receive)
        host = ", ".join(request.headers.getlist("host"))
        if not self._hosts.include(host):
            misdirected = status_error(
                421, f"The emulator does not serve the host {host!r}. Allow it with --allowed-host or allowed_hosts."
            )
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
            return  # the client closed the connection
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
        fault = received.fault or _NO_FAULT
        if fault.delay:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), fault.delay)
        reason: str | None = None
        response: Response | None = None
        try:
            response = await self._respond(request, received, fault, generation)
        except ServiceError as error:
            response = error_response(error, self._resource.api_versions(received.path))
            reason = error.log_reason
        if response is None or fault.drop:
            await _drop(request)
        else:
            received.status_code = response.status_code
            add_common_headers(response, request)
            if fault.truncate:
                await _truncate(request, response, send)
            else:
                await response(scope, receive, send)
        _log_request(request, received.status_code, started, reason)

    async def _respond(
        self, request: Request, received: ReceivedRequest, fault: Fault, generation: Generation
    ) -> Response | None:
        """Return the response, or None if a fault or a reset closes the connection without one."""
        if generation is not self._log.generation or fault.drop == "before":
            return None
        if fault.replaces_response:
            return self._injected_response(fault, received.path)
        _check_size(request, received)
        deadline = time.monotonic() + BUSY_TIMEOUT
        while generation is self._log.generation:
            received.executed = True
            try:
                return self._resource.respond(request, received.body)
            except sqlite3.Error as error:
                if not is_locked(error) or time.monotonic() > deadline or self._stopping.is_set():
                    LOGGER.exception("the database failed")
                    raise status_error(503, f"The database failed: {error}") from error
            await asyncio.sleep(0.01)
        return None

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
    """Return the body. If it is too large, return only its beginning, which also exceeds the limit."""
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
