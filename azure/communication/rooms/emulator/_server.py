"""The HTTP server: uvicorn, in a thread."""

import asyncio
import socket
import threading

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ._app import Application
from ._errors import status_error
from ._service import error_response


class Server:
    """Listens from the moment it is made until it is stopped."""

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
            config.load()  # here, so that a bad certificate is the caller's error and not the thread's
        except OSError as error:  # which an ssl.SSLError is too
            raise OSError(f"the certificate cannot be read: {error}") from error
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=config.backlog)
        # With the protocol named, asyncio turns Nagle's algorithm off on each connection: answers don't wait for ACKs.
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
    """uvicorn, but delayed requests do not hold up the end."""

    def __init__(self, config: uvicorn.Config, app: Application) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.end_delays()
        await super().shutdown(sockets)


class _Protocol(HttpToolsProtocol):
    """uvicorn's, but the application can close its connection, what is not HTTP gets an error of the service, and
    idle connections do not hold up the end.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self.transport.abort()  # over TLS, closing waits for a goodbye that an idle client does not say

    def send_400_response(self, msg: str) -> None:
        response = error_response(status_error(400, msg))
        head = b"".join(b"%b: %b\r\n" % header for header in response.raw_headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n%b\r\n" % head)
        self.transport.write(bytes(response.body))
        self.transport.close()
