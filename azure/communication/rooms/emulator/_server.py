"""The HTTP server: uvicorn in a thread."""

import asyncio
import socket
import threading

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ._app import LOGGER, Application

_TLS_HANDSHAKE = b"\x16\x03"  # how a client's first message begins if it speaks TLS


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
            timeout_graceful_shutdown=1,
        )
        try:
            config.load()  # raises the error for a bad certificate here instead of in the thread
        except OSError as error:  # includes ssl.SSLError
            raise OSError(f"the certificate cannot be read: {error}") from error
        try:
            self._listener = socket.create_server(
                (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=config.backlog
            )
        except OSError as error:
            reason = str(error.strerror).partition(" (")[0]  # Python adds the address in parentheses
            raise OSError(f"cannot listen on {host}:{port}: {reason}") from error
        self.port: int = self._listener.getsockname()[1]
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._listener],), name=f"rooms-emulator-{self.port}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()  # uvicorn does not if it had not started yet


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol. It also lets the application close a connection, and reports TLS on an http port."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
        # uvicorn sends the headers and the body separately. Without this option, the body would wait for an ACK.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        if self.scheme == "http" and self.cycle is None and data.startswith(_TLS_HANDSHAKE):
            LOGGER.warning(
                "a client tried TLS (https) on this http port: turn TLS on with --tls or RoomsEmulator(tls=True)"
            )
            self.transport.close()
        else:
            super().data_received(data)

    def shutdown(self) -> None:
        # uvicorn would wait for the client: for the end of its request, or for its answer to the end of TLS.
        self.transport.abort()
