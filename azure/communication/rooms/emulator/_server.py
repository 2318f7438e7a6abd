"""The HTTP server: uvicorn in a thread."""

import asyncio
import socket
import threading

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ._app import Application
from ._errors import status_error
from ._responses import error_response

_MAX_HEAD = 128 * 1024


class Server:
    """Listens from its construction until it is stopped."""

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
            timeout_graceful_shutdown=1,
        )
        try:
            config.load()  # raises the error of a bad certificate here, and not in the thread
        except OSError as error:  # includes ssl.SSLError
            raise OSError(f"the certificate cannot be read: {error}") from error
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=config.backlog)
        # asyncio turns off Nagle's algorithm only if the socket names TCP. Otherwise responses would wait for ACKs.
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
    """uvicorn, except that stopping it doesn't wait for delayed requests."""

    def __init__(self, config: uvicorn.Config, app: Application) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.end_delays()
        await super().shutdown(sockets)


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with four differences.

    * The application can close its connection.
    * A malformed request gets an error in the service's form.
    * Everything in a request except its body has a size limit.
    * Stopping the server doesn't wait for idle connections.
    """

    _head_size = 0  # bytes received since the parser last reported a part of a request

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}

    def data_received(self, data: bytes) -> None:
        # The parser buffers a header or trailer until it is complete. Give up if it gets too long.
        self._head_size += len(data)
        super().data_received(data)
        if self._head_size > _MAX_HEAD and not self.transport.is_closing():
            self._refuse(431, b"Request Header Fields Too Large", "The request's headers are too large.")

    def on_headers_complete(self) -> None:
        self._head_size = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head_size = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._head_size = 0
        super().on_message_complete()

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self.transport.abort()  # over TLS, close() would wait for an idle client's close_notify

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, b"Bad Request", msg)

    def _refuse(self, status_code: int, reason_phrase: bytes, message: str) -> None:
        """Respond with an error and close the connection.

        If an earlier request on this connection has no response yet, only close it. The client would take the error for
        the response to that request.
        """
        if self.cycle is None or self.cycle.response_complete is not self.cycle.more_body:
            response = error_response(status_error(status_code, message))
            head = b"".join(b"%b: %b\r\n" % header for header in response.raw_headers)
            self.transport.write(b"HTTP/1.1 %d %b\r\nconnection: close\r\n%b\r\n" % (status_code, reason_phrase, head))
            self.transport.write(bytes(response.body))
        self.transport.close()
