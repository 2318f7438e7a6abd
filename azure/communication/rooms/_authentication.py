"""The policies that authenticate each request."""

import base64
import binascii
import hashlib
import hmac
import inspect
import re
import time
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from ._endpoint import origin
from ._http import body_of
from ._time import http_date

PUBLIC_SCOPE = "https://communication.azure.com//.default"
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def authentication_policy(
    endpoint: str, credential: AzureKeyCredential | TokenCredential | str, scopes: Sequence[str]
) -> "HmacCredentialPolicy | BearerTokenCredentialPolicy[HttpRequest, HttpResponse]":
    """Return the policy for the credential. No error message shows the credential."""
    is_tls = endpoint.startswith("https:")
    if isinstance(credential, str):
        credential = AzureKeyCredential(credential)
    if isinstance(credential, AzureKeyCredential):
        return HmacCredentialPolicy(credential, tls_only=is_tls)
    get_token = getattr(credential, "get_token", None) or getattr(credential, "get_token_info", None)
    if get_token is None or isinstance(credential, type):
        raise TypeError(
            "credential must be an AzureKeyCredential, an access key or a TokenCredential, "
            f"not {type(credential).__name__}"
        )
    if inspect.iscoroutinefunction(get_token):
        raise TypeError("credential must not be an async credential: this client is synchronous")
    if isinstance(scopes, str):
        raise TypeError("credential_scopes must be a sequence of scopes, not a str")
    if not is_tls:
        raise ValueError(
            "endpoint must be https if credential is a TokenCredential: bearer tokens are sent over TLS only"
        )
    return BearerTokenCredentialPolicy(credential, *scopes)


def content_sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")


def decode_access_key(access_key: str) -> bytes:
    """Return the key's bytes. The error message does not show the key."""
    try:
        key = base64.b64decode(access_key, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("the access key is not base64") from None
    return key


class HmacCredentialPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Signs each request with the access key, in the service's HMAC-SHA256 scheme.

    It runs after the retry policy and after every policy that may change a request. So it signs each attempt, and
    each attempt is sent exactly as it was signed.

    :param ~azure.core.credentials.AzureKeyCredential credential: The access key. The policy reads it for each
     request, so you can rotate it.
    :keyword bool tls_only: Whether to sign https requests only. Default: False.
    :raises ValueError: The key is not base64.
    """

    def __init__(self, credential: AzureKeyCredential, *, tls_only: bool = False) -> None:
        self._credential = credential
        self._tls_only = tls_only
        # Each pair caches a value with the input it was made from. Threads need no lock, because a pair never changes:
        # a new pair replaces it.
        self._key: tuple[str, bytes] = (credential.key, decode_access_key(credential.key))
        self._date: tuple[int, str] = (0, "")

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        http_request = request.http_request
        http_request.method = http_request.method.upper()
        http_request.url = canonical_url(http_request.url)
        url = urlsplit(http_request.url)
        if self._tls_only and url.scheme != "https":
            raise ClientAuthenticationError("The endpoint is https, so the client does not sign an http request.")
        headers = http_request.headers
        date = self._now()
        digest = content_sha256(body_of(http_request) or b"")
        path_and_query = f"{url.path}?{url.query}" if url.query else url.path
        string_to_sign = (
            f"{http_request.method}\n{unquote(path_and_query)}\n{date};{headers.get('Host') or url.netloc};{digest}"
        )
        signature = base64.b64encode(hmac.digest(self._current_key(), string_to_sign.encode("utf-8"), "sha256"))
        headers["x-ms-date"] = date
        headers["x-ms-content-sha256"] = digest
        headers["Authorization"] = (
            f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature.decode('ascii')}"
        )

    def _now(self) -> str:
        now = int(time.time())
        second, date = self._date
        if second != now:
            date = http_date(now)
            self._date = (now, date)
        return date

    def _current_key(self) -> bytes:
        current = self._credential.key
        access_key, key = self._key
        if access_key != current:
            key = decode_access_key(current)
            self._key = (current, key)
        return key


def canonical_url(url: str) -> str:
    """Return the URL in a normal form, which no transport or proxy changes after it was signed.

    urllib3 changes some URLs when it sends them: those with dot segments, characters that must be percent-encoded, a
    default port, or a dot at the end of the host name.
    """
    try:
        # If a URL has a stray percent sign, urllib3 encodes all its percent signs again.
        parsed = parse_url(_STRAY_PERCENT.sub("%25", url))
    except (LocationParseError, UnicodeEncodeError) as error:
        raise ServiceRequestError("The URL cannot be sent: it is not a valid URL.", error=error) from error
    target = f"{parsed.path or '/'}?{parsed.query}" if parsed.query else parsed.path or "/"
    return f"{origin(f'{parsed.scheme}://{parsed.netloc}')}{target}"
