"""The keyword options of the client and of each call. These TypedDicts are the only list of them."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy, RetryMode, SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.tracing import TracingOptions
from typing_extensions import TypedDict

# Some of azure-core's policies are for its older requests too, so no narrower type fits them all.
Policy = HTTPPolicy[Any, Any] | SansIOHTTPPolicy[Any, Any]
Policies = Policy | Iterable[Policy]


class _Options(TypedDict, total=False):
    """The options that both the client and each call take. A call's options replace the client's for that call."""

    headers: Mapping[str, str]
    """Headers to add to the request."""
    request_id: str | None
    """The ``x-ms-client-request-id`` header; None sends none. Default: a random UUID for each call."""
    user_agent: str
    """Your application's name, put before the library's in the ``User-Agent`` header."""
    user_agent_overwrite: bool
    """Whether ``user_agent`` replaces the whole header. Default: False."""
    connection_timeout: float
    """Seconds to establish a connection, TLS included. Default: 300."""
    read_timeout: float
    """Seconds from when the request was sent until its response has been read. Default: 300."""
    connection_verify: bool | str
    """Whether to verify the server's certificate, or the path of a CA bundle. Default: True."""
    connection_cert: str | tuple[str, str]
    """The path of a client certificate with its key, or the paths of both."""
    connection_data_block_size: int
    """The size in bytes of the chunks of a streamed response. Default: 4096."""
    proxies: Mapping[str, str] | None
    """Proxy URLs by scheme, such as ``{"https": "http://proxy:8080"}``. Default: those of the environment."""
    permit_redirects: bool
    """Whether to follow redirects. Default: True."""
    redirect_max: int
    """The largest number of redirects. Default: 30."""
    retry_total: int
    """The largest number of retries of all kinds together; 0 turns retries off. Default: 10."""
    retry_connect: int
    """The largest number of retries after failures to connect. Default: 3."""
    retry_read: int
    """The largest number of retries after connections that broke and responses that did not come. Default: 3."""
    retry_status: int
    """The largest number of retries after the statuses 408, 429, 500, 502, 503 and 504. Default: 3."""
    retry_backoff_factor: float
    """Seconds to wait before the first retry. Each further wait is twice as long. Default: 0.8."""
    retry_backoff_max: float
    """The longest wait between two attempts in seconds, also if ``Retry-After`` asks for more. Default: 120."""
    timeout: float
    """Seconds after which no further attempt is made. A wait that would last longer is not begun: the call raises the
    error of the last attempt. Default: 604800, a week."""
    raw_request_hook: Callable[[PipelineRequest[HttpRequest]], object]
    """Called with each request before it is signed and sent. It may change the request."""
    raw_response_hook: Callable[[PipelineResponse[HttpRequest, HttpResponse]], object]
    """Called with each response, those that are retried included."""
    logging_enable: bool
    """Whether to log requests and responses with their bodies at level DEBUG. Default: False."""
    tracing_attributes: Mapping[str, str | bool | int | float]
    """Attributes to add to the tracing spans."""
    network_span_namer: Callable[[HttpRequest], str]
    """Returns the name of the tracing span of an attempt."""


class RequestOptions(_Options, total=False):
    """The keyword options that every operation takes."""

    params: Mapping[str, str]
    """Query parameters to add to the URL."""
    retry_on_methods: Sequence[str]
    """The HTTP methods that are retried. Default: for the client's operations, all."""
    tracing_options: TracingOptions
    """Turns tracing on or off for the call, and adds attributes to its spans."""
    merge_span: bool
    """Whether the call makes no tracing span of its own. Default: False."""
    parent_span: object
    """The parent of the call's tracing span. Default: the current span."""


class ClientOptions(_Options, total=False):
    """The keyword options of :class:`RoomsClient`, beside its own parameters."""

    credential_scopes: Sequence[str]
    """The scopes of the tokens of a TokenCredential, for clouds other than the public one.
    Default: ``https://communication.azure.com//.default``."""
    use_env_settings: bool
    """Whether to read proxies and certificate bundles from the environment. Default: True."""
    auto_request_id: bool
    """Whether to make a request ID for each call. Default: True."""
    request_id_header_name: str
    """The header of the request ID. Default: ``x-ms-client-request-id``."""
    user_agent_use_env: bool
    """Whether to add the environment variable ``AZURE_HTTP_USER_AGENT`` to the User-Agent header. Default: True."""
    sdk_moniker: str
    """The library's name in the User-Agent header. Default: this library's."""
    redirect_remove_headers: Sequence[str]
    """Headers to remove from redirected requests, besides Authorization."""
    redirect_on_status_codes: Sequence[int]
    """Status codes to treat as redirects, besides 300, 301, 302, 303, 307 and 308."""
    blocked_redirect_headers: Sequence[str]
    """Headers to remove if a redirect leads to another host. Default: those that authenticate."""
    disable_redirect_cleanup: bool
    """Whether to keep those headers. Default: False."""
    retry_mode: RetryMode
    """Whether waits grow or stay the same. Default: Exponential."""
    retry_on_status_codes: Sequence[int]
    """Status codes to retry, besides 408, 429, 500, 502, 503 and 504."""
    additional_allowed_query_params: Iterable[str]
    """Query parameters whose values tracing spans may show, besides ``api-version``."""
    per_call_policies: Policies
    """Policies to run once for each call."""
    per_retry_policies: Policies
    """Policies to run for each attempt, before it is authenticated."""
    user_agent_policy: Policy
    """Replaces the policy that sets the User-Agent header."""
    proxy_policy: Policy
    """Replaces the policy that sets the proxies."""
    redirect_policy: Policy
    """Replaces the policy that follows redirects."""
    retry_policy: Policy
    """Replaces the policy that retries. Its rules apply instead of those described here."""
    custom_hook_policy: Policy
    """Replaces the policy that calls the hooks."""
    authentication_policy: Policy
    """Replaces the policy that authenticates requests."""
    logging_policy: Policy
    """Replaces the policy that logs requests and responses with their bodies."""
    http_logging_policy: Policy
    """Replaces the policy that logs requests and responses without their bodies."""


REQUEST_OPTIONS: frozenset[str] = RequestOptions.__optional_keys__
CLIENT_OPTIONS: frozenset[str] = ClientOptions.__optional_keys__


def check_options(options: Mapping[str, object], known: frozenset[str]) -> None:
    """Raise a TypeError that names the closest known option if one of the options is unknown."""
    for name in options:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f": did you mean {close[0]}?" if close else ""
            raise TypeError(f"{name} is not an option{hint}")
