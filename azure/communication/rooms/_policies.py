"""azure-core's policies, adapted where a user of the Rooms service would notice the difference."""

import random
import time
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import NetworkTraceLoggingPolicy, RetryPolicy, SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

from ._transport import UntrustedCertificateError


class RoomsRetryPolicy(RetryPolicy[HttpRequest, HttpResponse]):
    """azure-core's retry policy, adapted to how the service throttles.

    The service counts every request, so an immediate retry makes throttling worse. This policy waits before the first
    retry of an error response too, and gives every wait some jitter. No wait is longer than ``retry_backoff_max``. If a
    wait would outlast ``timeout``, the policy does not retry.
    """

    def configure_retries(self, options: dict[str, Any]) -> dict[str, Any]:
        settings = super().configure_retries(options)
        return {**settings, "deadline": time.monotonic() + settings["timeout"]}

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        # azure-core would also retry a POST or PATCH that the service may have executed.
        is_repeatable = response.http_request.method.upper() in settings["methods"]
        if not is_repeatable and response.http_response.status_code != 429:
            return False
        return bool(super().is_retry(settings, response))

    def increment(
        self,
        settings: dict[str, Any],
        response: PipelineRequest[Any] | PipelineResponse[Any, Any] | None = None,
        error: Exception | None = None,
    ) -> bool:
        if isinstance(error, UntrustedCertificateError) or not super().increment(settings, response, error):
            return False
        backoff = self.get_backoff_time(settings)
        retry_after = None
        if isinstance(response, PipelineResponse):
            backoff = backoff or settings["backoff"]  # azure-core's first retry would be immediate
            retry_after = self.get_retry_after(response)
        wait = retry_after * random.uniform(1, 1.25) if retry_after else backoff * random.uniform(0.5, 1)
        settings["wait"] = min(wait, settings["max_backoff"])
        return bool(time.monotonic() + settings["wait"] < settings["deadline"])

    def sleep(self, settings: dict[str, Any], transport: Any, response: object = None) -> None:
        transport.sleep(settings["wait"])


class KeepOptionsPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Restores a call's options for each attempt.

    The policies remove their options from the context when they read them. Without this policy, an option would apply
    only to the first attempt.
    """

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        options = request.context.options
        for name, value in request.context.setdefault("rooms_options", dict(options)).items():
            options.setdefault(name, value)


class RedactedTraceLoggingPolicy(NetworkTraceLoggingPolicy):
    """azure-core's log with bodies, with the Authorization header redacted."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        headers = request.http_request.headers
        authorization = headers.get("Authorization")
        if authorization is None:
            super().on_request(request)
            return
        headers["Authorization"] = "REDACTED"
        try:
            super().on_request(request)
        finally:
            headers["Authorization"] = authorization
