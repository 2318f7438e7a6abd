"""The keyword options of the client and of each call."""

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from logging import Logger
from typing import TYPE_CHECKING, Any, Literal

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy, RetryMode, SansIOHTTPPolicy
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.tracing import TracingOptions
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from requests import Session

# Some of azure-core's policies also accept its legacy requests, so no narrower type fits them all.
Policy = HTTPPolicy[Any, Any] | SansIOHTTPPolicy[Any, Any]
Policies = Policy | Iterable[Policy]


class CommonOptions(TypedDict, total=False):
    """The keyword options of both :class:`RoomsClient` and every operation. Those of a call replace the client's."""

    headers: Mapping[str, str]
    """Headers to add to each request. A call's headers are added to the client's."""
    request_id: str | None
    """The value of the ``x-ms-client-request-id`` header. None sends no such header. Default: a new UUID."""
    user_agent: str
    """Your application's name, to put before the library's in the ``User-Agent`` header."""
    user_agent_overwrite: bool
    """Whether a call's ``user_agent`` replaces the whole header. Default: False."""
    connection_timeout: float
    """How long connecting may take, in seconds, for each attempt and each address of the host. Default: 300."""
    read_timeout: float
    """How long each wait for data may take, in seconds. It does not limit the whole response. Default: 300."""
    connection_verify: bool | str
    """Whether to verify the server's certificate, or the path of CA certificates. Default: True, with those that
    ``REQUESTS_CA_BUNDLE`` or ``CURL_CA_BUNDLE`` names, or else certifi's."""
    connection_cert: str | tuple[str, str] | None
    """The path of a file with a client certificate and its key, or the paths of both. Default: None."""
    proxies: Mapping[str, str | None] | None
    """Proxy URLs by scheme, such as ``{"https": "http://proxy:8080"}``. They replace the environment's for the same
    scheme. For no proxy, pass None as the URL. Default: the environment's, such as ``HTTPS_PROXY``."""
    permit_redirects: bool
    """Whether to follow redirects. Default: True."""
    redirect_max: int
    """The maximum number of redirects. Default: 30."""
    retry_total: int
    """The maximum number of retries of all kinds together. 0 turns retries off. Default: 10."""
    retry_connect: int
    """The maximum number of retries after failures to connect. Default: 3."""
    retry_read: int
    """The maximum number of retries after broken connections and read timeouts. Default: 3."""
    retry_status: int
    """The maximum number of retries after error responses, such as those with status code 429 or 503. Default: 3."""
    retry_backoff_factor: float
    """Seconds to wait before the first retry of an error response. The wait doubles with each further retry. The client
    shortens it at random, by up to half. Default: 0.8."""
    retry_backoff_max: float
    """The longest wait before a retry, in seconds. If ``Retry-After`` asks for more, the call raises its error at once;
    raise this option to wait. Default: 120."""
    timeout: float
    """Seconds after which no new attempt starts or connects. Nothing interrupts a connected one. If the wait before a
    retry would exceed it, the call raises its last error at once. Each page of a list is a call. Default: a week."""
    raw_request_hook: Callable[[PipelineRequest[HttpRequest]], object] | None
    """Called with the request of each attempt, before the client signs and sends it. It may change the request."""
    raw_response_hook: Callable[[PipelineResponse[HttpRequest, HttpResponse]], object] | None
    """Called with the response of each attempt."""
    logging_enable: bool
    """Whether to log all attempts with their bodies, which may hold tokens, at level DEBUG. Default: False."""
    logger: Logger
    """The logger for requests and responses without their bodies. Default: azure-core's."""
    http_logging_level: int
    """The level of that log, if azure-core is 1.40 or newer. Default: ``logging.INFO``."""
    tracing_attributes: Mapping[str, str | bool | int | float]
    """Attributes to add to tracing spans: a call's to all its spans, the client's to those of attempts only."""
    network_span_namer: Callable[[HttpRequest], str]
    """Returns the name of the tracing span of an attempt."""


class RequestOptions(CommonOptions, total=False):
    """The keyword options of every operation: those below and the :class:`CommonOptions`.

    A policy of your own may take more options from a call. An option that nothing takes is a TypeError.

    .. code-block:: python

        from azure.communication.rooms import RequestOptions

        options: RequestOptions = {"retry_total": 20, "read_timeout": 600}
        client.get_room(room_id, **options)
    """

    params: Mapping[str, str]
    """Query parameters to add to the URL. The client percent-encodes them."""
    retry_on_methods: Collection[str]
    """The HTTP methods to retry. Default: the operation's own, so that all operations are retried. For
    :meth:`RoomsClient.send_request`: DELETE, GET, HEAD, OPTIONS, PUT and TRACE."""
    tracing_options: TracingOptions
    """Turns tracing on or off for the call, as in ``{"enabled": False}``, or adds attributes to its span."""
    merge_span: bool
    """Whether to create tracing spans only for the attempts, and none for the call. Default: False."""
    parent_span: object
    """The parent of the call's span, for tracing plugins. OpenTelemetry's own tracing uses the current span."""


