"""Credentials for clients under test."""

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
