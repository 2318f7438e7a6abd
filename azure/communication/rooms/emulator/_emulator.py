"""The emulator as its users see it: a server in a thread of this process."""

import base64
import binascii
import ipaddress
from types import TracebackType
from typing import Literal

from typing_extensions import Self

from ._app import LOGGER, Application
from ._faults import Fault, Faults, ReceivedRequest
from ._server import Server
from ._service import RoomsService
from ._store import Store

__all__ = ["DEVELOPMENT_ACCESS_KEY", "ReceivedRequest", "RoomsEmulator"]

DEVELOPMENT_ACCESS_KEY = base64.b64encode(b"azure-communication-rooms development key").decode("ascii")
"""The access key of an emulator that was given none. It is known to all and protects nothing."""


class RoomsEmulator:
    """A local HTTP server that behaves like the Rooms service of one Azure Communication Services resource.

    As a context manager it is started and stopped with the block::

        with RoomsEmulator() as emulator:
            client = RoomsClient.from_connection_string(emulator.connection_string)

    It can be started again after it was stopped; rooms in memory are gone then, rooms in a file are not. It logs
    a line per request to the logger ``azure.communication.rooms.emulator`` at level INFO, never a key or a signature.

    :keyword str host: The address to listen on. Default: 127.0.0.1, which only this machine reaches.
    :keyword int port: The port to listen on. Default: 0, a free one.
    :keyword str database: The SQLite file that the rooms live in. It survives a restart, and a kill after any answer.
     Default: ``:memory:``, no file.
    :keyword str access_key: The resource's access key, base64. Default: a well-known development key.
    :keyword int page_size: How many rooms or participants a page of a listing has. Default: 30.
    :keyword certfile: The certificate chain, PEM; with it, TLS is served. Default: None.
    :paramtype certfile: str or None
    :keyword keyfile: The certificate's private key, PEM, unless it is in ``certfile``. Default: None.
    :paramtype keyfile: str or None
    :keyword bearer_token: A token that is accepted in place of a signature. Default: None, no token is.
    :paramtype bearer_token: str or None
    :raises ValueError: The access key is not base64, the page size or the port cannot be, or there is a key file
     without certificate file.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        database: str = ":memory:",
        access_key: str = DEVELOPMENT_ACCESS_KEY,
        page_size: int = 30,
        certfile: str | None = None,
        keyfile: str | None = None,
        bearer_token: str | None = None,
    ) -> None:
        try:
            self._key = base64.b64decode(access_key, validate=True)
        except binascii.Error:
            self._key = b""
        if not self._key:
            raise ValueError("access_key is not base64")
        if page_size < 1:
            raise ValueError(f"page_size must be at least 1, not {page_size}")
        if not 0 <= port <= 65535:
            raise ValueError(f"port must be from 0 to 65535, not {port}")
        if keyfile and not certfile:
            raise ValueError("keyfile is given without certfile")
        self._host = host
        self._port = port
        self._database = database
        self._access_key = access_key
        self._page_size = page_size
        self._certfile = certfile
        self._keyfile = keyfile
        self._bearer_token = bearer_token
        self._faults = Faults()
        self._running: tuple[Server, Store] | None = None

    @property
    def endpoint(self) -> str:
        """The endpoint to call, such as ``http://127.0.0.1:8787``.

        :rtype: str
        :raises RuntimeError: The emulator is not started.
        """
        server, _ = self._started()
        scheme = "https" if self._certfile else "http"
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 - not bound to
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{server.port}"

    @property
    def connection_string(self) -> str:
        """The connection string for :meth:`RoomsClient.from_connection_string`. It holds the access key.

        :rtype: str
        :raises RuntimeError: The emulator is not started.
        """
        return f"endpoint={self.endpoint}/;accesskey={self._access_key}"

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests received since the start or the last :meth:`reset`, in order; the last
        10,000 of them, or fewer where their bodies are larger than 64 MB together.

        :rtype: list[~azure.communication.rooms.emulator.ReceivedRequest]
        """
        return self._faults.requests()

    def inject(
        self,
        *,
        status: int | None = None,
        retry_after: float | str | None = None,
        drop: Literal["before", "after"] | None = None,
        delay: float = 0.0,
        truncate: bool = False,
        body: bytes | None = None,
        times: int = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> None:
        """Make the next matching requests fail, to test a program's failure paths.

        Faults wait in the order in which they were injected; a request takes the first that matches it, and only that.
        A fault comes before credentials are looked at.

        :keyword status: Answer this status, with an error body from 400 on, without executing the request.
        :paramtype status: int or None
        :keyword retry_after: The ``Retry-After`` header of that answer: seconds, or an HTTP date.
        :paramtype retry_after: float or str or None
        :keyword drop: Close the connection without an answer: "before" executing the request, or "after".
        :paramtype drop: str or None
        :keyword float delay: Wait so many seconds before anything else. Default: 0.
        :keyword bool truncate: Execute the request, send half of the answer's body, and close the connection.
        :keyword body: Answer this body, with ``status`` or 200, without executing the request.
        :paramtype body: bytes or None
        :keyword int times: How many requests it applies to. Default: 1.
        :keyword method: Only requests with this method. Default: any.
        :paramtype method: str or None
        :keyword path: Only requests with this path, in which ``*`` stands for anything: ``/rooms/*/participants``.
         Default: any.
        :paramtype path: str or None
        :raises TypeError: ``status`` is not an int, or ``body`` not bytes.
        :raises ValueError: No fault is asked for, two that exclude each other, or one that cannot be.
        """
        if body is not None and not isinstance(body, bytes):
            raise TypeError(f"body must be bytes, not {type(body).__name__}")
        if status is not None and not isinstance(status, int):
            raise TypeError(f"status must be an int, not {type(status).__name__}")
        if retry_after is not None and status is None:
            raise ValueError("retry_after needs a status to go with")
        answers = status is not None or body is not None
        if not (answers or drop or delay or truncate):
            raise ValueError("nothing to inject: give status, body, drop, delay or truncate")
        if drop not in (None, "before", "after"):
            raise ValueError(f"drop must be 'before' or 'after', not {drop!r}")
        if drop and (answers or truncate):
            raise ValueError("drop leaves no answer: it excludes status, body and truncate")
        if status is not None and not 200 <= status <= 599:
            raise ValueError(f"status must be from 200 to 599, not {status}")
        if body is not None and status in (204, 304):
            raise ValueError(f"an answer with status {status} has no body")
        if isinstance(retry_after, str) and not (retry_after.isascii() and retry_after.isprintable()):
            raise ValueError(f"retry_after cannot be a header: {retry_after!r}")
        if times < 1:
            raise ValueError(f"times must be at least 1, not {times}")
        if delay < 0:
            raise ValueError(f"delay must not be negative: {delay}")
        if path is not None and not path.startswith(("/", "*")):
            raise ValueError(f"path must begin with / or *: {path!r}")
        self._faults.add(
            Fault(
                status=status,
                retry_after=retry_after,
                drop=drop,
                delay=delay,
                truncate=truncate,
                body=body,
                times=times,
                method=method and method.upper(),
                path=path,
            )
        )

    def reset(self) -> None:
        """Forget all faults, requests and rooms. A request that is still delayed is not executed any more.

        :raises RuntimeError: The emulator is not started.
        """
        _, store = self._started()
        self._faults.clear()
        store.clear()

    def start(self) -> None:
        """Start to listen, and serve until :meth:`stop`. Once it returns, the endpoint accepts connections.

        :raises OSError: The port is in use, or a certificate file cannot be read or does not hold what it must.
        :raises sqlite3.Error: The database cannot be opened.
        :raises RuntimeError: The emulator is started already.
        """
        if self._running:
            raise RuntimeError("the emulator is started already")
        store = Store(self._database)
        application = Application(RoomsService(store, self._key, self._bearer_token, self._page_size), self._faults)
        try:
            server = Server(application, self._host, self._port, self._certfile, self._keyfile)
        except BaseException:
            store.close()
            raise
        self._running = (server, store)
        if not _is_loopback(self._host):
            LOGGER.warning("listening on %s: other machines can reach this emulator", self._host)

    def stop(self) -> None:
        """Stop listening, once the requests under way are answered, or after a second. Delayed ones are delayed no
        longer. To stop again does nothing.
        """
        if self._running:
            server, store = self._running
            self._running = None
            server.stop()
            store.close()

    def _started(self) -> tuple[Server, Store]:
        if self._running is None:
            raise RuntimeError("the emulator is not started: call start(), or use it in a with statement")
        return self._running

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.stop()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
