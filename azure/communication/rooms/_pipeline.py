"""Builds the pipeline: the policies that every request passes through, from the operations to the transport."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import (
    CustomHookPolicy,
    DistributedTracingPolicy,
    HeadersPolicy,
    ProxyPolicy,
    SensitiveHeaderCleanupPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from typing_extensions import Unpack

from ._authentication import PUBLIC_SCOPE, authentication_policy
from ._options import ClientOptions, Policies, Policy
from ._policies import (
    DropOptionsPolicy,
    KeepOptionsPolicy,
    RedactedTraceLoggingPolicy,
    RoomsHttpLoggingPolicy,
    RoomsRedirectPolicy,
    RoomsRequestIdPolicy,
    RoomsRetryPolicy,
    WellFormedRequestPolicy,
)
from ._transport import RoomsTransport
from ._version import VERSION


def build_pipeline(
    endpoint: str,
    credential: AzureKeyCredential | TokenCredential | str,
    *,
    policies: Iterable[Policy] | None,
    transport: HttpTransport[HttpRequest, HttpResponse] | None,
    instrumentation_config: Mapping[str, str],
    **options: Unpack[ClientOptions],
) -> Pipeline[HttpRequest, HttpResponse]:
    """Return the pipeline, with its policies in order from the caller to the wire.

    If the caller passes ``policies``, they replace all of these, authentication included.
    """
    authentication = authentication_policy(endpoint, credential, options.get("credential_scopes", (PUBLIC_SCOPE,)))
    settings: dict[str, Any] = {"sdk_moniker": f"communication-rooms/{VERSION}", **options}
    if policies is None:
        policies = [
            RoomsRequestIdPolicy(**settings),  # one ID for all attempts of a call
            HeadersPolicy(**settings),  # the caller's headers
            options.get("user_agent_policy") or UserAgentPolicy(**settings),
            options.get("proxy_policy") or ProxyPolicy(**settings),
            *_listed(options.get("per_call_policies")),
            options.get("redirect_policy") or RoomsRedirectPolicy(**settings),
            KeepOptionsPolicy(),  # so that a redirected request has the same retry options
            options.get("retry_policy") or RoomsRetryPolicy(**settings),
            KeepOptionsPolicy(),  # so that every attempt has the same hooks and logging options
            options.get("custom_hook_policy") or CustomHookPolicy(**settings),  # may still change the request
            *_listed(options.get("per_retry_policies")),
            options.get("authentication_policy") or authentication,  # signs each attempt; no later policy may change it
            WellFormedRequestPolicy(),  # before a log or an error message can show a header that cannot be sent
            options.get("logging_policy") or RedactedTraceLoggingPolicy(**settings),
            # one span for each attempt
            DistributedTracingPolicy(instrumentation_config=instrumentation_config, **settings),
            SensitiveHeaderCleanupPolicy(**settings),  # removes credentials if a redirect leads to another host
            options.get("http_logging_policy") or RoomsHttpLoggingPolicy(**settings),
            DropOptionsPolicy(),  # the transport rejects options it does not know
        ]
    elif options.get("per_call_policies") or options.get("per_retry_policies"):
        raise ValueError("policies replaces the whole pipeline: put per_call_policies and per_retry_policies into it")
    if transport is None:
        transport = RoomsTransport(**settings)
    return Pipeline(transport, policies)


def _listed(policies: Policies | None) -> Sequence[Policy]:
    """Return the policies as a sequence: azure-core takes one policy as well as several."""
    if policies is None:
        return ()
    return tuple(policies) if isinstance(policies, Iterable) else (policies,)
