"""Builds the pipeline: the policies that every request passes through, from the operations to the transport."""

from collections.abc import Iterable, Mapping
from typing import Any

from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.pipeline import Pipeline
from azure.core.pipeline import policies as core
from azure.core.rest import HttpRequest, HttpResponse
from typing_extensions import Unpack

from . import _policies as own
from ._authentication import authentication_policy
from ._options import ClientOptions, Policies, Policy
from ._repeatability import REPEATABILITY_FIRST_SENT, REPEATABILITY_REQUEST_ID
from ._transport import RoomsTransport
from ._version import VERSION

_LOGGED_HEADERS = {"MS-CV", "X-Azure-Ref", "x-ms-error-code", "Repeatability-Result"}
_LOGGED_HEADERS |= {REPEATABILITY_REQUEST_ID, REPEATABILITY_FIRST_SENT}


def build_pipeline(
    endpoint: str,
    credential: AzureKeyCredential | TokenCredential | str,
    instrumentation_config: Mapping[str, str],
    **options: Unpack[ClientOptions],
) -> Pipeline[HttpRequest, HttpResponse]:
    """Return the pipeline, with its policies in order from the caller to the wire."""
    authentication = authentication_policy(endpoint, credential, options.get("credential_scopes"))
    settings: dict[str, Any] = {"sdk_moniker": f"communication-rooms/{VERSION}", **options}
    settings["headers"] = {"x-ms-return-client-request-id": "true", **(options.get("headers") or {})}
    http_logging = core.HttpLoggingPolicy(**settings)
    http_logging.allowed_header_names.update(_LOGGED_HEADERS)
    policies = options.get("policies")
    if policies is None:
        policies = [
            core.RequestIdPolicy(**settings),  # one ID for all attempts of a call
            core.HeadersPolicy(**settings),
            options.get("user_agent_policy") or core.UserAgentPolicy(**settings),
            options.get("proxy_policy") or core.ProxyPolicy(**settings),
            *_listed(options.get("per_call_policies") or ()),
            options.get("redirect_policy") or own.RoomsRedirectPolicy(**settings),
            own.KeepOptionsPolicy(),
            options.get("retry_policy") or own.RoomsRetryPolicy(**settings),
            own.KeepOptionsPolicy(),
            options.get("custom_hook_policy") or core.CustomHookPolicy(**settings),  # it may change the request
            *_listed(options.get("per_retry_policies") or ()),
            options.get("authentication_policy") or authentication,  # signs each attempt; no later policy may change it
            options.get("logging_policy") or own.RedactedTraceLoggingPolicy(**settings),
            core.DistributedTracingPolicy(instrumentation_config=instrumentation_config, **settings),
            core.SensitiveHeaderCleanupPolicy(**settings),  # removes credentials if a redirect leads to another host
            options.get("http_logging_policy") or http_logging,
        ]
    elif options.get("per_call_policies") or options.get("per_retry_policies"):
        raise ValueError("policies replaces the whole pipeline: put per_call_policies and per_retry_policies into it")
    transport = options.get("transport") or RoomsTransport(endpoint, **settings)
    return Pipeline(transport, [*policies, own.UnusedOptionsPolicy()])


def _listed(policies: Policies) -> Iterable[Policy]:
    return policies if isinstance(policies, Iterable) else (policies,)  # azure-core takes one policy as well
