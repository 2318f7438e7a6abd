"""The policies that authenticate each request."""

import base64
import hashlib
import hmac
import inspect
import time
from collections.abc import Sequence
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote, urlsplit

from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

from ._endpoint import origin


def authentication_policy(
    endpoint: str, credential: AzureKeyCredential | TokenCredential | str, scopes: Sequence[str] | None
) -> "HmacCredentialPolicy | TokenCredentialPolicy":
    """Return the policy for the credential. No error message shows the credential."""
    if isinstance(credential, str):
        credential = AzureKeyCredential(credential)
    if isinstance(credential, AzureKeyCredential):
        return HmacCredentialPolicy(credential)
    get_token = getattr(credential, "get_token", None) or getattr(credential, "get_token_info", None)
    if get_token is None or isinstance(credential, type):
        kind = type(credential).__name__
        raise TypeError(f"credential must be an AzureKeyCredential, an access key or a TokenCredential, not {kind}")
    if inspect.iscoroutinefunction(get_token):
        raise TypeError("credential must not be an async credential: this client is synchronous")
    if isinstance(scopes, str):
        raise TypeError("credential_scopes must be a sequence of scopes, not a str")
    if not endpoint.startswith("https:"):
        raise ValueError("endpoint must be https if credential is a TokenCredential: tokens are sent over TLS only")
    return TokenCredentialPolicy(credential, *(scopes or ("https://communication.azure.com//.default",)))


class TokenCredentialPolicy(BearerTokenCredentialPolicy[HttpRequest, HttpResponse]):
    """azure-core's policy for bearer tokens. A malformed claims challenge counts as none."""

    def on_challenge(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> bool:
        try:
            return super().on_challenge(request, response)
        except ValueError:
            return False


class HmacCredentialPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Signs each attempt with the access key. It reads the key each time, so that you can rotate it."""

    def __init__(self, credential: AzureKeyCredential) -> None:
        _decode_access_key(credential.key)
        self._credential = credential

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        http_request = request.http_request
        headers = http_request.headers
        url = urlsplit(http_request.url)
        path_and_query = (url.path or "/") + (f"?{url.query}" if url.query else "")
        host = headers.get("Host") or urlsplit(origin(http_request.url)).netloc
        date = formatdate(time.time(), usegmt=True)
        digest = base64.b64encode(hashlib.sha256(_body(http_request)).digest()).decode("ascii")
        string_to_sign = f"{http_request.method.upper()}\n{unquote(path_and_query)}\n{date};{host};{digest}"
        key = _decode_access_key(self._credential.key)
        signature = base64.b64encode(hmac.digest(key, string_to_sign.encode("utf-8"), "sha256")).decode("ascii")
        headers["x-ms-date"] = date
        headers["x-ms-content-sha256"] = digest
        headers["Authorization"] = f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"


def _decode_access_key(access_key: str) -> bytes:
    """Return the key's bytes. The error message does not show the key."""
    try:
        key = base64.b64decode(access_key, validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("the access key is not base64") from None
    return key


def _body(request: HttpRequest) -> bytes:
    content: object = request.content
    if isinstance(content, str):
        return content.encode("utf-8")
    if content is None or isinstance(content, bytes):
        return content or b""
    raise TypeError(f"the request's content must be bytes or str, not {type(content).__name__}")
