"""The pipeline's own policies: azure-core's, adapted to the Rooms service, and a few new ones."""

import math
import random
import re
import threading
import time
import uuid
from typing import Any, Literal
from urllib.parse import urlsplit

from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline import PipelineContext, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    HttpLoggingPolicy,
    NetworkTraceLoggingPolicy,
    RedirectPolicy,
    RequestIdPolicy,
    RetryMode,
    RetryPolicy,
    SansIOHTTPPolicy,
)
from azure.core.rest import HttpRequest, HttpResponse

from ._http import HEADER_VALUE, MERGE_PATCH, REPEATABILITY_FIRST_SENT, REPEATABILITY_REQUEST_ID, TOKEN

_TOKEN = re.compile(TOKEN)
_HEADER_VALUE = re.compile(HEADER_VALUE)
# After this many doublings, the backoff is longer than any sensible backoff_max. Many more would overflow a float.
_MAX_DOUBLINGS = 60


class RoomsRequestIdPolicy(RequestIdPolicy):
    """azure-core's request ID policy, with a random UUID.

    azure-core generates a version 1 UUID, which is four times slower and reveals the MAC address.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._is_random = "request_id" not in kwargs and kwargs.get("auto_request_id", True)
        self._header = kwargs.get("request_id_header_name", "x-ms-client-request-id")

    def on_request(self, request: PipelineRequest[Any]) -> None:
        if self._is_random and self._header not in request.http_request.headers:
            request.context.options.setdefault("request_id", str(uuid.uuid4()))
        super().on_request(request)


class KeepOptionsPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Restores the call's options each time the request passes through, for the policies after this one.

    azure-core's policies remove their options from the context when they read them. Without this policy, the options
    would apply only to the first attempt.
    """

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        options = request.context.options
        # The pipeline has several of these policies. Each saves the options that it saw first.
        for name, value in request.context.setdefault(str(id(self)), dict(options)).items():
            options.setdefault(name, value)


class RoomsRetryPolicy(RetryPolicy[HttpRequest, HttpResponse]):
    """azure-core's retry policy, adapted to how the service throttles.

    The service counts every request, so an immediate retry makes throttling worse. This policy waits before the first
    retry too. Every wait has jitter, so clients that were throttled together do not retry together: a backoff is up to
    half shorter, and a ``Retry-After`` up to a quarter longer. No wait is longer than ``retry_backoff_max``. If a wait
    would outlast ``timeout``, the policy does not retry.
    """

    def configure_retries(self, options: dict[str, Any]) -> dict[str, Any]:
        settings = super().configure_retries(options)
        settings["deadline"] = time.monotonic() + settings["timeout"]
        settings["methods"] = {method.upper() for method in settings["methods"]}
        settings["max_backoff"] = min(settings["max_backoff"], threading.TIMEOUT_MAX)
        return settings

    def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, HttpResponse]:
        http_request = request.http_request
        headers = http_request.headers
        options = request.context.options
        # If a redirect follows, this policy runs again for the same call.
        timeout = min(options.get("timeout", self.timeout), threading.TIMEOUT_MAX)
        deadline = request.context.setdefault("deadline", time.monotonic() + timeout)
        options["timeout"] = deadline - time.monotonic()
        media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        # azure-core does not retry POST and PATCH, but it is safe to retry a repeatable request or a merge patch.
        if REPEATABILITY_REQUEST_ID in headers or media_type == MERGE_PATCH:
            options.setdefault("retry_on_methods", [http_request.method.upper()])
        return super().send(request)

    def update_context(self, context: PipelineContext, retry_settings: dict[str, Any]) -> None:
        # After a redirect, this policy runs again for the same call, and azure-core would forget the attempts before.
        context["history"] = [*context.get("history", ()), *retry_settings["history"]]

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        # The service may have executed a POST or PATCH that failed. azure-core would nevertheless retry it after 500,
        # 503 and 504, and after any error with a Retry-After.
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
        if not super().increment(settings, response, error):
            return False
        retry_after = self.get_retry_after(response) if isinstance(response, PipelineResponse) else None
        settings["wait"] = min(retry_after or self.get_backoff_time(settings), settings["max_backoff"])
        will_retry: bool = time.monotonic() + settings["wait"] < settings["deadline"]
        if will_retry and isinstance(response, PipelineResponse):
            response.http_response.close()  # a streamed response: nobody will read the rest
        return will_retry

    def sleep(self, settings: dict[str, Any], transport: Any, response: object = None) -> None:
        transport.sleep(settings["wait"])

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        retries = len(settings["history"])
        growth = 1 if self.retry_mode == RetryMode.Fixed else 2 ** min(max(retries - 1, 0), _MAX_DOUBLINGS)
        backoff: float = min(settings["max_backoff"], settings["backoff"] * growth)
        return backoff * random.uniform(0.5, 1)

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        try:
            retry_after = super().get_retry_after(response)
        except (ValueError, OverflowError):  # neither seconds nor a date, perhaps from a proxy
            return None
        if retry_after is None or not math.isfinite(retry_after):
            return None
        return retry_after * random.uniform(1, 1.25)


class RoomsRedirectPolicy(RedirectPolicy[HttpRequest, HttpResponse]):
    """azure-core's redirect policy, which does not follow a Location that is not a URL."""

    def get_redirect_location(self, response: PipelineResponse[Any, Any]) -> str | Literal[False] | None:
        location = super().get_redirect_location(response)
        try:
            urlsplit(location or "")
        except ValueError:
            return False
        return location


class DropOptionsPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Removes options that azure-core's policies leave in the context if they don't use them.

    The transport would reject them as unknown.
    """

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        for name in ("user_agent_overwrite", "network_span_namer", "tracing_attributes"):
            request.context.options.pop(name, None)


class WellFormedRequestPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Rejects a method or header that HTTP cannot send.

    Otherwise, a log or the error message of the caller's own transport could show the header's value.
    """

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        http_request = request.http_request
        if _TOKEN.fullmatch(http_request.method) is None:
            raise ValueError(f"the method {http_request.method!r} is not an HTTP token")
        for name, value in http_request.headers.items():
            if _TOKEN.fullmatch(name) is None:
                raise ValueError(f"the header name {name!r} is not an HTTP token")
            if not isinstance(value, str) or _HEADER_VALUE.fullmatch(value) is None:
                if name.lower() == "authorization":
                    raise ClientAuthenticationError("The credential's token has characters that HTTP cannot send.")
                raise ValueError(f"the header {name!r} has a value that HTTP cannot send")


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


class RoomsHttpLoggingPolicy(HttpLoggingPolicy):
    """azure-core's log without bodies, which also shows the headers needed for a support case or a repeated create."""

    DEFAULT_HEADERS_ALLOWLIST = HttpLoggingPolicy.DEFAULT_HEADERS_ALLOWLIST | {
        "MS-CV",
        "X-Azure-Ref",
        "x-ms-error-code",
        REPEATABILITY_REQUEST_ID,
        REPEATABILITY_FIRST_SENT,
        "Repeatability-Result",
    }
