"""urllib3's connections, made safe, and the pools that keep them."""

import http.client
import io
import os
import queue
import re
import ssl
import time
from collections import deque
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

import certifi
import urllib3
from azure.core.exceptions import ServiceRequestError, ServiceRequestTimeoutError
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.util import create_urllib3_context, make_headers, parse_url

_LENGTH = re.compile(r"[0-9]{1,18}").fullmatch


class _BoundedReader(io.RawIOBase):
    """Reads from a socket, within its timeout for all reads together."""

    def __init__(self, raw: io.RawIOBase, sock: Any) -> None:
        self._raw = raw
        self._sock = sock
        timeout = sock.gettimeout()
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            remaining = self._deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("the response did not end in time")
            self._sock.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Head:
    """Reads the lines of a response's head and remembers the last one, which is blank if the head is complete."""

    def __init__(self, fp: Any) -> None:
        self.fp = fp
        self.last_line = b""

    def readline(self, limit: int) -> bytes:
        self.last_line = self.fp.readline(limit)
        return self.last_line

    def close(self) -> None:
        self.fp.close()


class _Response(http.client.HTTPResponse):
    """http.client's response, but bounded in time, and strict about where it begins and ends.

    http.client takes an interim response for the final one, a head that was cut off for a complete one, and guesses the
    length of a body whose headers contradict each other. Each of these would leave bytes on the connection that the
    next call would take for its own response.
    """

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock))

    def begin(self) -> None:
        self._read_head()
        while 100 <= self.status < 200 and self.status != 101:
            self.headers = self.msg = None  # type: ignore[assignment] # http.client reads a head if it has none
            self._read_head()
        lengths = {length.strip() for length in self.headers.get_all("Content-Length", ())}
        codings = [coding.strip().lower() for coding in self.headers.get_all("Transfer-Encoding", ())]
        is_clear = codings in ([], ["chunked"]) and (not lengths or (len(lengths) == 1 and all(map(_LENGTH, lengths))))
        if self.status == 101 or not is_clear:
            raise http.client.HTTPException("the headers do not tell where the response ends")
        if (codings and lengths) or (self.status == 204 and (codings or lengths - {"0"})):
            self.will_close = True  # what follows on the connection may be a rest of this response

    def _read_head(self) -> None:
        head: Any = _Head(self.fp)
        self.fp = head
        try:
            super().begin()
        finally:
            if self.fp is head:
                self.fp = head.fp  # type: ignore[attr-defined]
        if head.last_line not in (b"\r\n", b"\n"):
            raise http.client.HTTPException("the response ended inside its headers")


class _ConnectionMixin:
    """Connects, or raises an error that says that nothing was sent.

    Any later error may mean that the service has executed the request. urllib3's own errors do not tell.
    """

    response_class: Any = _Response

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            # urllib3 derives its error for a refused connection from the one for a time-out.
            is_timeout = isinstance(error, (ConnectTimeoutError, TimeoutError)) and not isinstance(
                error, NewConnectionError
            )
            raise (ServiceRequestTimeoutError if is_timeout else ServiceRequestError)(error, error=error) from error


class _HTTPConnection(_ConnectionMixin, HTTPConnection):
    pass


class _HTTPSConnection(_ConnectionMixin, HTTPSConnection):
    pass


class _Queue:
    """The idle connections of a pool, last in, first out, and as many as there are.

    Unlike queue.LifoQueue it has no lock, which an exception from a signal handler could leave held for ever.
    """

    def __init__(self, maxsize: int) -> None:
        del maxsize  # one connection for each thread that sends at a time
        self._connections: deque[HTTPConnection | None] = deque()

    def get(self, block: bool = True, timeout: float | None = None) -> HTTPConnection | None:
        try:
            return self._connections.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, connection: HTTPConnection | None, block: bool = True, timeout: float | None = None) -> None:
        self._connections.append(connection)


class _HTTPPool(HTTPConnectionPool):
    QueueCls = _Queue  # type: ignore[assignment]

    @property
    def ConnectionCls(self) -> Any:  # type: ignore[override] # noqa: N802 - urllib3's name
        # Tools that record requests, such as vcrpy, replace urllib3's class.
        patchable = HTTPConnectionPool.ConnectionCls
        return _HTTPConnection if patchable is HTTPConnection else patchable


