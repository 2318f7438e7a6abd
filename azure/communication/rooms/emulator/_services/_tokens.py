"""Access tokens of users, in the service's shape.

This module is imported with the first token, because PyJWT and cryptography take 50 ms to import.
"""

from collections.abc import Sequence

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key


class TokenIssuer:
    """Signs tokens with a key of its own."""

    def __init__(self) -> None:
        self._key = generate_private_key(public_exponent=65537, key_size=2048)

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
        return jwt.encode(claims, self._key, algorithm="RS256")
