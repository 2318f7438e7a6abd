"""Credentials for clients under test, and signatures made without the library."""

import base64
import hashlib
import hmac

from azure.core.credentials import AccessToken

ACCESS_KEY = "cm9vbXMtdGVzdC1rZXktMDEyMzQ1Njc4OWFiY2RlZiE="  # the key of the contract's examples


class Token:
    """A TokenCredential that returns the same token each time, and records the scopes it was asked for."""

    def __init__(self, token: str = "token-1") -> None:
        self.scopes: list[tuple[str, ...]] = []
        self._token = token

    def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:
        self.scopes.append(scopes)
        return AccessToken(self._token, 2**33)


def signature_headers(
    method: str, target: str, date: str, host: str, body: bytes = b"", *, access_key: str = ACCESS_KEY
) -> dict[str, str]:
    """Return the headers that sign a request, as the service's documentation says."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode("ascii")
    text = f"{method}\n{target}\n{date};{host};{digest}".encode()
    signature = base64.b64encode(hmac.digest(base64.b64decode(access_key), text, "sha256")).decode("ascii")
    return {
        "x-ms-date": date,
        "x-ms-content-sha256": digest,
        "Authorization": f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
    }
