"""The default transport: azure-core's, over one session that all clients of the process share."""

import functools
import os
import queue
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from weakref import WeakSet

import requests
from azure.core import exceptions
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, InvalidHeader, ProtocolError, ReadTimeoutError
from urllib3.util import Retry, Timeout

# azure-core's policies leave these options in place if they have no use for them.
_UNUSED_OPTIONS = ("user_agent_overwrite", "network_span_namer", "tracing_attributes", "retry_on_methods")


class UntrustedCertificateError(exceptions.ServiceRequestError):
    """The server's certificate could not be verified, so a retry is pointless."""


class _Adapter(HTTPAdapter):
    def __init__(self) -> None:
        # The retry policy retries, so that each attempt is signed again.
        super().__init__(pool_connections=100, pool_maxsize=100, max_retries=Retry(total=False, redirect=False))

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        # http.client takes interim responses, except 100, for final ones. The next request on the connection would
        # get the response to this one.
        if resp.status < 200:
            resp.close()
            raise requests.ConnectionError(ProtocolError(f"only an interim response came: {resp.status}"), request=req)
        resp.enforce_content_length = True  # azure-core sets this after requests has read the body
        return super().build_response(req, resp)

    def close_idle_connections(self, url: str, verify: bool | str, cert: Any, proxies: dict[str, str]) -> None:
        """Close the connections that no thread is using."""
        request = requests.Request("GET", url).prepare()
        pool: Any = self.get_connection_with_tls_context(request, verify, proxies, cert)
        with suppress(queue.Empty):
            while pool.pool:
                if connection := pool.pool.get_nowait():
                    connection.close()


@functools.lru_cache(maxsize=1)
def _shared_session(session_class: type[requests.Session]) -> requests.Session:
    session = session_class()
    session.trust_env = False  # each client reads the environment itself, and .netrc must not replace Authorization
    session.cookies = RequestsCookieJar(DefaultCookiePolicy(allowed_domains=[]))
    session.adapters = dict.fromkeys(("https://", "http://"), _Adapter())
    return session


_open_transports: "WeakSet[RoomsTransport]" = WeakSet()  # those that share the session
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_shared_session.cache_clear)


class RoomsTransport(RequestsTransport):  # type: ignore[misc] # azure-core does not export its type
    """azure-core's transport with the shared session, unless the caller passes one."""

    session: "requests.Session | None"

    def __init__(self, endpoint: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._shares_session = self.session is None
        self._is_closed = False
        # requests would read the environment for each request.
        self._proxies: dict[str, str] = {}
        self._verify: bool | str = True
        if kwargs.get("use_env_settings", True):
            self._proxies = get_environ_proxies(endpoint)
            self._verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True

    def open(self) -> None:
        if self._is_closed:
            raise ValueError("the client is closed")
        if self._shares_session:
            self.session = _shared_session(requests.Session)  # a fork or a test's patch may have replaced it
            _open_transports.add(self)
        super().open()

    def close(self) -> None:
        self._is_closed = True
        _open_transports.discard(self)
        if not self._shares_session:
            super().close()
        elif self.session and not _open_transports:
            self.session.close()

    def send(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        self.open()
        for name in _UNUSED_OPTIONS:
            kwargs.pop(name, None)
        config = self.connection_config
        # This raises a ValueError for an invalid timeout. The try block below would report one as a failed attempt.
        Timeout(
            connect=kwargs.get("connection_timeout", config.timeout),
            read=kwargs.get("read_timeout", config.read_timeout),
        )
        if not self._shares_session:
            return self._send(request, **kwargs)
        kwargs["proxies"] = {**self._proxies, **(kwargs.get("proxies") or {})}
        if kwargs.setdefault("connection_verify", config.verify) in (True, None, ""):
            kwargs["connection_verify"] = self._verify
        try:
            return self._send(request, **kwargs)
        except exceptions.AzureError:
            # Other idle connections may be dead, too. A retry must not try one after the other.
            adapter = _shared_session(requests.Session).adapters["https://"]
            if isinstance(adapter, _Adapter):
                cert = kwargs.get("connection_cert", config.cert)
                adapter.close_idle_connections(request.url, kwargs["connection_verify"], cert, kwargs["proxies"])
            raise

    def _send(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Send the request. Raise azure-core's errors only, without the secrets that those of requests may show."""
        try:
            response: HttpResponse = super().send(request, **kwargs)
        except exceptions.ServiceRequestError as error:
            cause = error.inner_exception
            if cause and any(isinstance(arg, ReadTimeoutError) for arg in cause.args):  # the body stalled
                raise exceptions.ServiceResponseTimeoutError(cause, error=cause) from error
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                raise
            message = f"{error}. To trust the certificate, set connection_verify or REQUESTS_CA_BUNDLE to a CA bundle."
            raise UntrustedCertificateError(message, error=error) from error
        except (exceptions.ServiceResponseError, UnicodeError) as error:
            problem = getattr(error, "inner_exception", error)
            if isinstance(problem, ValueError) and not isinstance(problem.__context__, InvalidHeader):
                raise ValueError(f"the URL, a header or a proxy is invalid ({type(problem).__name__})") from None
            raise
        except (exceptions.HttpResponseError, HTTPError, ValueError) as error:
            if "Invalid header" in str(error):  # requests before 2.33.1 lets a newline at the end pass
                raise ValueError("a header is invalid") from None
            message = f"The response is incomplete or malformed: {error}"
            raise exceptions.ServiceResponseError(message, error=error) from error
        return response
