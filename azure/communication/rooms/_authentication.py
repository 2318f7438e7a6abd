"""Credentials: the connection string, the endpoint, and the policies that authenticate each request."""

import base64
import binascii
import hashlib
import hmac
import re
import time
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

_SCOPE = "https://communication.azure.com//.default"
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ROOT_DOT = re.compile(r"\.(?=:\d+$|$)")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def parse_connection_string(conn_str: str) -> tuple[str, str]:
    """The endpoint and the access key. No message shows any part of the string, since any may be the key."""
    if not isinstance(conn_str, str):
        raise TypeError(f"conn_str must be a str, not {type(conn_str).__name__}")
    settings: dict[str, str] = {}
    for segment in filter(None, (part.strip() for part in conn_str.split(";"))):
        name, equals, value = segment.partition("=")
        name = name.strip().lower()
        if not equals:
            raise ValueError("conn_str has a segment without '='; it must be 'endpoint=...;accesskey=...'")
        if name in settings and name in ("endpoint", "accesskey"):
            raise ValueError(f"conn_str has more than one {name!r}")
        settings[name] = value.strip()
    for name in ("endpoint", "accesskey"):
        if not settings.get(name):
            raise ValueError(f"conn_str has no {name!r}; it must be 'endpoint=...;accesskey=...'")
    return settings["endpoint"], settings["accesskey"]


def parse_endpoint(endpoint: str) -> str:
    """The endpoint as every URL begins: scheme, host in lower case, port unless it is the default, path prefix.

    No message shows the endpoint: it may be a connection string or a key that was given in its place.
    """
    if not isinstance(endpoint, str):
        raise TypeError(f"endpoint must be a str, not {type(endpoint).__name__}")
    url = endpoint.strip()
    if "accesskey=" in url.lower():
        raise ValueError("endpoint must be a URL; a connection string is for RoomsClient.from_connection_string()")
    if not re.fullmatch(r"[!-~]+", url):
        raise ValueError("endpoint must be a URL, in printable ASCII")
    if "://" not in url:
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("endpoint must be a URL with a port from 0 to 65535, if any") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("endpoint must be an http or https URL")
    if "@" in parts.netloc:
        raise ValueError("endpoint must not hold a user name or password")
    if not re.fullmatch(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]", parts.netloc.removesuffix(f":{port}").rstrip(":")):
        raise ValueError("endpoint must have a host name")
    if parts.query or parts.fragment or {".", ".."} & set(parts.path.split("/")):
        raise ValueError("endpoint must be scheme, host, port and path without dot segments, and nothing else")
    return f"{parts.scheme}://{_host(parts.scheme, parts.netloc)}{parts.path.rstrip('/')}"


def _host(scheme: str, netloc: str) -> str:
    """What the Host header says: lower case, without the scheme's default port and the root's dot."""
    return _ROOT_DOT.sub("", netloc.lower().rstrip(":").removesuffix(_DEFAULT_PORTS.get(scheme, "")))


def origin(url: str) -> str:
    """The scheme, host and port that the URL leads to."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{_host(parts.scheme, parts.netloc)}"


def authentication_policy(
    endpoint: str, credential: AzureKeyCredential | TokenCredential
) -> "HmacCredentialPolicy | BearerTokenPolicy":
    """The policy for the credential. No message shows the credential."""
    if isinstance(credential, AzureKeyCredential):
        return HmacCredentialPolicy(credential, tls_only=endpoint.startswith("https:"))
    is_token_credential = hasattr(credential, "get_token") or hasattr(credential, "get_token_info")
    if not is_token_credential or isinstance(credential, type):
        raise TypeError(
            f"credential must be an AzureKeyCredential or a TokenCredential, not {type(credential).__name__}"
        )
    if not endpoint.startswith("https:"):
        raise ValueError("endpoint must be https with a TokenCredential: a bearer token is not sent without TLS")
    return BearerTokenPolicy(credential, _SCOPE)


def http_date(timestamp: float) -> str:
    """The second as an IMF-fixdate, such as ``Thu, 27 Jul 2023 16:34:41 GMT``."""
    return formatdate(timestamp, usegmt=True)


def content_sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")


_NO_CONTENT_SHA256 = content_sha256(b"")


def decode_access_key(access_key: str) -> bytes:
    """The key's bytes. The message does not show the key."""
    try:
        key = base64.b64decode(access_key, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError("the access key is not base64") from None
    return key


class BearerTokenPolicy(BearerTokenCredentialPolicy[HttpRequest, HttpResponse]):
    """azure-core's bearer token, unless it cannot be a header: the HTTP library's error would show it."""

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        super().on_request(request)
        authorization = request.http_request.headers["Authorization"]
        if not (authorization.isascii() and authorization.isprintable()):
            del request.http_request.headers["Authorization"]
            raise ClientAuthenticationError("The credential's token has characters that cannot be sent.")


class HmacCredentialPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Signs each request with the access key, as the service's HMAC-SHA256 scheme says.

    It stands behind everything that may change a request and behind the retry policy, so that what is sent is what
    was signed, at every attempt.

    :param ~azure.core.credentials.AzureKeyCredential credential: Its key is read at every request: it can be rotated.
    :keyword bool tls_only: Whether to refuse to sign a request that goes out without TLS. Default: False.
    :raises ValueError: The key is not base64.
    """

    def __init__(self, credential: AzureKeyCredential, *, tls_only: bool = False) -> None:
        self._credential = credential
        self._tls_only = tls_only
        # Pairs of what it was made from and what was made, each replaced whole: threads share them without a lock.
        self._key: tuple[str, bytes] = (credential.key, decode_access_key(credential.key))
        self._date: tuple[int, str] = (0, "")

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        http_request = request.http_request
        headers = http_request.headers
        # A stray percent sign makes urllib3 encode all of them anew; escaped, it leaves the URL as it is signed here.
        http_request.url = _STRAY_PERCENT.sub("%25", http_request.url)
        http_request.method = http_request.method.upper()
        url = urlsplit(http_request.url)
        if self._tls_only and url.scheme != "https":
            raise ClientAuthenticationError("The endpoint is https, so a request that leaves TLS is not signed.")
        date = self._now()
        host = headers.get("Host") or _host(url.scheme, url.netloc)
        digest = _content_digest(http_request)
        path_and_query = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        string_to_sign = f"{http_request.method}\n{unquote(path_and_query)}\n{date};{host};{digest}"
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


def _content_digest(request: HttpRequest) -> str:
    content: object = request.content
    if not content:
        return _NO_CONTENT_SHA256
    if isinstance(content, str):
        content = content.encode("utf-8")
    if not isinstance(content, bytes):
        raise TypeError(
            "a request signed with an access key must have its content as bytes or str, "
            f"since the signature covers its hash, not {type(content).__name__}"
        )
    return content_sha256(content)
