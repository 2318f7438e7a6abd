"""urllib3's connections, made safe, and the pools that keep them."""

import base64
import http.client
import io
import os
import queue
import re
import socket
import ssl
import time
from collections import deque
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

import certifi
import urllib3
from azure.core.exceptions import ServiceRequestError, ServiceRequestTimeoutError
from urllib3._version import __version__ as _urllib3_version
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, LocationValueError, NewConnectionError
from urllib3.util import parse_url
from urllib3.util.ssl_ import create_urllib3_context

_LENGTH = re.compile(r"[0-9]{1,18}").fullmatch
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n").fullmatch
_MAX_LINE = 65536

# Older versions lack what is used here, or read responses differently.
_MINIMUM_URLLIB3 = (2, 7, 0)
if tuple(map(int, re.findall(r"[0-9]+", _urllib3_version)[:3])) < _MINIMUM_URLLIB3:
    raise ImportError(
        f"azure-communication-rooms needs urllib3 {'.'.join(map(str, _MINIMUM_URLLIB3))} or newer, "
        f"but urllib3 {_urllib3_version} is installed; upgrade urllib3, and requests with it"
    )


class _BoundedReader(io.RawIOBase):
    """Reads from a socket until the response has ended, within the socket's timeout for all reads together."""

    def __init__(self, raw: io.RawIOBase, sock: Any) -> None:
        self._raw = raw
        self._sock = sock
        self.has_ended = False
        timeout = sock.gettimeout()
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.has_ended:
            return 0
        if self._deadline is not None:
            remaining = self._deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("the response did not end in time")
            self._sock.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _LineReader(io.BufferedReader):
    """Remembers the last line, which is blank if the head of a response is complete."""

    last_line = b""

    def readline(self, size: int | None = -1) -> bytes:
        self.last_line = line = super().readline(size)
        if b"\r" in line[:-2]:  # email.parser would begin a new line here
            raise http.client.HTTPException("a line of the response contains a carriage return")
        return line


class _Response(http.client.HTTPResponse):
    """http.client's response, but bounded in time, and strict about where it begins and ends.

    http.client takes an interim response for the final one, a head that was cut off for a complete one, and guesses the
    length of a body whose headers contradict each other. Each of these would leave bytes on the connection that the
    next call would take for its own response.
    """

    has_surplus = False  # whether bytes came after the end of the response

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._reader = _BoundedReader(self.fp.detach(), sock)
        self.fp = _LineReader(self._reader)

    def begin(self) -> None:
        self._read_head()
        while 100 <= self.status < 200 and self.status != 101:
            self.headers = self.msg = None  # type: ignore[assignment] # http.client reads a head if it has none
            self._read_head()
        lengths = {length.strip() for length in self.headers.get_all("Content-Length", ())}
        codings = [coding.lower() for coding in self.headers.get_all("Transfer-Encoding", ())]
        if self.status == 101 or codings not in ([], ["chunked"]) or len(lengths) > 1 or not all(map(_LENGTH, lengths)):
            raise http.client.HTTPException("the headers do not tell where the response ends")
        has_no_body = self.length == 0  # by its status or its method, whatever its headers say
        if has_no_body:
            self.chunked = False
        if (codings and (lengths or self.version < 11)) or (has_no_body and (codings or lengths - {"0"})):
            self.will_close = True  # what follows on the connection may be a rest of this response

    def _read_head(self) -> None:
        super().begin()
        if self.fp.last_line not in (b"\r\n", b"\n"):  # type: ignore[attr-defined]
            raise http.client.HTTPException("the response ended inside its headers")

    def _get_chunk_left(self) -> int | None:
        # http.client takes "-1", "+5" and "0x_5" for sizes, and any two bytes for the end of a chunk.
        if self.chunk_left:
            return self.chunk_left
        if self.chunk_left == 0 and self._safe_read(2) != b"\r\n":  # type: ignore[attr-defined]
            raise http.client.HTTPException("a chunk does not end where its size says")
        size = _CHUNK_SIZE(self.fp.readline(_MAX_LINE))
        if size is None:
            raise http.client.HTTPException("a chunk has no valid size")
        self.chunk_left = int(size[1], 16) or None
        if self.chunk_left is None:
            self._read_and_discard_trailer()  # type: ignore[attr-defined]
            self._close_conn()
        return self.chunk_left

    def _close_conn(self) -> None:
        self._reader.has_ended = True
        self.has_surplus = not self.fp.closed and bool(self.fp.peek())
        super()._close_conn()  # type: ignore[misc]