class ClientOptions(CommonOptions, total=False):
    """The keyword options of :class:`RoomsClient`: those below and the :class:`CommonOptions`.

    .. code-block:: python

        from azure.communication.rooms import ClientOptions, RoomsClient

        options: ClientOptions = {"user_agent": "contoso-bookings", "retry_total": 5}
        client = RoomsClient.from_connection_string(connection_string, **options)
    """

    credential_scopes: Sequence[str]
    """The scopes of tokens, for other clouds. Default: ``https://communication.azure.com//.default``."""
    use_env_settings: bool
    """Whether to read proxies and CA bundles from the environment. Default: True."""
    session: "Session"
    """A requests session to use as it is, instead of the one that all clients share."""
    session_owner: bool
    """Whether :meth:`RoomsClient.close` closes ``session``. Default: True."""
    connection_data_block_size: int
    """The size in bytes of the chunks of a streamed response. Default: 4096."""
    auto_request_id: bool
    """Whether to generate a request ID for each call. Default: True."""
    request_id_header_name: str
    """The name of the header for the request ID. Default: ``x-ms-client-request-id``."""
    user_agent_use_env: bool
    """Whether to add the environment variable ``AZURE_HTTP_USER_AGENT`` to the User-Agent header. Default: True."""
    sdk_moniker: str
    """The library's name in the User-Agent header. Default: this library's."""
    redirect_remove_headers: Collection[str]
    """Headers to remove from redirected requests, besides Authorization."""
    redirect_on_status_codes: Collection[int]
    """Status codes to treat as redirects, besides 300, 301, 302, 303, 307 and 308."""
    blocked_redirect_headers: Collection[str]
    """Headers to remove if a redirect leads to another host. Default: those that authenticate."""
    disable_redirect_cleanup: bool
    """Whether to keep the headers in ``blocked_redirect_headers``. Default: False."""
    retry_mode: RetryMode | Literal["exponential", "fixed"]
    """Whether the wait doubles with each retry (exponential) or stays the same (fixed). Default: exponential."""
    retry_on_status_codes: Collection[int]
    """Status codes of errors to retry, besides 408, 429, 500, 502, 503, 504 and those above 505."""
    additional_allowed_query_params: Collection[str]
    """Query parameters whose values logs and tracing spans may show, besides ``api-version``."""
    transport: HttpTransport[HttpRequest, HttpResponse] | None
    """Replaces the client's own transport."""
    policies: Iterable[Policy] | None
    """Replace all of the client's own policies, authentication included."""
    per_call_policies: Policies
    """Policies to run once for each call."""
    per_retry_policies: Policies
    """Policies to run for each attempt, before the policy that authenticates it."""
    user_agent_policy: Policy
    """Replaces the policy that sets the User-Agent header."""
    proxy_policy: Policy
    """Replaces the policy that sets the proxies."""
    redirect_policy: Policy
    """Replaces the policy that follows redirects."""
    retry_policy: Policy
    """Replaces the policy that retries. Its rules then apply instead of those described here."""
    custom_hook_policy: Policy
    """Replaces the policy that calls the hooks."""
    authentication_policy: Policy
    """Replaces the policy that authenticates requests."""
    logging_policy: Policy
    """Replaces the policy that logs requests and responses with their bodies."""
    http_logging_policy: Policy
    """Replaces the policy that logs requests and responses without their bodies."""


CLIENT_OPTIONS = ("api_version", *ClientOptions.__optional_keys__)
TRANSPORT_OPTIONS = ("connection_cert", "connection_timeout", "connection_verify", "proxies", "read_timeout", "stream")
CALL_OPTIONS = (*RequestOptions.__optional_keys__, "participants", "pstn_dial_out_enabled", "valid_from", "valid_until")


def check_options(options: Iterable[str], known: Collection[str], suggestions: Collection[str]) -> None:
    """Raise a TypeError if an option is not known. azure-core would ignore it, or pass it on to requests."""
    for name in options:
        if name not in known:
            close = [] if name in suggestions else difflib.get_close_matches(name, suggestions, n=1)
            raise TypeError(f"{name} is not an option" + (f": did you mean {close[0]}?" if close else ""))


def check_numbers(options: Mapping[str, object]) -> None:
    """Raise a TypeError if an option that must be a number is none, such as text from an environment variable."""
    for name, value in options.items():
        if CommonOptions.__annotations__.get(name) in (int, float) and not isinstance(value, (int, float, type(None))):
            raise TypeError(f"{name} must be a number, not {type(value).__name__}")
