"""The keyword options of the client and of each call, which the client checks before it sends anything."""

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from logging import Logger
from typing import Any, Literal

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy, RetryMode, SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.tracing import TracingOptions
from typing_extensions import TypedDict

# Some of azure-core's policies also accept its legacy requests, so no narrower type fits them all.
Policy = HTTPPolicy[Any, Any] | SansIOHTTPPolicy[Any, Any]
Policies = Policy | Iterable[Policy]


class CommonOptions(TypedDict, total=False):
    """The keyword options that both :class:`RoomsClient` and every operation take.

    An option of a call replaces the client's for that call.
    """

    headers: Mapping[str, str]
    """Headers to add to each request. A call's headers are added to the client's."""
    request_id: str | None
    """The value of the ``x-ms-client-request-id`` header. If it is None, the client sends no such header. Default: a
    random UUID for each call."""
    user_agent: str
    """Your application's name, to put before the library's in the ``User-Agent`` header."""
    user_agent_overwrite: bool
    """Whether a call's ``user_agent`` replaces the whole header. Default: False."""
    connection_timeout: float
    """Seconds to connect, with TLS and a proxy's tunnel but without looking up the host's name, for each attempt.
    Default: 300."""
    read_timeout: float
    """Seconds to send the request and read the whole response, for each attempt. Default: 300."""
    connection_verify: bool | str
    """Whether to verify the server's certificate, or the path of a file or directory of CA certificates. With True, the
    client uses those that ``REQUESTS_CA_BUNDLE`` or ``CURL_CA_BUNDLE`` names, or else certifi's. Default: True."""
    connection_cert: str | tuple[str, str] | None
    """The path of a file with a client certificate and its key, or the paths of both. Default: None."""
    connection_data_block_size: int
    """The size in bytes of the chunks of a streamed response. Default: 4096."""
    proxies: Mapping[str, str] | None
    """Proxy URLs by scheme, such as ``{"https": "http://proxy:8080"}``. They replace the environment's for the same
    scheme. Default: the environment's, such as ``HTTPS_PROXY``."""
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
    """Seconds to wait before the first retry. The wait doubles with each further retry. The client shortens each wait
    at random, by up to half. Default: 0.8."""
    retry_backoff_max: float
    """The longest wait before a retry, in seconds, even if ``Retry-After`` asks for more. Default: 120."""
    timeout: float
    """Seconds after which no further attempt begins. It limits the time to connect, but does not interrupt an attempt
    that is connected. If a wait would outlast it, the call raises the error of its last attempt at once. Each page of a
    list counts as a call. Default: 604800, a week."""
    raw_request_hook: Callable[[PipelineRequest[HttpRequest]], object] | None
    """Called with the request of each attempt, before the client signs and sends it. The hook may change the request.
    Default: None."""
    raw_response_hook: Callable[[PipelineResponse[HttpRequest, HttpResponse]], object] | None
    """Called with the response of each attempt. Default: None."""
    logging_enable: bool
    """Whether to log the requests and responses of all attempts with their bodies, at level DEBUG. Default: False."""
    logger: Logger
    """The logger for requests and responses without their bodies, at level INFO.
    Default: ``azure.core.pipeline.policies.http_logging_policy``."""
    tracing_attributes: Mapping[str, str | bool | int | float]
    """Attributes to add to each tracing span."""
    network_span_namer: Callable[[HttpRequest], str]
    """Returns the name of the tracing span of an attempt."""


class RequestOptions(CommonOptions, total=False):
    """The keyword options of every operation: those below and the :class:`CommonOptions`.

    .. code-block:: python

        from azure.communication.rooms import RequestOptions

        patient: RequestOptions = {"retry_total": 20, "read_timeout": 600}
        client.get_room(room_id, **patient)
    """

    params: Mapping[str, str]
    """Query parameters to add to the URL. The client percent-encodes them."""
    retry_on_methods: Collection[str]
    """The HTTP methods to retry. Default: DELETE, GET, HEAD, OPTIONS, PUT and TRACE, and the method of any request that
    is repeatable or a merge patch. So all of the client's operations are retried."""
    tracing_options: TracingOptions
    """Turns tracing on or off for the call, as in ``{"enabled": False}``, or adds attributes to its span."""
    merge_span: bool
    """Whether to create tracing spans only for the attempts, and none for the call. Default: False."""
    parent_span: object
    """The parent of the call's tracing span. Default: the current span."""


