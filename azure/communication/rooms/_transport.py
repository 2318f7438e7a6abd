"""The default transport: azure-core's, over a requests session that does once what it can, and not at each request.

Measured with ``tests/perf``: of a call's time, requests spends a third on what does not change between requests:
reading proxies and certificates from the environment, preparing the URL anew, and looking for cookies.
"""

import os
import ssl
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)


def default_transport(**kwargs: Any) -> RequestsTransport:
    """azure-core's transport, over a session given as ``session=`` or else over a :class:`RoomsSession`."""
    session = kwargs.pop("session", None) or RoomsSession(trust_env=kwargs.get("use_env_settings", True))
    transport = RequestsTransport(session=session, **kwargs)
    transport.open()  # so that it knows, once closed, that it was
    return transport


class RoomsSession(requests.Session):
    """A session whose connections and settings are found once for each origin, and shared by any number of threads.

    It has no cookies and reads no ``.netrc``, which would replace the Authorization header. Redirects are azure-core's.
    """

    def __init__(self, *, trust_env: bool) -> None:
        super().__init__()
        self.trust_env = trust_env
        self._forget_connections()

    def _forget_connections(self) -> None:
        for scheme in ("https://", "http://"):
            # A pool without a size keeps every connection that is given back: one for each thread that sends at a time.
            self.mount(scheme, HTTPAdapter(pool_connections=1000, pool_maxsize=0))
        self._pools: dict[object, tuple[HTTPConnectionPool, bool]] = {}
        self._process = os.getpid()  # last: until then, other threads of a forked worker come here too

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        *,
        headers: MutableMapping[str, str],
        data: bytes | str | None,
        files: object,
        verify: bool | str,
        timeout: tuple[float | None, float | None],
        cert: str | tuple[str, ...] | list[str] | None,
        allow_redirects: bool,
        proxies: dict[str, str] | None,
        stream: bool = False,
        **unknown: object,
    ) -> Any:
        """Send what azure-core's transport asks for, and read the answer unless it is to be streamed."""
        if unknown:  # nobody on the way here took it for its own
            raise TypeError(f"got an unexpected keyword argument {next(iter(unknown))!r}")
        if files or isinstance(data, dict):
            raise TypeError("the service takes JSON: form data and files cannot be sent")
        if "Accept-Encoding" not in headers:
            headers["Accept-Encoding"] = "gzip, deflate"
        connect, read = timeout
        try:
            pool, through_proxy = self._pool(url, proxies, verify, tuple(cert) if isinstance(cert, list) else cert)
            scheme, netloc, path, query, _ = urlsplit(url)
            target = f"{path or '/'}?{query}" if query else path or "/"
            raw = pool.urlopen(
                method,
                f"{scheme}://{netloc}{target}" if through_proxy else target,
                body=data.encode("utf-8") if isinstance(data, str) else data,
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=Timeout(connect=connect, read=read),
                preload_content=False,
                decode_content=False,
            )
            content = None if stream else raw.read(decode_content=True)
        except (ConnectTimeoutError, NewConnectionError):
            raise
        except ReadTimeoutError as error:
            raise requests.ReadTimeout(error) from error
        except HTTPError as error:
            # For azure-core, a ConnectionError is of a request that was not sent, the other of one that may have been.
            raise (requests.ConnectionError if _is_unsent(error) else requests.RequestException)(error) from error
        response: Any = requests.Response()
        response.status_code = raw.status
        response.reason = raw.reason
        response.headers = raw.headers
        response.raw = raw
        if content is not None:
            response._content = content
            response._content_consumed = True
        return response

    def _pool(
        self,
        url: str,
        proxies: dict[str, str] | None,
        verify: bool | str,
        cert: Any,
    ) -> tuple[HTTPConnectionPool, bool]:
        if self._process != os.getpid():  # a fork must not share its parent's connections
            self._forget_connections()
        scheme, netloc, _, _, _ = urlsplit(url)
        key = (scheme, netloc, proxies and tuple(sorted(proxies.items())), verify, cert)
        found = self._pools.get(key)
        if found is None:
            settings: Any = self.merge_environment_settings(url, proxies or {}, False, verify, cert)
            adapter: Any = self.get_adapter(url)
            request = requests.Request("GET", url).prepare()
            if hasattr(adapter, "get_connection_with_tls_context"):
                pool = adapter.get_connection_with_tls_context(
                    request, settings["verify"], settings["proxies"], settings["cert"]
                )
            else:  # requests before 2.32
                pool = adapter.get_connection(url, settings["proxies"])
            adapter.cert_verify(pool, url, settings["verify"], settings["cert"])
            found = pool, not adapter.request_url(request, settings["proxies"]).startswith("/")
            self._pools[key] = found
        return found


def _is_unsent(error: HTTPError) -> bool:
    """Whether it came before anything was sent: no proxy, no such address, or a certificate that is not trusted."""
    if isinstance(error, SSLError):  # others may come while the answer is read, too
        return isinstance(error.args[0], ssl.SSLCertVerificationError)
    return isinstance(error, (LocationValueError, ProxyError))
