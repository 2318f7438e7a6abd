"""Checks credentials: an HMAC-SHA256 signature with the access key, or a bearer token.

It shares no code with the client, so it catches mistakes in the client's signatures.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, unquote, urlencode

from ._errors import denied

_CLOCK_SKEW = 5 * 60
_SCHEME = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="


def authenticate(
    method: str, target: str, headers: Mapping[str, str], body: bytes, *, key: bytes, bearer_token: str | None
) -> None:
    """Raise a 401 error unless the request has a valid signature or the emulator's bearer token."""
    authorization = headers.get("authorization", "")
    if not authorization:
        raise denied("no credentials")
    if authorization.startswith("Bearer "):
        if bearer_token is None:
            raise denied("the request has a bearer token, but the emulator was started without one")
        if authorization != f"Bearer {bearer_token}":
            raise denied("wrong bearer token")
        return
    if not authorization.startswith(_SCHEME):
        raise denied("the Authorization header is neither a signature of this service nor a bearer token")
    date = headers.get("x-ms-date", "")
    content_hash = headers.get("x-ms-content-sha256", "")
    if not content_hash:
        raise denied("the header x-ms-content-sha256 is missing")
    ahead = _timestamp(date) - time.time()
    if abs(ahead) > _CLOCK_SKEW:
        raise denied(f"the client's clock is {abs(ahead):.0f} seconds {'ahead' if ahead > 0 else 'behind'}")
    signature = authorization.removeprefix(_SCHEME)
    signed = f"{date};{headers.get('host', '')};{content_hash}"
    if not any(signature == _signature(key, method, form, signed) for form in _signed_forms(target)):
        raise denied("wrong access key, or the URL or a signed header was changed after signing")
    if content_hash != _base64(hashlib.sha256(body).digest()):
        message = "Request 'x-ms-content-sha256' differs from generated content hash."
        raise denied("the body was changed after signing", message)


def _signed_forms(target: str) -> Iterator[str]:
    """The path and query as each released client signs them. They differ for links to next pages and for user IDs."""
    yield unquote(target)  # Python, for rooms
    yield target  # .NET, and Python for users
    path, _, query = target.partition("?")
    pairs = urlencode(parse_qsl(query, keep_blank_values=True), safe="*").replace("~", "%7E")
    yield f"{path}?{pairs}"  # JavaScript sends a link unchanged, but signs it as URLSearchParams formats it


def _signature(key: bytes, method: str, path_and_query: str, signed: str) -> str:
    return _base64(hmac.digest(key, f"{method}\n{path_and_query}\n{signed}".encode(), "sha256"))


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")


def _timestamp(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        raise denied("the header x-ms-date is missing or not a date") from None
