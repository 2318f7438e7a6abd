"""The default transport: azure-core's interface over urllib3.

azure-core's own transport goes through requests, which prepares each URL again, reads the environment and looks for
cookies on each call. Without that, a call takes less than half the time; ``tests/perf`` measures it. This transport
sends no cookies and reads no ``.netrc``, which would replace the Authorization header. Redirects are a policy's work.
"""

import functools
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from azure.core.configuration import ConnectionConfiguration
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from typing_extensions import Self
from urllib3 import Timeout

from ._connections import Pools, Settings
from ._http import body_of
from ._response import ERRORS, RoomsResponse, service_error

_OPTIONS = (
    "connection_timeout",
    "read_timeout",
    "connection_verify",
    "connection_cert",
    "connection_data_block_size",
    "use_env_settings",
)
_FRAMING_HEADERS = ("content-length", "transfer-encoding")
_LONGEST_TIMEOUT = 2_000_000  # a socket's timeout must fit into a C int of milliseconds


class RoomsTransport(HttpTransport[HttpRequest, HttpResponse]):
    """Sends requests over connections that any number of threads share.

    :keyword float connection_timeout: Seconds to establish a connection. Default: 300.
    :keyword float read_timeout: Seconds from when the request was sent until its response has been read. Default: 300.
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
        if self._pools is not None:
            self._pools.close()
            self._pools = None

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
        """Send the request and return its response, read unless it is to be streamed.

        :param ~azure.core.rest.HttpRequest request: The request.
        :keyword bool stream: Whether to leave the response's body to be read by the caller. Default: False.
        :return: The response.
        :rtype: ~azure.core.rest.HttpResponse
        :raises ~azure.core.exceptions.ServiceRequestError: No connection was established, so nothing was sent.
        :raises ~azure.core.exceptions.ServiceResponseError: No complete response came, but the request may have been
         executed.
        """
        if kwargs:
            raise TypeError(f"the transport does not know the option {next(iter(kwargs))!r}")
        config = self.connection_config
        connection_timeout = _seconds("connection_timeout", connection_timeout, config.timeout)
        read_timeout = _seconds("read_timeout", read_timeout, config.read_timeout)
        cert = connection_cert or config.cert
        scheme, netloc, path, query, _ = urlsplit(request.url)
        netloc = netloc.rpartition("@")[2]  # no user name or password
        pool = self._open_pools().get(
            Settings(
                scheme,
                netloc,
                tuple(sorted(proxies.items())) if proxies else (),
                (True if config.verify is None else config.verify) if connection_verify is None else connection_verify,
                (cert[0], cert[1]) if isinstance(cert, list) else cert,
            )
        )
        target = f"{path or '/'}?{query}" if query else path or "/"
        if scheme == "http" and pool.proxy is not None:  # a proxy forwards the request instead of making a tunnel
            target = f"{scheme}://{netloc}{target}"
        # The transport alone decides how long the body is. Too small a Content-Length would make the surplus a request.
        headers = {
            name: value for name, value in request.headers.items() if name.strip().lower() not in _FRAMING_HEADERS
        }
        if "Accept-Encoding" not in request.headers:
            headers["Accept-Encoding"] = "gzip, deflate"
        body = body_of(request)
        try:
            raw = pool.urlopen(
                request.method.upper(),
                target,
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=Timeout(connect=connection_timeout, read=read_timeout),
                preload_content=False,
                decode_content=False,
            )
        except ERRORS as error:
            raise service_error(error) from error
        response = RoomsResponse(request, raw, connection_data_block_size or config.data_block_size)
        if not stream:
            response.read()
        return response


def _seconds(name: str, seconds: float | None, default: float | None) -> float | None:
    seconds = default if seconds is None else seconds
    if seconds is not None and not 0 < seconds <= _LONGEST_TIMEOUT:
        raise ValueError(f"{name} must be more than 0 and at most {_LONGEST_TIMEOUT} seconds, not {seconds}")
    return seconds
