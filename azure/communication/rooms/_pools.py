"""Pools of idle connections, one for each combination of settings. The transport takes its connections from here."""

import os
import ssl
from collections import deque
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

import certifi
from azure.core.exceptions import ServiceRequestError
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from ._connections import Address, Connection, Proxy, Route
from ._endpoint import DEFAULT_PORTS, origin

_MAX_IDLE = 100  # connections in a pool
_MAX_POOLS = 20


class Settings(NamedTuple):
    """What distinguishes one pool from another."""

    scheme: str
    netloc: str
    proxies: tuple[tuple[str, str], ...]
    verify: bool | str
    cert: str | tuple[str, str] | None


class Pool:
    """The idle connections of one route, last in, first out.

    It uses no lock: if a signal handler raised an exception at the wrong moment, the lock would stay held forever.
    """

    def __init__(self, route: Route) -> None:
        self.route = route
        # A full deque drops its oldest connection, which closes it.
        self._idle: deque[Connection] = deque(maxlen=_MAX_IDLE)
        self._is_closed = False

    def connection(self, timeout: float | None) -> Any:
        """Return an idle connection, or connect within the timeout."""
        # Tools that record requests, such as vcrpy, replace urllib3's connection class. If one has, use its class,
        # without a pool or a proxy.
        pool_class = HTTPSConnectionPool if self.route.is_tls else HTTPConnectionPool
        if not pool_class.ConnectionCls.__module__.startswith("urllib3."):
            options: dict[str, Any] = {"ssl_context": self.route.context} if self.route.is_tls else {}
            return pool_class.ConnectionCls(*self.route.address, timeout=timeout, **options)
        connection = self._idle_connection() or Connection(self.route, timeout)
        connection.on_end = self._put
        return connection

    def _idle_connection(self) -> Connection | None:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if not connection.has_data():
                return connection
            connection.close()

    def _put(self, connection: Connection) -> None:
        self._idle.append(connection)
        if self._is_closed:
            self.close()

    def close(self) -> None:
        self._is_closed = True
        with suppress(IndexError):
            while True:
                self._idle.pop().close()


class Pools:
    """The pools. Any number of threads may share them.

    :param bool use_env_settings: Whether to read proxies and certificate bundles from the environment. Each pool reads
     them once, when it is created.
    """

    def __init__(self, use_env_settings: bool) -> None:
        self._use_env_settings = use_env_settings
        self._pools: tuple[int, dict[Settings, Pool]] = (os.getpid(), {})

    def get(self, settings: Settings) -> Pool:
        process, pools = self._pools
        if process != os.getpid():  # after a fork: the child must not use its parent's connections
            pools = {}
            self._pools = (os.getpid(), pools)  # in one step, because another thread may do the same
        pool = pools.get(settings)
        if pool is None:
            pool = pools.setdefault(settings, Pool(self._route(settings)))
            for oldest in list(pools)[:-_MAX_POOLS]:  # redirects, for example, may lead to any number of hosts
                pools.pop(oldest, None)
        return pool

    def close(self) -> None:
        process, pools = self._pools
        if process == os.getpid():
            for pool in list(pools.values()):
                pool.close()

    def _route(self, settings: Settings) -> Route:
        try:
            url = parse_url(f"{settings.scheme}://{settings.netloc}")
        except (LocationParseError, UnicodeError) as error:  # a redirect, for example, may lead anywhere
            raise ServiceRequestError(f"The URL cannot be sent: {error}", error=error) from error
        if settings.scheme not in DEFAULT_PORTS or not url.host:
            raise ServiceRequestError("The URL cannot be sent: it is not an http or https URL with a host.")
        address = _address(url.host.strip("[]").rstrip("."), url.port, settings.scheme)
        is_tls = settings.scheme == "https"
        proxy = self._proxy(settings)
        needs_context = is_tls or (proxy is not None and proxy.is_tls)
        return Route(
            address,
            origin(f"{settings.scheme}://{url.netloc}").partition("://")[2],
            is_tls,
            proxy,
            self._ssl_context(settings) if needs_context else None,
        )

    def _ssl_context(self, settings: Settings) -> ssl.SSLContext:
        verify, source = settings.verify, "connection_verify"
        if verify is True and self._use_env_settings:
            for name in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):  # the last one takes precedence
                if path := os.environ.get(name):
                    verify, source = path, name
        bundle = certifi.where() if isinstance(verify, bool) else verify
        if not bundle:  # ssl would use the system's certificates
            raise ValueError("connection_verify must not be empty")
        is_directory = os.path.isdir(bundle)
        try:
            context = ssl.create_default_context(
                cafile=None if is_directory else bundle, capath=bundle if is_directory else None
            )
        except (OSError, TypeError, ValueError) as error:
            raise ValueError(f"{source}: cannot read the certificates in {bundle!r}: {error}") from error
        if verify is False:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["http/1.1"])
        try:
            if settings.cert is not None:
                cert, key = settings.cert if isinstance(settings.cert, tuple) else (settings.cert, None)
                context.load_cert_chain(cert, key)
        except (OSError, TypeError, ValueError) as error:
            raise ValueError(f"connection_cert: cannot read {settings.cert!r}: {error}") from error
        return context

    def _proxy(self, settings: Settings) -> Proxy | None:
        environment = getproxies() if self._use_env_settings else {}
        if not (settings.proxies or environment):
            return None
        import requests.utils  # noqa: PLC0415 - only a program that uses proxies pays for this import

        url = f"{settings.scheme}://{settings.netloc}/"
        proxies = dict(settings.proxies)
        if environment:
            proxies = {**requests.utils.get_environ_proxies(url, no_proxy=proxies.get("no_proxy")), **proxies}
        proxy: str | None = requests.utils.select_proxy(url, proxies)
        return _parse_proxy(proxy) if proxy else None


def _parse_proxy(proxy: str) -> Proxy:
    """Return the proxy at the URL. No error message shows the URL, which may contain a password."""
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host, port = parts.hostname, parts.port
        proxy.encode("utf-8")
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme.startswith("socks"):
        raise ValueError("proxies: for a SOCKS proxy, pass transport=RequestsTransport() and install requests[socks]")
    if not host or parts.scheme not in DEFAULT_PORTS:
        raise ValueError("proxies: the URL of a proxy must be http or https, with a host name and a valid port")
    credentials = None
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(_address(host, port, parts.scheme), parts.scheme == "https", credentials)


def _address(host: str, port: int | None, scheme: str) -> Address:
    return Address(host, DEFAULT_PORTS[scheme] if port is None else port)
