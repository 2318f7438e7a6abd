"""The ASGI application: reads a request, makes a fault where one is due, answers, and keeps and logs what it did."""

import asyncio
import logging
import secrets
import sqlite3
import time
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ._errors import ServiceError, status_error
from ._faults import Fault, Faults, ReceivedRequest
from ._service import API_VERSIONS, RoomsService, error_response

LOGGER = logging.getLogger("azure.communication.rooms.emulator")
_MAX_BODY = 1024 * 1024
_MAX_TARGET = 16 * 1024
_MAX_HEADERS = 32 * 1024


class Application:
    """One emulated resource. The server puts each connection's transport into the state of its requests."""

    def __init__(self, service: RoomsService, faults: Faults) -> None:
        self._service = service
        self._faults = faults
        self._stopping = asyncio.Event()

    def end_delays(self) -> None:
        """Let the requests that a fault delays go on at once. For the server's thread, when it stops."""
        self._stopping.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        # Routing on the path as it was sent: a %2F in a room ID is not a slash.
        scope["path"] = scope["raw_path"].decode("latin-1")
        request = Request(scope, receive)
        body = bytearray()
        try:
            async for chunk in request.stream():
                if len(body) <= _MAX_BODY:
                    body += chunk
        except ClientDisconnect:
            return  # before it had sent all that it said it would: there is nobody to answer
        received = ReceivedRequest(
            method=request.method,
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers={name: value for name, value in request.headers.items() if name != "authorization"},
            body=bytes(body),
        )
        generation = self._faults.generation
        fault = self._faults.receive(received)
        if fault.delay:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), fault.delay)
        is_forgotten = generation != self._faults.generation
        response = None if is_forgotten else self._response(request, received, fault)
        if response is None or fault.drop:
            await _drop(request)
        else:
            received.answer = response.status_code
            _add_common_headers(response)
            await (_truncate(request, response, send) if fault.truncate else response(scope, receive, send))
        LOGGER.info(
            "%s %s %s %s %.1f ms",
            time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            received.method,
            received.path,
            "-" if received.answer is None else received.answer,
            (time.perf_counter() - started) * 1000,
        )

    def _response(self, request: Request, received: ReceivedRequest, fault: Fault) -> Response | None:
        if fault.drop == "before":
            return None
        if fault.status is not None or fault.body is not None:
            return _injected_response(fault)
        too_large = _too_large(request, received)
        if too_large is not None:
            return error_response(too_large)
        received.executed = True
        try:
            return self._service.answer(request, received.body)
        except sqlite3.Error as error:
            LOGGER.exception("the database failed")
            return error_response(status_error(503, f"The database failed: {error}"))


def _too_large(request: Request, received: ReceivedRequest) -> ServiceError | None:
    if len(received.body) > _MAX_BODY:
        return status_error(413, "The request's body is larger than 1 MB.")
    if len(received.path) + len(received.query) > _MAX_TARGET:
        return status_error(414, "The request's URI is too long.")
    if sum(len(name) + len(value) for name, value in request.headers.raw) > _MAX_HEADERS:
        return status_error(431, "The request's headers are too large.")
    return None


def _injected_response(fault: Fault) -> Response:
    status = 200 if fault.status is None else fault.status
    if fault.body is not None:
        is_markup = fault.body.lstrip().startswith(b"<")
        content_type = "text/html" if is_markup else "application/json; charset=utf-8"
        response = Response(fault.body, status, {"Content-Type": content_type})
    elif status >= 400:
        response = error_response(status_error(status, "An injected fault."))
    else:
        response = Response(status_code=status)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(fault.retry_after)
    return response


def _add_common_headers(response: Response) -> None:
    response.headers["MS-CV"] = f"{secrets.token_urlsafe(16)}.0"
    response.headers["X-Azure-Ref"] = secrets.token_urlsafe(32)
    response.headers["Request-Context"] = "appId="
    response.headers["api-supported-versions"] = ", ".join(API_VERSIONS)
    response.headers["api-deprecated-versions"] = "2023-03-31-preview, 2023-10-30-preview"


async def _drop(request: Request) -> None:
    """Close the connection without an answer."""
    request.scope["state"]["transport"].abort()
    await request.receive()  # returns once the connection is lost


async def _truncate(request: Request, response: Response, send: Send) -> None:
    """Send half of the body that the headers announce, then close the connection."""
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    half = bytes(response.body)[: len(response.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": len(response.body) > len(half)})
    request.scope["state"]["transport"].close()
    await request.receive()
