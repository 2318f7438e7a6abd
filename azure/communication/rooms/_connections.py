"""Connections to the endpoint, direct or through a proxy, with or without TLS.

Pools open and keep them, the transport sends requests over them, and ``_http1`` writes and reads the bytes.
"""

import base64
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException
from typing import Any, NamedTuple

from urllib3.util import wait_for_read
from urllib3.util.ssltransport import SSLTransport

from ._http1 import Http1Response, request_bytes


class Address(NamedTuple):
    """A host, which is a name or an IP address, and a port."""

    host: str
    port: int

    @property
    def authority(self) -> str:
        """The address as in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Proxy(NamedTuple):
    """A proxy, with the user name and password that it needs, if any."""

    address: Address
    is_tls: bool
    credentials: str | None

    @property
    def headers(self) -> dict[str, str]:
        if self.credentials is None:
            return {}
        return {"Proxy-Authorization": f"Basic {base64.b64encode(self.credentials.encode('utf-8')).decode('ascii')}"}


class Route(NamedTuple):
    """The way to a host. ``context`` is None if neither the host nor the proxy uses TLS."""

    address: Address
    host_header: str
    is_tls: bool
    proxy: Proxy | None
    context: ssl.SSLContext | None

    def __str__(self) -> str:
        through = "" if self.proxy is None else f" through the proxy {self.proxy.address.authority}"
        return f"{self.address.authority}{through}"


class _Socket:
    """A socket with one deadline for all its operations. After the deadline, they raise TimeoutError."""

    def __init__(self, address: Address, timeout: float | None) -> None:
        self._is_receiving = False
        self._is_closed = False
        self.set_timeout(timeout)
        self._socket = self._connect(address)

    def __del__(self) -> None:
        # Nobody closes the socket if a program drops a client or a response, or if a signal handler interrupts a call.
        if hasattr(self, "_socket"):
            self._socket.close()

    def set_timeout(self, timeout: float | None) -> None:
        """Set the deadline: ``timeout`` seconds from now."""
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def recv(self, size: int) -> bytes:
        try:
            self._is_receiving = True
            self._socket.settimeout(self._remaining())
            return self._socket.recv(size)
        finally:
            self._is_receiving = False
            if self._is_closed:
                self._socket.close()

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(self._remaining())
        self._socket.sendall(data)

    def has_data(self) -> bool:
        """Whether there is something to read: data, or the end of the connection."""
        return wait_for_read(self._socket, timeout=0)

    def close(self) -> None:
        """Close the socket, or leave that to the thread that is receiving from it.

        If the socket were closed during recv(), the next file or socket could get the same descriptor, and that thread
        could read from it.
        """
        self._is_closed = True
        if not self._is_receiving:
            self._socket.close()

    def _connect(self, address: Address) -> socket.socket:
        candidates = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
        while True:
            family, kind, protocol, _, socket_address = candidates.pop(0)
            candidate = None
            try:
                candidate = socket.socket(family, kind, protocol)  # an error if the system has no IPv6, for example
                remaining = self._remaining()
                # An address that does not respond must leave time for the others.
                candidate.settimeout(None if remaining is None else remaining / (len(candidates) + 1))
                candidate.connect(socket_address)
                candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except BaseException as error:
                if candidate is not None:
                    candidate.close()
                if not candidates or not isinstance(error, OSError):
                    raise
            else:
                return candidate

    def _remaining(self) -> float | None:
        if self._deadline is None:
            return None
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("timed out")
        return remaining


class _TlsStream(SSLTransport):
    """TLS over a socket or over another TLS stream.

    Python's own SSLSocket takes over the socket's descriptor. If a signal handler interrupts that, two objects own the
    descriptor and both close it. By the second time, it may belong to another connection.
    """

    def __init__(self, stream: Any, context: ssl.SSLContext, host: str) -> None:
        # If the connection is cut off, this is an error, and not the end of a body.
        super().__init__(stream, context, host, suppress_ragged_eofs=False)

    def has_data(self) -> bool:
        return self.incoming.pending > 0 or self.sslobj.pending() > 0


class Connection:
    """A connection. Only one call uses it at a time.

    Its methods are those of http.client's connection that the transport calls, so recording tools can replace it.

    :param Route route: Where to connect to.
    :param timeout: Seconds to connect, with TLS and the proxy's tunnel. Looking up the host's name is not included.
    :type timeout: float or None
    :raises OSError: The connection was not established.
    :raises HTTPException: The proxy did not open a tunnel.
    """

    def __init__(self, route: Route, timeout: float | None) -> None:
        self.timeout: float | None = None
        """Seconds to send a request and read its response."""
        self.on_end: Callable[[Connection], None] | None = None
        """Called with the connection when a response has ended and the connection can be used again."""
        self._route = route
        self._socket = _Socket(route.address if route.proxy is None else route.proxy.address, timeout)
        try:
            self._stream: Any = self._establish()
        except BaseException:
            self.close()
            raise

    def _establish(self) -> object:
        """Start TLS with the proxy, open a tunnel, and start TLS with the host, if the route needs it."""
        address, _, is_tls, proxy, context = self._route
        stream: Any = self._socket
        if proxy is not None and proxy.is_tls and context is not None:
            stream = _TlsStream(stream, context, proxy.address.host)
        if is_tls and context is not None:
            if proxy is not None:
                self._open_tunnel(stream, proxy)
            stream = _TlsStream(stream, context, address.host)
        return stream

    def _open_tunnel(self, stream: Any, proxy: Proxy) -> None:
        authority = self._route.address.authority
        stream.sendall(request_bytes("CONNECT", authority, {"Host": authority, **proxy.headers}, None))
        response = Http1Response(stream, "CONNECT", lambda _: None)
        if not 200 <= response.status < 300:
            raise HTTPException(f"the proxy did not open a tunnel: {response.status} {response.reason}")

    def request(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> None:
        self._method = method
        self._socket.set_timeout(self.timeout)
        # The server may respond and close the connection before it has read the whole request, so ignore that it is
        # closed: if there is no response, reading it fails.
        with suppress(ConnectionError, ssl.SSLEOFError):
            self._stream.sendall(request_bytes(method, url, headers, body))

    def getresponse(self) -> Http1Response:
        return Http1Response(self._stream, self._method, self._end)

    def has_data(self) -> bool:
        """Whether the server sent something that no request asked for, or closed the connection."""
        stream = self._stream
        while isinstance(stream, _TlsStream):
            if stream.has_data():
                return True
            stream = stream.socket
        return self._socket.has_data()

    def close(self) -> None:
        self._socket.close()

    def _end(self, is_reusable: bool) -> None:
        # Clear it first. Otherwise, if a signal handler raised an exception, the connection could be pooled twice.
        on_end, self.on_end = self.on_end, None
        if on_end is not None and is_reusable:
            on_end(self)
        else:
            self.close()
