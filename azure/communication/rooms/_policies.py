"""azure-core's policies, adapted where a user of the Rooms service would notice the difference."""

import random
import time
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import requests
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import NetworkTraceLoggingPolicy, RedirectPolicy, RetryPolicy, SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

from ._repeatability import RepeatableRequest
from ._transport import UntrustedCertificateError


class RoomsRedirectPolicy(RedirectPolicy[HttpRequest, HttpResponse]):
    """azure-core's redirect policy. A ``Location`` that is not an http URL counts as none."""

    def get_redirect_location(self, response: PipelineResponse[Any, Any]) -> str | Literal[False] | None:
        location = super().get_redirect_location(response)
        if not location:
            return location
        try:
            url = urljoin(response.http_request.url, location)
            requests.Request("GET", url).prepare()
            return url if url.isascii() and urlsplit(url).scheme in ("http", "https") else None
        except ValueError:
            return None


class RoomsRetryPolicy(RetryPolicy[HttpRequest, HttpResponse]):
    """azure-core's retry policy, adapted to how the service throttles: an immediate retry makes throttling worse.

    This policy waits before the first retry of an error response too, and varies every wait at random. It does not
    retry if ``Retry-After`` asks for more than ``retry_backoff_max``, or if the wait would outlast ``timeout``.
    """

    def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, HttpResponse]:
        options = request.context.options
        if isinstance(request.http_request, RepeatableRequest):
            options.setdefault("retry_on_methods", [request.http_request.method])
        # A redirect sends the request through this policy again, but the call's timeout continues.
        request.context.setdefault("rooms_deadline", time.monotonic() + options.get("timeout", self.timeout))
        return super().send(request)

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        try:
            return super().get_retry_after(response)
        except (ValueError, OverflowError):
            return None  # a malformed header counts as none

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        # azure-core would also retry a POST or PATCH that the service may have executed.
        status_code = response.http_response.status_code
        is_repeatable = response.http_request.method.upper() in settings["methods"]
        if status_code < 400 or not (is_repeatable or status_code == 429):
            return False
        if self.get_retry_after(response) is not None:
            return True
        return bool(is_repeatable and settings["total"] and status_code in self._retry_on_status_codes)

    def increment(self, settings: dict[str, Any], response: Any = None, error: Exception | None = None) -> bool:
        if isinstance(error, UntrustedCertificateError) or not super().increment(settings, response, error):
            return False
        del settings["history"][:-1000]  # azure-core computes 2 ** len(history), which is too large for a float
        backoff, retry_after = self.get_backoff_time(settings), None
        if isinstance(response, PipelineResponse):
            backoff = backoff or settings["backoff"]  # azure-core's first retry would be immediate
            retry_after = self.get_retry_after(response)
        wait = retry_after * random.uniform(1, 1.25) if retry_after else backoff * random.uniform(0.5, 1)
        wait = settings["wait"] = max(min(wait, settings["max_backoff"]), retry_after or 0)
        return bool(wait <= settings["max_backoff"] and time.monotonic() + wait < response.context["rooms_deadline"])

    def sleep(self, settings: dict[str, Any], transport: Any, response: object = None) -> None:
        transport.sleep(settings["wait"])


class KeepOptionsPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Restores a call's options for each redirect or attempt: policies remove the options that they read."""

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        options = request.context.options
        for name, value in request.context.setdefault(f"rooms_options_{id(self)}", dict(options)).items():
            options.setdefault(name, value)


class UnusedOptionsPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Removes the options that azure-core's policies leave in place if they have no use for them."""

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        for name in ("user_agent_overwrite", "network_span_namer", "tracing_attributes"):
            request.context.options.pop(name, None)


class RedactedTraceLoggingPolicy(NetworkTraceLoggingPolicy):
    """azure-core's log with bodies, with the Authorization header redacted."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        headers = request.http_request.headers
        authorization = {"Authorization": headers["Authorization"]} if "Authorization" in headers else {}
        headers.update(dict.fromkeys(authorization, "REDACTED"))
        try:
            super().on_request(request)
        finally:
            headers.update(authorization)
