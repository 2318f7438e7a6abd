"""The default transport: azure-core's, over one session that all clients of the process share."""

import os
import re
from typing import Any

import requests
from azure.core import exceptions
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, InvalidHeader, ReadTimeoutError
from urllib3.util import Timeout

from ._options import CALL_OPTIONS, TRANSPORT_OPTIONS, check_options
from ._session import shared_session

_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", *_PROXY_VARIABLES, *map(str.upper, _PROXY_VARIABLES))


class UntrustedCertificateError(exceptions.ServiceRequestError):
    """The client could not verify the server's certificate. A retry would fail too."""


class RoomsTransport(RequestsTransport):  # type: ignore[misc] # azure-core does not export its type
    """azure-core's transport with the shared session, unless the caller passes one."""

    def __init__(self, endpoint: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._shares_session = kwargs.get("session") is None
        self._is_closed = False
        self._endpoint = endpoint
        self._variables = _VARIABLES if kwargs.get("use_env_settings", True) else ()
        # The values of the variables, and the proxies and CA bundle for them. requests would read them each time.
        self._environment: tuple[tuple[str | None, ...], dict[str, str], str | None] = ((), {}, None)

    def open(self) -> None:
        if self._is_closed:
            raise ValueError("the client is closed")
        if self._shares_session:  # a fork or a test's patch may have replaced it
            self.session = shared_session(requests.Session)
        super().open()

    def close(self) -> None:
        self._is_closed = True
        if not self._shares_session:
            super().close()

    def send(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        check_options(kwargs, TRANSPORT_OPTIONS, CALL_OPTIONS)
        self.open()
        config = self.connection_config
        # An invalid timeout is a ValueError here. Below, it would count as a failed attempt.
        Timeout(None, kwargs.get("connection_timeout", config.timeout), kwargs.get("read_timeout", config.read_timeout))
        if not self._shares_session:
            return self._send(request, **kwargs)
        adapter: Any = self.session and self.session.adapters["https://"]
        if (values := tuple(map(os.environ.get, self._variables))) != self._environment[0]:
            self._environment = values, get_environ_proxies(self._endpoint), values[0] or values[1]
        _, env_proxies, ca_bundle = self._environment
        proxies = kwargs["proxies"] = {**env_proxies, **(kwargs.get("proxies") or {})}
        verify = kwargs.get("connection_verify", config.verify)
        verify = kwargs["connection_verify"] = (ca_bundle or True) if verify in (True, None, "") else verify
        try:
            return self._send(request, **kwargs)
        except exceptions.AzureError:
            # Other idle connections may be dead, too. A retry must not try one after the other.
            adapter.close_idle_connections(request.url, verify, proxies, kwargs.get("connection_cert", config.cert))
            raise
        except BaseException:  # perhaps from a signal handler, which may have left a lock of the session held
            shared_session.cache_clear()
            raise

    def _send(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Send the request. No error shows a secret that requests' own errors may show."""
        try:
            response: HttpResponse = super().send(request, **kwargs)
        except exceptions.ServiceRequestError as error:
            cause = error.inner_exception
            if cause and any(isinstance(arg, ReadTimeoutError) for arg in cause.args):  # the body stalled
                raise exceptions.ServiceResponseTimeoutError(cause, error=cause) from error
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                raise
            advice = ""
            if re.search("self.signed|local issuer|first certificate", str(error)):  # OpenSSL's words
                advice = ". To trust the certificate, set connection_verify or REQUESTS_CA_BUNDLE to a CA bundle"
            raise UntrustedCertificateError(f"{error}{advice}.", error=error) from error
        except (exceptions.ServiceResponseError, UnicodeError) as error:
            problem = getattr(error, "inner_exception", error)
            if "Missing dependencies for SOCKS" in str(problem):
                raise ValueError("the proxy is a SOCKS proxy, which needs PySocks: install requests[socks]") from None
            if isinstance(problem, ValueError) and not isinstance(problem.__context__, InvalidHeader):
                raise ValueError(f"the URL, a header or a proxy is invalid ({type(problem).__name__})") from None
            raise
        except (exceptions.HttpResponseError, HTTPError, ValueError) as error:
            if "Invalid header" in str(error):  # requests before 2.33.1 lets a newline at the end pass
                raise ValueError("a header is invalid") from None
            message = f"The response is incomplete or malformed: {error}"
            raise exceptions.ServiceResponseError(message, error=error) from error
        return response
