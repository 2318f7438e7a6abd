"""The HTTP server: uvicorn in a thread, with an event loop of its own."""

import asyncio
import socket
import threading

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from .._clock import real_time
from ._application import LOGGER
from ._certificates import Certificates
from ._proxy import Proxy

_TLS_HANDSHAKE = b"\x16\x03"  # how a client's first message begins if it speaks TLS
_STOP_TIMEOUT = 5.0


class Server:
    """Starts to listen when it is created, and returns when it accepts connections. :meth:`stop` ends it."""

    def __init__(
        self, app: ASGIApp, host: str, port: int, certificates: Certificates | None, proxy: Proxy | None
    ) -> None:
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ssl_certfile=certificates.certfile if certificates else None,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        config.load()
        if certificates and proxy and config.ssl:
            config.ssl.sni_callback = certificates.choose
        try:
            self._listener = socket.create_server(
                (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=config.backlog
            )
        except OSError as error:
            reason = str(error.strerror).partition(" (")[0]  # Python adds the address in parentheses
            raise OSError(f"cannot listen on {host}:{port}: {reason}") from error
        self.port: int = self._listener.getsockname()[1]
        self._error: BaseException | None = None
        self._server = uvicorn.Server(config)
        self._proxy = proxy
        self._thread = threading.Thread(target=self._run, name=f"rooms-emulator-{self.port}", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            real_time.sleep(0.001)
        if self._error:
            self.stop()
            raise self._error

    def _run(self) -> None:
        # asyncio.run() is not used, because debuggers and libraries such as nest_asyncio replace it.
        loop = _Loop()
        try:
            loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised by the constructor
            self._error = error
        finally:
            loop.close()

    async def _serve(self) -> None:
        proxy_server = await self._proxy.start(self.port) if self._proxy else None
        await self._server.serve([self._listener])
        if proxy_server:
            proxy_server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # closes the sockets

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(_STOP_TIMEOUT)
        self._listener.close()  # uvicorn does not close it if it never started


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock is the real one, even if a test has frozen the time."""

    def time(self) -> float:
        return float(real_time.monotonic())


class _Protocol(H11Protocol):
    """uvicorn's protocol. It also lets the application close a connection, and reports TLS on an http port."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
        # uvicorn sends the headers and the body separately. Without this option, the body would wait for an ACK.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        if self.scheme == "http" and self.cycle is None and data.startswith(_TLS_HANDSHAKE):
            LOGGER.warning("a client tried TLS on this http port: turn TLS on with --tls or RoomsEmulator(tls=True)")
            self.transport.close()
        else:
            super().data_received(data)

    def shutdown(self) -> None:
        # uvicorn would wait for the client: for the end of its request, or for its answer to the end of TLS.
        self.transport.abort()
