"""The emulator's public class: a server in a thread of this process."""

import base64
import hashlib
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from typing_extensions import Self

from .. import CommunicationUserIdentifier
from ._admin._api import Api
from ._admin._app import admin_app
from ._admin._faults import Fault, Faults
from ._admin._page import Page
from ._admin._request_log import ReceivedRequest, RequestLog
from ._clock import Clock
from ._environment import environment
from ._http._application import Application
from ._http._certificates import Certificates
from ._http._hosts import AllowedHosts
from ._http._proxy import Proxy, no_proxy
from ._http._server import Server
from ._services._authentication import Credentials
from ._services._identity import IdentityService, TeamsService, new_user_id
from ._services._rooms import RoomsService
from ._store import Store

__all__ = ["DEVELOPMENT_ACCESS_KEY", "Fault", "ReceivedRequest", "RoomsEmulator"]

DEVELOPMENT_ACCESS_KEY = base64.b64encode(b"azure-communication-rooms development key").decode("ascii")
"""The default access key of the emulator. It is public and protects nothing."""


class _Running(NamedTuple):
    endpoint: str
    certificates: Certificates | None
    proxy: Proxy | None
    api: Api
    cleanup: ExitStack


class RoomsEmulator:
    """A local HTTP server that behaves like the Rooms service of one Azure Communication Services resource.

    Use it as a context manager. It starts at the beginning of the block and stops at the end::

        with RoomsEmulator() as emulator:
            client = RoomsClient.from_connection_string(emulator.connection_string)

    You can start it again after stopping it. Rooms in a file survive a restart; rooms in memory do not. Unless it is
    running, :attr:`endpoint` and what depends on it raise RuntimeError, and so do :attr:`ca_file` and :meth:`reset`.

    Like the identity service, it also creates and deletes users, and issues and revokes their access tokens.

    Open :attr:`endpoint` in a web browser to see the rooms, requests and faults, and to act on them. Programs in any
    language do the same over HTTP, under ``/_emulator``. Neither needs credentials, so anyone who can reach the
    emulator can use them; other web pages cannot.

    It logs a line for each request, with the reason of an error, to the logger ``azure.communication.rooms.emulator``:
    at level INFO, or WARNING for a 401. No line contains a key, a token or a signature.

    :keyword str host: The address to listen on. Default: 127.0.0.1, which only this machine can reach.
    :keyword int port: The port to listen on. Default: 0, which picks a free port.
    :keyword str database: The SQLite file for the rooms. Changes are written before the response is sent, so they
     survive even if the process is killed. Default: ``:memory:``, which uses no file.
    :keyword str access_key: The resource's access key, in base64. Default: a public development key.
    :keyword int page_size: The number of rooms or participants on a page. As in the service, deleted rooms count
     towards it but are left out, so a page of rooms can be shorter. Default: 30.
    :keyword bool tls: Use TLS with a certificate made for this run, and make :attr:`ca_file`. Default: False.
    :keyword str tls_folder: A folder for the certificate authority of ``tls`` and the CA bundle. They stay, so programs
     trust the next emulator with this folder, too. Default: None, a temporary folder.
    :keyword bool intercept: Stand in for all resources in Azure, for programs that use the proxy in
     :attr:`environment`. For hosts such as ``contoso.communication.azure.com``, the emulator then accepts any access
     key, token and user, and they all have the same rooms. Needs ``tls``. Default: False.
    :keyword str bearer_token: A token to accept instead of a signature. Default: None.
    :keyword bool any_date: Accept a signature of any date, for tests that freeze the time. If the client's clock is
     more than five minutes off, rooms and tokens get their times from it. Default: False, which refuses such dates.
    :keyword allowed_hosts: Additional host names, without a port, that clients may use. The emulator refuses all but
     these, ``host``, ``localhost`` and IP addresses, because a web page could reach it through a name that the page's
     author controls. If ``host`` is ``0.0.0.0``, :attr:`endpoint` has the first of them. Default: none.
    :paramtype allowed_hosts: ~collections.abc.Iterable[str]
    :raises ValueError: An argument is invalid, or contradicts another.
    :raises TypeError: An argument has the wrong type.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        database: str = ":memory:",
        access_key: str = DEVELOPMENT_ACCESS_KEY,
        page_size: int = 30,
        tls: bool = False,
        tls_folder: str | None = None,
        intercept: bool = False,
        bearer_token: str | None = None,
        any_date: bool = False,
        allowed_hosts: Iterable[str] = (),
    ) -> None:
        try:
            key = base64.b64decode(access_key, validate=True)
        except ValueError:
            key = b""
        if not key:
            raise ValueError("access_key is not base64")
        for name, value, least, most in (("page_size", page_size, 1, 10**9), ("port", port, 0, 65535)):
            if not isinstance(value, int):
                raise TypeError(f"{name} must be an int, not {type(value).__name__}")
            if not least <= value <= most:
                raise ValueError(f"{name} must be from {least} to {most}, not {value}")
        if not tls and (intercept or tls_folder):
            raise ValueError("intercept needs tls, and so does tls_folder")
        if isinstance(allowed_hosts, str):
            raise TypeError("allowed_hosts must be an iterable of names, not a str")
        self._host = host
        self._port = port
        self._database = database
        self._access_key = access_key
        self._page_size = page_size
        self._tls = tls
        self._tls_folder = tls_folder
        self._intercept = intercept
        self._hosts = AllowedHosts(host, allowed_hosts, intercept=intercept)
        self._faults = Faults()
        self._log = RequestLog()
        self._clock = Clock()
        self._entra_token = f"emulator.{hashlib.sha256(key).hexdigest()}"
        tokens = {self._entra_token, bearer_token or self._entra_token}
        self._credentials = Credentials(key, tokens, self._clock, any_date=any_date)
        self._running: _Running | None = None

    @property
    def endpoint(self) -> str:
        """The endpoint to call, such as ``http://127.0.0.1:8787``."""
        return self._started().endpoint

    @property
    def connection_string(self) -> str:
        """The connection string for :meth:`RoomsClient.from_connection_string`. It contains the access key."""
        return f"endpoint={self.endpoint}/;accesskey={self._access_key}"

    @property
    def ca_file(self) -> str:
        """The CA bundle of ``tls=True``, to pass to clients as in ``connection_verify=emulator.ca_file``."""
        certificates = self._started().certificates
        if certificates is None:
            raise RuntimeError("there is no ca_file without tls=True")
        return certificates.ca_file

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which a program reaches the emulator, unmodified.

        They name the connection string and the endpoint. With ``tls=True``, they also name the certificate authorities
        to trust, and where to get tokens of Microsoft Entra ID. With ``intercept=True``, they name the proxy. The
        variables of this process stay in force: its authorities stay trusted, and its proxy leads to other hosts. A
        test can set them with ``unittest.mock.patch.dict(os.environ, emulator.environment)``.
        """
        running = self._started()
        return environment(running.endpoint, self.connection_string, running.certificates, running.proxy)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The latest requests, oldest first, apart from those under ``/_emulator``. :meth:`reset` clears them."""
        return self._log.requests()

    @property
    def pending_faults(self) -> list[Fault]:
        """The injected faults that have not applied to any request, perhaps because of a mistyped path."""
        return self._faults.pending()

    def create_user(self) -> CommunicationUserIdentifier:
        """Create a user of the emulated resource, whom rooms accept as a participant."""
        return CommunicationUserIdentifier(new_user_id())

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
        after: int = 0,
        probability: float = 1.0,
    ) -> None:
        """Inject a fault into the next matching requests, to test how a program handles failures.

        At most one fault applies to a request: the first one injected that matches it. Faults apply before the emulator
        checks credentials.

        :keyword int status: Respond with this status code, without executing the request.
        :keyword retry_after: The ``Retry-After`` header of that response: seconds, or an HTTP date.
        :paramtype retry_after: float or str or None
        :keyword str drop: Close the connection without a response, "before" or "after" executing the request.
        :keyword float delay: Wait this many seconds before handling the request. Default: 0.
        :keyword bool truncate: Send half of the response's body, and close the connection. Default: False.
        :keyword bytes body: Respond with this body, without executing the request. Default for ``status``: 200.
        :keyword int times: The number of requests to which the fault applies. Default: 1.
        :keyword str method: Only apply to requests with this method. Default: any.
        :keyword str path: Only apply to requests with this path, where ``*`` matches anything, as in
         ``/rooms/*/participants``. If it contains a ``?``, it must match the path and the query, as in
         ``/rooms?nextLink=*`` for all pages of a list but the first. Default: any.
        :keyword int after: The number of matching requests to leave alone first. Default: 0.
        :keyword float probability: Apply to a matching request with this probability. Default: 1.
        :raises TypeError: An argument has the wrong type.
        :raises ValueError: The arguments describe no fault, contradict each other, or are out of range.
        """
        self._faults.add(
            Fault(status, retry_after, drop, delay, truncate, body, times, after, probability, method, path)
        )

    def advance(self, delta: timedelta) -> None:
        """Move the emulator's clock forward, to test what happens when rooms open and expire.

        Rooms get their times from this clock; signatures use the real time. Repeated calls add up until :meth:`reset`.

        :param ~datetime.timedelta delta: How far to move the clock.
        :raises TypeError: ``delta`` is not a timedelta.
        :raises ValueError: ``delta`` is negative, or would move the clock past the year 9998.
        """
        if not isinstance(delta, timedelta):
            raise TypeError(f"delta must be a timedelta, not {type(delta).__name__}")
        self._clock.advance(delta)

    def reset(self) -> None:
        """Remove all rooms, requests and faults, and set the clock to the real time.

        :raises sqlite3.Error: Another program has locked the database for more than five seconds.
        """
        self._started().api.reset()

    def start(self) -> Self:
        """Start the server. When this returns, the endpoint accepts connections.

        :raises OSError: The port is in use.
        :raises sqlite3.Error: The database cannot be opened, belongs to another program, or was written by an
         incompatible version of the emulator. In these cases, the file is not changed.
        :raises RuntimeError: The emulator is already running.
        """
        if self._running:
            raise RuntimeError("the emulator is already running")
        with ExitStack() as cleanup:
            store = Store(self._database)
            cleanup.callback(store.close)
            certificates = None
            if self._tls:
                certificates = Certificates(self._hosts.names, Path(self._tls_folder) if self._tls_folder else None)
                cleanup.callback(certificates.close)
            rooms = RoomsService(self._credentials, store, self._clock, self._page_size)
            services = [IdentityService(self._credentials, self._clock), TeamsService(self._credentials), rooms]
            public_key = DEVELOPMENT_ACCESS_KEY if self._access_key == DEVELOPMENT_ACCESS_KEY else None
            api = Api(store, self._clock, self._faults, self._log, self._entra_token)
            page = Page(store, self._clock, self._log, self._faults, public_key, lambda: self.environment)
            application = Application(self._hosts, admin_app(api, page), services, self._faults, self._log)
            proxy = Proxy(self._hosts.address) if self._intercept and "*" not in no_proxy() else None
            server = Server(application, self._host, self._port, certificates, proxy)
            cleanup.callback(server.stop)
            endpoint = f"http{'s' if self._tls else ''}://{self._hosts.url_host}:{server.port}"
            self._running = _Running(endpoint, certificates, proxy, api, cleanup.pop_all())
        return self

    def stop(self) -> None:
        """Stop the server. This closes its connections and ends injected delays. Stopping twice is harmless."""
        if self._running:
            running, self._running = self._running, None
            self._faults.end_delays()
            running.cleanup.close()

    def _started(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the emulator is not running: call start(), or use it in a with statement")
        return self._running

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
