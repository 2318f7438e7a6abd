"""azure-core's policies, where the Rooms service needs them to act differently."""

import math
import random
import uuid
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    HttpLoggingPolicy,
    NetworkTraceLoggingPolicy,
    RequestIdPolicy,
    RetryMode,
    RetryPolicy,
)
from azure.core.rest import HttpRequest, HttpResponse

# By these the retry policy knows a request that can be sent again, whatever its method.
MERGE_PATCH = "application/merge-patch+json"
REPEATABILITY_REQUEST_ID = "Repeatability-Request-ID"


class RoomsRequestIdPolicy(RequestIdPolicy):
    """azure-core's request ID, but a random UUID: one of version 1 takes four times as long, and tells the machine."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._is_random = "request_id" not in kwargs and kwargs.get("auto_request_id", True)
        self._header = kwargs.get("request_id_header_name", "x-ms-client-request-id")

    def on_request(self, request: PipelineRequest[Any]) -> None:
        if self._is_random and self._header not in request.http_request.headers:
            request.context.options.setdefault("request_id", str(uuid.uuid4()))
        super().on_request(request)


class RoomsRetryPolicy(RetryPolicy[HttpRequest, HttpResponse]):
    """azure-core's retry policy, with a wait before the first retry too, and jitter in every wait.

    The service counts every request, so a retry at once makes throttling worse; and clients that were throttled
    together must not return together. A backoff is cut by up to a half; ``Retry-After`` is what the service asked
    for, so up to a quarter is added to it.
    """

    def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, HttpResponse]:
        http_request = request.http_request
        headers = http_request.headers
        # azure-core leaves POST and PATCH out; a repeatable request and a merge patch can be sent again all the same.
        if REPEATABILITY_REQUEST_ID in headers or headers.get("Content-Type") == MERGE_PATCH:
            request.context.options.setdefault("retry_on_methods", [http_request.method])
        return super().send(request)

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        retries = max(len(settings["history"]), 1)
        growth = 1 if self.retry_mode == RetryMode.Fixed else 2 ** (retries - 1)
        backoff: float = min(settings["max_backoff"], settings["backoff"] * growth)
        return backoff * random.uniform(0.5, 1)

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        try:
            retry_after = super().get_retry_after(response)
        except ValueError:  # neither seconds nor a date: a proxy's, say
            return None
        if retry_after is None or not math.isfinite(retry_after):
            return None
        return retry_after * random.uniform(1, 1.25)


class RedactedTraceLoggingPolicy(NetworkTraceLoggingPolicy):
    """azure-core's network trace, without what authenticates the request."""

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


class RoomsHttpLoggingPolicy(HttpLoggingPolicy):
    """azure-core's request log, with the headers by which the service knows a request and a repeated one."""

    DEFAULT_HEADERS_ALLOWLIST = HttpLoggingPolicy.DEFAULT_HEADERS_ALLOWLIST | {
        "MS-CV",
        "X-Azure-Ref",
        "x-ms-error-code",
        REPEATABILITY_REQUEST_ID,
        "Repeatability-First-Sent",
        "Repeatability-Result",
    }
