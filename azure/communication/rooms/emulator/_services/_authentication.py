"""Checks credentials: an HMAC-SHA256 signature with the access key, or a bearer token.

It shares no code with the client, so it catches mistakes in the client's signatures.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Iterator
from email.utils import parsedate_to_datetime
from itertools import product
from urllib.parse import parse_qsl, unquote, urlencode

from starlette.authentication import AuthenticationBackend
from starlette.requests import HTTPConnection

from .._clock import Clock, real_time
from ._errors import DeniedError

_CLOCK_SKEW = 5 * 60
_SCHEME = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="


class Credentials(AuthenticationBackend):
    """The credentials that the resource accepts: signatures with its key, and the tokens.

    The state of a request has ``any_credentials`` if it is for a resource in Azure, whose key and tokens the emulator
    cannot know. Then it accepts any token, and a signature with any key if the signed headers fit the request.
    """

    def __init__(self, key: bytes, tokens: Collection[str], clock: Clock, *, any_date: bool) -> None:
        self._key = key
        self._tokens = tokens
        self._clock = clock
        self._any_date = any_date

    async def authenticate(self, conn: HTTPConnection) -> None:
        """Raise a 401 error unless the request has a valid signature or token."""
        headers = conn.headers
        authorization = headers.get("authorization", "")
        if not authorization:
            raise DeniedError("no credentials")
        if authorization.startswith("Bearer "):
            if authorization.removeprefix("Bearer ") not in self._tokens and not conn.state.any_credentials:
                raise DeniedError("wrong bearer token; --bearer-token or bearer_token sets the right one")
            return
        if not authorization.startswith(_SCHEME):
            raise DeniedError("the Authorization header is neither a signature of this service nor a bearer token")
        date = headers.get("x-ms-date", "")
        content_hash = headers.get("x-ms-content-sha256", "")
        if not content_hash:
            raise DeniedError("the header x-ms-content-sha256 is missing")
        try:
            ahead = parsedate_to_datetime(date).timestamp() - real_time.time()
        except (ValueError, OverflowError):
            raise DeniedError("the header x-ms-date is missing or not a date") from None
        if abs(ahead) > _CLOCK_SKEW and not self._any_date:
            difference = f"{abs(ahead):.0f} seconds {'ahead' if ahead > 0 else 'behind'}"
            raise DeniedError(f"the client's clock is {difference}; if that is intended, use --any-date or any_date")
        signature = authorization.removeprefix(_SCHEME)
        target = conn.scope["path"]
        if query := conn.scope["query_string"].decode("latin-1"):
            target += f"?{query}"
        host = headers["host"]
        # Microsoft's client for Java signs the host without its port.
        for signed_host, form in product((host, re.sub(r":\d+$", "", host)), _signed_forms(target)):
            text = f"{conn.scope['method']}\n{form}\n{date};{signed_host};{content_hash}"
            if conn.state.any_credentials or signature == _base64(hmac.digest(self._key, text.encode(), "sha256")):
                break
        else:
            raise DeniedError("wrong access key, or the URL or a signed header was changed after signing")
        if content_hash != _base64(hashlib.sha256(conn.state.body).digest()):
            message = "Request 'x-ms-content-sha256' differs from generated content hash."
            raise DeniedError("the body was changed after signing", message)
        self._clock.client_ahead = ahead if abs(ahead) > _CLOCK_SKEW else 0


def _signed_forms(target: str) -> Iterator[str]:
    """The path and query as each released client signs them. They differ for links to next pages and for user IDs."""
    yield unquote(target)  # Python, for rooms
    yield target  # .NET, and Python for users
    path, _, query = target.partition("?")
    pairs = urlencode(parse_qsl(query, keep_blank_values=True), safe="*").replace("~", "%7E")
    yield f"{path}?{pairs}"  # JavaScript sends a link unchanged, but signs it as URLSearchParams formats it


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")
