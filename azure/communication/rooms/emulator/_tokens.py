"""Access tokens of users, in the service's shape.

This module is imported with the first token, because PyJWT and cryptography take 50 ms to import.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class TokenIssuer:
    """Signs tokens with a key of its own."""

    def __init__(self) -> None:
        self._key = generate_private_key(public_exponent=65537, key_size=2048)
        public_key = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        digest = hashlib.sha1(public_key, usedforsecurity=False).digest()
        thumbprint = base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
        self._headers = {"kid": digest.hex().upper(), "x5t": thumbprint}

    def issue(self, user_id: str, scopes: Sequence[str], issued_at: int, expires_at: int) -> str:
        """Return a token. Times are in seconds since 1970."""
        name = user_id.removeprefix("8:")
        # Microsoft's clients cannot decode claims that contain > ? ~ or characters outside ASCII.
        claims = {
            "skypeid": name,
            "scp": 1792,
            "csi": str(issued_at),
            "exp": expires_at,
            "acsScope": ",".join(scopes),
            "resourceId": name.removeprefix("acs:").partition("_")[0],
            "iat": issued_at,
            "iss": "azure.communication.rooms.emulator",
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers=self._headers)


def read_entra_token(token: str) -> dict[str, Any] | None:
    """The claims of a token of Microsoft Entra ID. None if it is missing or has expired, {} if it is not a JWT."""
    try:
        return jwt.decode(token, options={"verify_signature": False, "verify_exp": True}) if token else None
    except jwt.ExpiredSignatureError:
        return None
    except jwt.InvalidTokenError:
        return {}