class ClientOptions(CommonOptions, total=False):
    """The keyword options of :class:`RoomsClient`: those below and the :class:`CommonOptions`.

    .. code-block:: python

        from azure.communication.rooms import ClientOptions, RoomsClient

        options: ClientOptions = {"user_agent": "contoso-bookings", "retry_total": 5}
        client = RoomsClient.from_connection_string(connection_string, **options)
    """

    credential_scopes: Sequence[str]
    """The scopes to request from a TokenCredential, for clouds other than the public one.
    Default: ``https://communication.azure.com//.default``."""
    use_env_settings: bool
    """Whether the environment variables for proxies and certificate bundles apply. Default: True."""
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
    """Headers to remove if a redirect leads to another host. Default: ``Authorization`` and
    ``x-ms-authorization-auxiliary``."""
    disable_redirect_cleanup: bool
    """Whether to keep the headers in ``blocked_redirect_headers``. Default: False."""
    retry_mode: RetryMode | Literal["exponential", "fixed"]
    """Whether the wait doubles with each retry (exponential) or stays the same (fixed). Default: exponential."""
    retry_on_status_codes: Collection[int]
    """Status codes to retry, besides 408, 429, 500, 502, 503, 504 and those above 505."""
    additional_allowed_query_params: Collection[str]
    """Query parameters whose values logs and tracing spans may show, besides ``api-version``."""
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
    """Replaces the policy that retries. If you pass one, its rules apply instead of those described here."""
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

# Keywords of the released client that this one does not have, and what to do instead.
_INSTEAD = {
    "cls": "raw_response_hook receives the response",
    "content_type": "the client sends JSON",
    "error_map": "catch the exceptions of azure.core.exceptions",
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _is_mapping(value: Any) -> bool:
    return value is None or (isinstance(value, Mapping) and all(isinstance(key, str) for key in value))


def _is_function(value: Any) -> bool:
    return value is None or callable(value)


def _are_methods(value: Any) -> bool:
    is_collection = isinstance(value, Collection) and not isinstance(value, str)
    return is_collection and all(isinstance(method, str) for method in value)


# What an option's value must be, for options where azure-core's own error comes too late or does not name the option.
_Requirement = tuple[Callable[[Any], bool], type[Exception], str]
_NUMBER: _Requirement = (_is_number, TypeError, "a number")
_NUMBER_OR_NONE: _Requirement = (lambda value: value is None or _is_number(value), TypeError, "a number")
_AT_LEAST_0: _Requirement = (lambda value: value >= 0, ValueError, "at least 0")
_MAPPING: _Requirement = (_is_mapping, TypeError, "a mapping with str keys")
_FUNCTION: _Requirement = (_is_function, TypeError, "callable")
_REQUIREMENTS: dict[str, list[_Requirement]] = {
    "headers": [_MAPPING],
    "params": [_MAPPING],
    "tracing_attributes": [_MAPPING],
    "proxies": [
        _MAPPING,
        (
            lambda value: all(isinstance(url, (str, type(None))) for url in (value or {}).values()),
            TypeError,
            "a mapping of str",
        ),
    ],
    "connection_timeout": [_NUMBER_OR_NONE],
    "read_timeout": [_NUMBER_OR_NONE],
    "connection_data_block_size": [
        (lambda value: isinstance(value, int), TypeError, "an int"),
        (lambda value: value >= 1, ValueError, "at least 1"),
    ],
    "timeout": [_NUMBER, (lambda value: value > 0, ValueError, "more than 0")],
    "redirect_max": [_NUMBER],
    "retry_total": [_NUMBER],
    "retry_connect": [_NUMBER],
    "retry_read": [_NUMBER],
    "retry_status": [_NUMBER],
    "retry_backoff_factor": [_NUMBER, _AT_LEAST_0],
    "retry_backoff_max": [_NUMBER, _AT_LEAST_0],
    "retry_mode": [(lambda value: value in list(RetryMode), ValueError, "'exponential' or 'fixed'")],
    "retry_on_methods": [(_are_methods, TypeError, "a collection of str")],
    "raw_request_hook": [_FUNCTION],
    "raw_response_hook": [_FUNCTION],
    "network_span_namer": [_FUNCTION],
}


def check_options(options: Mapping[str, object], known: frozenset[str], *parameters: str) -> None:
    """Raise an error if an option is unknown or has an invalid value.

    If it is unknown, the message suggests the closest option, or parameter of the call.
    """
    for name, value in options.items():
        if name not in known:
            close = difflib.get_close_matches(name, [*known, *parameters], n=1)
            hint = _INSTEAD.get(name) or (f"did you mean {close[0]}?" if close else "")
            raise TypeError(f"{name} is not an option" + (f": {hint}" if hint else ""))
        for is_met, error, text in _REQUIREMENTS.get(name, ()):
            if not is_met(value):
                # The value of a mapping may contain a secret.
                shown = repr(value) if error is ValueError else type(value).__name__
                raise error(f"{name} must be {text}, not {shown}")