class _HTTPSPool(HTTPSConnectionPool):
    QueueCls = _Queue  # type: ignore[assignment]

    @property
    def ConnectionCls(self) -> Any:  # type: ignore[override] # noqa: N802 - urllib3's name
        patchable = HTTPSConnectionPool.ConnectionCls
        return _HTTPSConnection if patchable is HTTPSConnection else patchable


class Settings(NamedTuple):
    """What distinguishes one pool of connections from another."""

    scheme: str
    netloc: str
    proxies: tuple[tuple[str, str], ...]
    verify: bool | str
    cert: str | tuple[str, str] | None


class Pools:
    """The pools of connections, one for each combination of settings. Any number of threads may share them.

    :param bool use_env_settings: Whether to read proxies and certificate bundles from the environment. They are read
     when a pool is made.
    """

    def __init__(self, use_env_settings: bool) -> None:
        self._use_env_settings = use_env_settings
        self._pools: tuple[int, dict[Settings, HTTPConnectionPool]] = (os.getpid(), {})

    def get(self, settings: Settings) -> HTTPConnectionPool:
        process, pools = self._pools
        if process != os.getpid():  # after a fork: the child must not use its parent's connections
            pools = {}
            self._pools = (os.getpid(), pools)  # replaced whole: another thread may do the same
        pool = pools.get(settings)
        return pool or pools.setdefault(settings, self._new_pool(settings))

    def close(self) -> None:
        process, pools = self._pools
        if process == os.getpid():
            for pool in pools.values():
                pool.close()

    def _new_pool(self, settings: Settings) -> HTTPConnectionPool:
        proxy = self._proxy(settings)
        uses_tls = settings.scheme == "https" or (proxy or "").startswith("https:")
        context = self._ssl_context(settings) if uses_tls else None
        manager = urllib3.PoolManager(ssl_context=context) if proxy is None else _proxy_manager(proxy, context)
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
        url = parse_url(f"{settings.scheme}://{settings.netloc}")
        return manager.connection_from_host(url.host, url.port, settings.scheme)

    def _ssl_context(self, settings: Settings) -> ssl.SSLContext:
        verify = settings.verify
        if verify is True and self._use_env_settings:
            verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        context = create_urllib3_context()
        try:
            if verify is False:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            else:
                bundle = certifi.where() if verify is True else verify
                is_directory = os.path.isdir(bundle)
                context.load_verify_locations(None if is_directory else bundle, bundle if is_directory else None)
        except OSError as error:
            raise ValueError(f"connection_verify: cannot read the certificates in {bundle!r}: {error}") from error
        try:
            if settings.cert is not None:
                cert, key = (settings.cert, None) if isinstance(settings.cert, str) else settings.cert
                context.load_cert_chain(cert, key)
        except OSError as error:
            raise ValueError(f"connection_cert: cannot read {settings.cert!r}: {error}") from error
        return context

    def _proxy(self, settings: Settings) -> str | None:
        environment = getproxies() if self._use_env_settings else {}
        if not (settings.proxies or environment):
            return None
        import requests.utils  # noqa: PLC0415 - only a program that uses proxies pays for this import

        url = f"{settings.scheme}://{settings.netloc}/"
        proxies = dict(settings.proxies)
        if environment:
            proxies = {**requests.utils.get_environ_proxies(url, no_proxy=proxies.get("no_proxy")), **proxies}
        proxy: str | None = requests.utils.select_proxy(url, proxies)
        return proxy or None


def _proxy_manager(proxy: str, context: ssl.SSLContext | None) -> urllib3.ProxyManager:
    """Return urllib3's proxy manager. No error message shows the proxy's URL, which may contain a password."""
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    try:
        parts = urlsplit(proxy)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError("proxies: the URL of a proxy must be http or https, with a host name and a valid port")
    headers = None
    if parts.username is not None:
        headers = make_headers(proxy_basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")
    host = f"[{host}]" if ":" in host else host
    url = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    return urllib3.ProxyManager(url, proxy_headers=headers, ssl_context=context, proxy_ssl_context=context)