class _ConnectionMixin:
    """Connects, or raises an error that says that nothing was sent.

    Any later error may mean that the service has executed the request. urllib3's own errors do not tell.
    """

    sock: Any
    timeout: float | None
    _last_response: _Response | None = None
    _deadline: float | None = None

    def connect(self) -> None:
        self._deadline = None if self.timeout is None else time.monotonic() + self.timeout
        try:
            super().connect()  # type: ignore[misc]
        except (HTTPError, http.client.HTTPException, OSError, ValueError, OverflowError) as error:
            # urllib3 derives its error for a refused connection from the one for a time-out.
            is_timeout = isinstance(error, (ConnectTimeoutError, TimeoutError)) and not isinstance(
                error, NewConnectionError
            )
            raise (ServiceRequestTimeoutError if is_timeout else ServiceRequestError)(error, error=error) from error

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        self._set_remaining_time(sock)
        return sock

    def _tunnel(self) -> None:
        self._set_remaining_time(self.sock)
        super()._tunnel()  # type: ignore[misc]
        self._set_remaining_time(self.sock)

    def _set_remaining_time(self, sock: Any) -> None:
        """Let the next step of connecting take no longer than what the steps before it have left."""
        if self._deadline is not None:
            remaining = self._deadline - time.monotonic()
            if remaining <= 0:
                sock.close()
                raise TimeoutError("the connection was not established in time")
            sock.settimeout(remaining)

    def response_class(self, sock: Any, *args: Any, **kwargs: Any) -> _Response:
        self._last_response = _Response(sock, *args, **kwargs)
        return self._last_response

    @property
    def is_connected(self) -> bool:
        """Whether the connection can be used again: it is open, and nothing came after the last response."""
        if self._last_response is not None and self._last_response.has_surplus:
            return False
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            return False
        return bool(super().is_connected)  # type: ignore[misc]


class _HTTPConnection(_ConnectionMixin, HTTPConnection):  # type: ignore[misc]
    pass


class _HTTPSConnection(_ConnectionMixin, HTTPSConnection):  # type: ignore[misc]
    pass


class _Queue:
    """The idle connections of a pool, last in, first out, as many as there are.

    Unlike queue.LifoQueue it has no lock, which an exception from a signal handler could leave held for ever.
    """

    def __init__(self, maxsize: int) -> None:
        del maxsize  # one connection for each thread that sends at a time
        self._connections: deque[HTTPConnection] = deque()

    def get(self, block: bool = True, timeout: float | None = None) -> HTTPConnection:
        try:
            return self._connections.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, connection: HTTPConnection | None, block: bool = True, timeout: float | None = None) -> None:
        if connection is not None:  # urllib3 marks free places with None
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
        uses_tls = settings.scheme == "https" or (proxy or "").lower().startswith("https:")
        context = self._ssl_context(settings) if uses_tls else None
        manager = urllib3.PoolManager(ssl_context=context) if proxy is None else _proxy_manager(proxy, context)
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
        try:
            url = parse_url(f"{settings.scheme}://{settings.netloc}")
            return manager.connection_from_host(url.host, url.port, settings.scheme)
        except LocationValueError as error:  # a redirect, for example, may lead anywhere
            raise ServiceRequestError(f"The URL cannot be sent: {error}", error=error) from error

    def _ssl_context(self, settings: Settings) -> ssl.SSLContext:
        verify = settings.verify
        if verify is True and self._use_env_settings:
            verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        bundle = certifi.where() if verify is True else verify
        context = create_urllib3_context()
        try:
            if isinstance(bundle, bool):  # verify is False
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            else:
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
        parts, host, port = None, None, None
    if parts is not None and parts.scheme.startswith("socks"):
        raise ValueError("proxies: for a SOCKS proxy, pass transport=RequestsTransport() and install requests[socks]")
    if parts is None or not host or parts.scheme not in ("http", "https"):
        raise ValueError("proxies: the URL of a proxy must be http or https, with a host name and a valid port")
    headers = {}
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
    host = f"[{host}]" if ":" in host else host
    url = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    return urllib3.ProxyManager(url, proxy_headers=headers, ssl_context=context, proxy_ssl_context=context)
