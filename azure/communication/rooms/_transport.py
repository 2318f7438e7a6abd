"""The default transport, at the end of the pipeline: sends a request over a pooled connection, returns the response.

azure-core's own transport uses requests, which prepares each URL again, reads the environment and looks for cookies on
each call. Without that, a call takes less than half the time; ``tests/perf`` measures it. This transport sends no
cookies and reads no ``.netrc``, which would replace the Authorization header. It does not follow redirects: a policy
does.
"""

import functools
import warnings
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from azure.core.configuration import ConnectionConfiguration
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from typing_extensions import Self
from urllib3.exceptions import InsecureRequestWarning

from ._http import body_of
from ._http1 import Http1Response
from ._pools import Pools, Settings
from ._response import RoomsResponse, no_response_to
from ._transport_errors import TRANSPORT_ERRORS, azure_error

# The transport's own options. A copy gets the same ones.
_OPTIONS = (
    "connection_timeout",
    "read_timeout",
    "connection_verify",
    "connection_cert",
    "connection_data_block_size",
    "use_env_settings",
)
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"  # everything else is percent-encoded
_LONGEST_TIMEOUT = 2_000_000  # a socket's timeout must fit into a C int of milliseconds


class RoomsTransport(HttpTransport[HttpRequest, HttpResponse]):
    """Sends requests over a pool of connections. Any number of threads may share it.

    :keyword float connection_timeout: Seconds to establish a connection. Default: 300.
    :keyword float read_timeout: Seconds to send the request and read the whole response. Default: 300.
    :keyword connection_verify: Whether to verify the server's certificate, or the path of a CA bundle. Default: True.
    :paramtype connection_verify: bool or str
    :keyword connection_cert: The path of a client certificate with its key, or the paths of both. Default: None.
    :paramtype connection_cert: str or tuple[str, str] or None
    :keyword int connection_data_block_size: The size in bytes of the chunks of a streamed response. Default: 4096.
    :keyword bool use_env_settings: Whether to read proxies and certificate bundles from the environment. Default: True.
    """

    def __init__(self, **kwargs: Any) -> None:
        self._options = {name: kwargs[name] for name in _OPTIONS if name in kwargs}
        self.connection_config = ConnectionConfiguration(**self._options)  # azure-core's retry policy reads it
        self._pools: Pools | None = Pools(kwargs.get("use_env_settings", True))

    def open(self) -> None:
        self._open_pools()

    def close(self) -> None:
        pools, self._pools = self._pools, None
        if pools is not None:
            pools.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[object, ...]:
        # Connections belong to one process, so a copy has none.
        return functools.partial(type(self), **self._options), ()

    def _open_pools(self) -> Pools:
        if self._pools is None:
            raise ValueError("the client is closed")
        return self._pools

    def send(
        self,
        request: HttpRequest,
        *,
        stream: bool = False,
        connection_timeout: float | None = None,
        read_timeout: float | None = None,
        connection_verify: bool | str | None = None,
        connection_cert: str | tuple[str, str] | None = None,
        connection_data_block_size: int | None = None,
        proxies: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> HttpResponse:
        """Send the request and return its response. Read the body too, unless ``stream`` is True.

        :param ~azure.core.rest.HttpRequest request: The request.
        :keyword bool stream: Whether to leave the response's body to be read by the caller. Default: False.
        :return: The response.
        :rtype: ~azure.core.rest.HttpResponse
        :raises ~azure.core.exceptions.ServiceRequestError: No connection was established, so nothing was sent.
        :raises ~azure.core.exceptions.ServiceResponseError: No complete response came. The service may or may not
         have executed the request.
        """
        if kwargs:
            raise TypeError(f"the transport does not know the option {next(iter(kwargs))!r}")
        config = self.connection_config
        connection_timeout = _seconds("connection_timeout", connection_timeout, config.timeout)
        read_timeout = _seconds("read_timeout", read_timeout, config.read_timeout)
        cert: Any = connection_cert or config.cert
        scheme, netloc, path, query, _ = urlsplit(request.url)
        netloc = netloc.rpartition("@")[2]  # no user name or password
        verify = config.verify if connection_verify is None else connection_verify
        if verify is None:
            verify = True
        elif isinstance(verify, (int, float)):
            verify = bool(verify)  # 0 and False would share a pool, but only False turns verification off
        pool = self._open_pools().get(
            Settings(
                scheme,
                netloc,
                tuple(sorted(proxies.items())) if proxies else (),
                verify,
                tuple(cert) if isinstance(cert, list) else cert,
            )
        )
        route = pool.route
        if verify is False and route.context is not None:
            warnings.warn(f"the certificate of {netloc} is not verified", InsecureRequestWarning, stacklevel=2)
        headers = dict(request.headers)
        if "Host" not in request.headers:
            headers["Host"] = route.host_header
        if "Accept-Encoding" not in request.headers:
            headers["Accept-Encoding"] = "gzip, deflate"
        target = quote(f"{path or '/'}?{query}" if query else path or "/", safe=_URL_CHARACTERS)
        if route.proxy is not None and not route.is_tls:  # the proxy forwards the request instead of opening a tunnel
            target = f"{scheme}://{route.host_header}{target}"
            headers |= route.proxy.headers
        body = body_of(request)
        connection: Any = None
        try:
            connection = pool.connection(connection_timeout)
            connection.timeout = read_timeout
            connection.request(request.method.upper(), target, body, headers)
            raw = connection.getresponse()
        except BaseException as error:
            if connection is not None:
                connection.close()
            if not isinstance(error, TRANSPORT_ERRORS):
                raise
            problem = f"cannot connect to {route}" if connection is None else no_response_to(request)
            raise azure_error(error, problem, is_connected=connection is not None) from error
        response = RoomsResponse(request, raw, connection_data_block_size or config.data_block_size)
        if not isinstance(raw, Http1Response):
            connection.close()  # a recording tool's response: see Pool.connection
        if not stream:
            response.read()
        return response


def _seconds(name: str, seconds: float | None, default: float | None) -> float | None:
    seconds = default if seconds is None else seconds
    if seconds is not None and not 0 < seconds <= _LONGEST_TIMEOUT:
        raise ValueError(f"{name} must be more than 0 and at most {_LONGEST_TIMEOUT} seconds, not {seconds}")
    return seconds
