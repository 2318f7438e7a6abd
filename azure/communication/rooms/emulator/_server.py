"""The HTTP server: uvicorn in a thread."""

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Sized

import httptools
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ._app import LOGGER, Application
from ._errors import status_error
from ._responses import error_response

_GRACE_PERIOD = 1.0
_MAX_HEAD = 128 * 1024
_MAX_REQUEST = 16 * 1024 * 1024
_PARSED_AT_ONCE = 4096


class Server:
    """Starts to listen when it is created. :meth:`stop` ends it."""

    def __init__(self, app: Application, host: str, port: int, certfile: str | None, keyfile: str | None) -> None:
        config = uvicorn.Config(
            app,
            http=_Protocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ssl_certfile=certfile,
            ssl_keyfile=keyfile,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
        )
        try:
            config.load()  # raises the error for a bad certificate here instead of in the thread
        except OSError as error:  # includes ssl.SSLError
            raise OSError(f"the certificate cannot be read: {error}") from error
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=config.backlog)
        # asyncio turns off Nagle's algorithm only if the socket's protocol is TCP, not 0. Otherwise responses would
        # wait for ACKs.
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listener.detach())
        self.port: int = self._socket.getsockname()[1]
        self._server = _Uvicorn(config, app)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name=f"rooms-emulator-{self.port}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


class _Uvicorn(uvicorn.Server):
    """uvicorn, except that stopping it does not wait for delayed requests, and waits only briefly for clients."""

    def __init__(self, config: uvicorn.Config, app: Application) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.end_delays()
        # Close the servers here and hide them from uvicorn. On Python 3.12 and later, it would wait for connections
        # whose TLS handshake is incomplete.
        for server in self.servers:
            server.close()
        self.servers = []
        asyncio.get_running_loop().call_later(_GRACE_PERIOD, self._abort_connections)
        await super().shutdown(sockets)

    def _abort_connections(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with seven differences.

    * The application can close the connection of a request.
    * If a request's target is a URL, its host replaces the ``Host`` header.
    * It ignores the ``Upgrade`` header.
    * The response to a malformed request is an error in the service's format.
    * It limits the size of a request, and sets a lower limit for everything except the body.
    * If a client sends requests without waiting for responses, it reads them only as fast as it sends the responses.
    * Stopping the server does not wait for idle connections.
    """

    parser: httptools.HttpRequestParser
    _head_size = 0  # bytes parsed since the parser last reported a part of a request
    _request_size = 0  # bytes parsed since the last complete request

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
        self.flow = _FlowControl(transport, self.pipeline)
        self._received = bytearray()  # not parsed yet
        self._without_response: deque[RequestResponseCycle] = deque()  # oldest first

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for cycle in self._without_response:  # uvicorn notifies only the latest one
            cycle.disconnected = True
            cycle.message_event.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._parse()

    def _parse(self) -> None:
        """Parse a little at a time, and only while no request is queued.

        A parsed request needs far more memory than its text.
        """
        while self._received and not self.pipeline and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            data = bytes(self._received[:_PARSED_AT_ONCE])
            del self._received[:_PARSED_AT_ONCE]
            self._head_size += len(data)
            self._request_size += len(data)
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                self._ignore_upgrade(data[upgrade.args[0] :])
            except httptools.HttpParserError:
                self._reject(400, b"Bad Request", "Invalid HTTP request received.")
            # The parser buffers a header or trailer until it is complete. Give up if it gets too long.
            if self._head_size > _MAX_HEAD:
                self._reject(431, b"Request Header Fields Too Large", "The request's headers are too large.")
            elif self._request_size > _MAX_REQUEST:
                self._reject(413, b"Content Too Large", "The request is too large.")

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Parse the request again without the ``Upgrade`` header.

        With that header, the parser would treat the body as another request.
        """
        headers = [header for header in self.headers if header[0] != b"upgrade"]
        if headers == self.headers:
            self._reject(400, b"Bad Request", "Invalid HTTP request received.")  # CONNECT
            return
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        version = self.parser.get_http_version().encode()
        head = b"%b %b HTTP/%b\r\n%b\r\n" % (self.parser.get_method(), self.url, version, lines)
        self._received[:0] = head + rest

    def on_headers_complete(self) -> None:
        self._head_size = 0
        if self.parser.should_upgrade():
            return
        if b"://" in self.url and not self.url.startswith(b"/"):
            # The target is a URL. As HTTP requires, its host replaces the Host header.
            host = self.url.partition(b"://")[2].partition(b"/")[0]
            self.headers[:] = [*(header for header in self.headers if header[0] != b"host"), (b"host", host)]
        super().on_headers_complete()
        self._without_response.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        self._head_size = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._head_size = 0
        self._request_size = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        # If the response has ``Connection: close``, uvicorn has already begun to close the connection.
        self._without_response.popleft()
        super().on_response_complete()
        self._parse()

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self.transport.abort()  # over TLS, close() would wait for an idle client's close_notify

    def _reject(self, status_code: int, reason_phrase: bytes, message: str) -> None:
        """Respond with an error and close the connection.

        Send no error if an earlier request on this connection has no response yet, or if this request already has one:
        the client would take the error for the response to another request.
        """
        if self.transport.is_closing():
            return
        LOGGER.warning("closing a connection: %s", message)
        is_incomplete = self.cycle is not None and self.cycle.more_body
        if len(self._without_response) == is_incomplete:
            response = error_response(status_error(status_code, message))
            head = b"".join(b"%b: %b\r\n" % header for header in response.raw_headers)
            head = b"HTTP/1.1 %d %b\r\nconnection: close\r\n%b\r\n" % (status_code, reason_phrase, head)
            self.transport.write(head + bytes(response.body))
        self.transport.close()


class _FlowControl(FlowControl):
    """uvicorn's flow control, except that it reads nothing more while requests are queued."""

    def __init__(self, transport: asyncio.Transport, queue: Sized) -> None:
        super().__init__(transport)
        self._queue = queue

    def resume_reading(self) -> None:
        if not self._queue:
            super().resume_reading()
