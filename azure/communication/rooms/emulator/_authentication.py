"""Who may call: the service's HMAC-SHA256 scheme, or a bearer token.

Written from the service's side and on its own: the client's signing is checked against it.
"""

import base64
import functools
import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, unquote, urlencode

from ._errors import denied

_CLOCK_SKEW = 5 * 60
_SIGNED_BY_KEY = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="


def authenticate(
    method: str, target: str, headers: Mapping[str, str], body: bytes, *, key: bytes, bearer_token: str | None
) -> None:
    """Raise 401 unless the request was signed with the key, or carries the bearer token where there is one."""
    authorization = headers.get("authorization", "")
    if authorization.startswith("Bearer "):
        if bearer_token is None or not _same(authorization.removeprefix("Bearer "), bearer_token):
            raise denied()
        return
    if not authorization.startswith(_SIGNED_BY_KEY):
        raise denied()
    date = headers.get("x-ms-date", "")
    content_hash = headers.get("x-ms-content-sha256", "")
    if abs(time.time() - _timestamp(date)) > _CLOCK_SKEW:
        raise denied()
    signature = authorization.removeprefix(_SIGNED_BY_KEY)
    signed = f"{date};{headers.get('host', '')};{content_hash}"
    if not any(_same(signature, _signature(key, method, form, signed)) for form in _signed_forms(target)):
        raise denied()
    if not _same(content_hash, _base64(hashlib.sha256(body).digest())):
        raise denied("Request 'x-ms-content-sha256' differs from generated content hash.")


def _signed_forms(target: str) -> Iterator[str]:
    """Path and query as the released clients sign them, which is the same but for the links between pages."""
    yield unquote(target)  # Python
    yield target  # .NET
    path, _, query = target.partition("?")
    pairs = urlencode(parse_qsl(query, keep_blank_values=True), safe="*").replace("~", "%7E")
    yield f"{path}?{pairs}"  # JavaScript, which sends the link as it is and signs URLSearchParams' form of it


def _signature(key: bytes, method: str, path_and_query: str, signed: str) -> str:
    return _base64(hmac.digest(key, f"{method}\n{path_and_query}\n{signed}".encode(), "sha256"))


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8"), expected.encode("utf-8"))


@functools.lru_cache(maxsize=1024)
def _timestamp(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        raise denied() from None
