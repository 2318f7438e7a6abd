"""The ASGI application: finds out whom a request is for, applies faults, responds, and logs."""

import logging
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._admin._faults import Fault, Faults
from .._admin._request_log import ReceivedRequest, RequestLog
from .._clock import real_now, real_time
from .._services._errors import status_error
from .._services._service import Service
from ._hosts import AllowedHosts, host_name

LOGGER = logging.getLogger("azure.communication.rooms.emulator")
_MAX_BODY = 1024 * 1024


class Application:
    """Serves ``/_emulator``, and all else by the first service whose prefix the path has.

    The state of each request must contain the connection's transport.
    """

    def __init__(
        self, hosts: AllowedHosts, admin: Starlette, services: Sequence[Service], faults: Faults, log: RequestLog
    ) -> None:
        self._hosts = hosts
        self._admin = admin
        self._services = services
        self._faults = faults
        self._log = log
        self._intercepted: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = real_time.perf_counter()
        # Route by the path as sent: a %2F in a room ID is not a slash.
        scope["path"] = scope["raw_path"].decode("latin-1")
        request = Request(scope, receive)
        host = request.headers.get("host", "")
        name = host_name(host)
        if not self._hosts.allows(name):
            reason = f"The emulator does not serve the host {host!r}. Allow it with --allowed-host or allowed_hosts."
            _log_line(request.method, scope["path"], 421, started, reason)
            service = self._service(scope["path"])
            await service.error_response(status_error(421, reason))(scope, receive, send)
            return
        if self._hosts.intercepts(name) and name not in self._intercepted:
            self._intercepted.add(name)
            LOGGER.warning("%s is served by the emulator", name)
        request.state.any_credentials = name in self._intercepted
        try:
            request.state.body = await _read_body(request)
        except ClientDisconnect:
            return
        is_from_browser = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
        if scope["path"].startswith("/_emulator") or (scope["path"] == "/" and is_from_browser):
            await self._admin(scope, receive, send)
        else:
            await self._serve(request, started, send)

    def _service(self, path: str) -> Service:
        return next(service for service in self._services if path.startswith(service.prefix))

    async def _serve(self, request: Request, started: float, send: Send) -> None:
        path: str = request.scope["path"]
        query = request.scope["query_string"].decode("latin-1")
        received = ReceivedRequest(
            method=request.method,
            path=path,
            query=query,
            headers={name: value for name, value in request.headers.items() if name != "authorization"},
            body=request.state.body,
            received_at=real_now(),
            fault=self._faults.take(request.method, path, query),
        )
        self._log.add(received)
        fault = received.fault or Fault()
        response: Response | None = None
        if await self._faults.delay(fault.delay) and fault.drop != "before":
            response = await self._respond(request, received, fault)
        received.duration = real_time.perf_counter() - started
        if response is None or fault.drop:
            outcome = f"the connection was closed {'after' if received.executed else 'before'} execution"
        else:
            received.status_code = response.status_code
            self._log.add_response(received, bytes(response.body))
            outcome = "the response was cut in half" if fault.truncate else received.reason or ""
        _log_line(request.method, path, received.status_code, started, outcome)
        if response is None or fault.drop:
            request.scope["state"]["transport"].abort()
            await request.receive()  # returns when the connection is lost
        elif fault.truncate:
            await _truncate(request, response, send)
        else:
            await response(request.scope, request.receive, send)

    async def _respond(self, request: Request, received: ReceivedRequest, fault: Fault) -> Response:
        service = self._service(received.path)
        if fault.replaces_response:
            response = _injected_response(fault, service)
            received.reason = "an injected fault" if response.status_code >= 400 else None
        elif len(received.body) > _MAX_BODY:
            error = status_error(413, "The request's body is larger than 1 MB.")
            received.reason = error.log_reason
            response = service.error_response(error)
        else:
            received.executed = True
            response = await _response_of(service.app, request)
            received.reason = getattr(request.state, "reason", None)
        service.add_common_headers(response, request)
        return response


async def _read_body(request: Request) -> bytes:
    """Return the body. Stop reading if it exceeds the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            break
    return bytes(body)


async def _response_of(app: ASGIApp, request: Request) -> Response:
    """Run the application, and return its response instead of sending it."""
    response = Response()

    async def collect(message: Message) -> None:
        if message["type"] == "http.response.start":
            response.status_code, response.raw_headers = message["status"], message["headers"]
        else:
            response.body += message.get("body", b"")

    await app(request.scope, request.receive, collect)
    return response


def _injected_response(fault: Fault, service: Service) -> Response:
    status_code = 200 if fault.status is None else fault.status
    if fault.body is not None:
        is_markup = fault.body.lstrip().startswith(b"<")
        content_type = "text/html" if is_markup else "application/json; charset=utf-8"
        response = Response(fault.body, status_code, {"Content-Type": content_type})
    elif status_code >= 400:
        response = service.error_response(status_error(status_code, "An injected fault."))
    else:
        response = Response(status_code=status_code)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(fault.retry_after)
    return response


async def _truncate(request: Request, response: Response, send: Send) -> None:
    """Send half of the body, then close the connection."""
    half = bytes(response.body)[: len(response.body) // 2]
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": half, "more_body": len(response.body) > len(half)})
    request.scope["state"]["transport"].close()
    await request.receive()


def _log_line(method: str, path: str, status_code: int | None, started: float, outcome: str) -> None:
    now = real_time.strftime("%Y-%m-%dT%H:%M:%SZ", real_time.gmtime())
    duration = (real_time.perf_counter() - started) * 1000
    write = LOGGER.warning if status_code == 401 else LOGGER.info  # the response to a 401 does not give the reason
    write("%s %s %s %s %.1f ms%s", now, method, path, status_code or "-", duration, outcome and f": {outcome}")
