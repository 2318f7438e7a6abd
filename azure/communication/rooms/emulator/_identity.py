"""The operations of the identity service.

No recording shows the following, so these are the emulator's own choices:

* The emulator does not store users. Every user ID of its own resource gets tokens, even if the user was deleted. Any
  other ID, well formed or not, belongs to another resource.
* Revoking tokens does not change them, and nothing checks them. They expire in real time: :meth:`RoomsEmulator.advance`
  does not move ``expiresOn``, because clients compare it with their own clocks.
* Every API version accepts all scopes. An unknown scope is an error. So are scopes that are no list, or an empty one.
* A wrong ``expiresInMinutes`` is an error even without scopes. Missing scopes are reported before it, other errors of
  the scopes after it.
* A missing body is an empty object. Errors of JSON and media types have the form of the Rooms service.
* ``2025-03-02-preview`` works like ``2023-10-01``, but a ``customId`` gets 501.
* The exchange for Teams users reports the recorded errors in this order: the token is missing or has expired; ``appId``
  or ``userId`` is missing; ``appId`` is no GUID; the token is for another application or user. If it finds none of
  these, it responds with 501.
* ``X-Processing-Time`` is always 1 ms.
"""

import re
import time
import uuid
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.responses import Response
from starlette.routing import Route

from ._errors import ServiceError, status_error
from ._request import ServiceRequest
from ._responses import json_response
from ._room_json import GUID
from ._time import TICKS_PER_SECOND, format_time

if TYPE_CHECKING:
    from ._tokens import TokenIssuer

_RESOURCE_ID = "8aab4d36-2ea4-4b32-9a0e-6f2b1b3c5d7e"  # made up; every emulator uses it
_OWN_USER_ID = re.compile(f"8:acs:{_RESOURCE_ID}_{GUID}", re.IGNORECASE)
_SCOPES = ("chat", "voip", "chat.join", "chat.join.limited", "voip.join")


def new_user_id() -> str:
    return f"8:acs:{_RESOURCE_ID}_{uuid.uuid4()}"


class IdentityService:
    """The operations on users and their tokens."""

    api_versions = (
        "2020-07-20-preview2",
        "2021-03-07",
        "2021-10-31-preview",
        "2021-11-01",
        "2022-06-01",
        "2022-10-01",
        "2023-10-01",
        "2025-03-02-preview",
    )

    def __init__(self) -> None:
        self.routes = [
            Route("/identities", self._create_user, methods=["POST"]),
            Route("/identities/{user_id}", self._accept, methods=["DELETE"]),
            Route("/identities/{user_id}/:issueAccessToken", self._issue_token, methods=["POST"]),
            Route("/identities/{user_id}/:revokeAccessTokens", self._accept, methods=["POST"]),
        ]

    def _create_user(self, request: ServiceRequest) -> Response:
        data = _data(request)
        if data.get("customId") is not None:
            raise status_error(501, "The emulator does not support customId.")
        minutes = _read_minutes(data)
        user_id = new_user_id()
        body: dict[str, object] = {"identity": {"id": user_id}}
        if data.get("createTokenWithScopes") is not None:
            body["accessToken"] = self._token(user_id, _read_scopes(data["createTokenWithScopes"]), minutes)
        return json_response(201, body)

    def _issue_token(self, request: ServiceRequest, user_id: str) -> Response:
        data = _data(request)
        if data.get("scopes") is None:
            raise _invalid("Scopes: The Scopes field is required.", "Scopes", is_bare=True)
        minutes = _read_minutes(data)
        return json_response(200, self._token(_own(user_id), _read_scopes(data["scopes"]), minutes))

    def _accept(self, _: ServiceRequest, user_id: str) -> Response:
        """Delete a user, or revoke the user's tokens. The emulator stores neither."""
        _own(user_id)
        return Response(status_code=204)

    def _token(self, user_id: str, scopes: Sequence[str], minutes: int) -> dict[str, str]:
        now = time.time_ns() // 100
        expires_at = now + minutes * 60 * TICKS_PER_SECOND
        token = self._issuer.issue(user_id, scopes, now // TICKS_PER_SECOND, expires_at // TICKS_PER_SECOND)
        return {"token": token, "expiresOn": format_time(expires_at)}

    @cached_property
    def _issuer(self) -> "TokenIssuer":
        from ._tokens import TokenIssuer  # noqa: PLC0415 - see there

        return TokenIssuer()


class TeamsService:
    """The exchange of a Teams user's token of Microsoft Entra ID for one of this service."""

    api_versions = ("2021-10-31-preview", "2022-06-01", "2022-10-01", "2023-10-01")

    def __init__(self) -> None:
        self.routes = [Route("/teamsUser/:exchangeAccessToken", self._exchange_token, methods=["POST"])]

    def _exchange_token(self, request: ServiceRequest) -> Response:
        from ._tokens import read_entra_token  # noqa: PLC0415 - see there

        data = _data(request)
        token, app_id, user_id = (str(data.get(name) or "") for name in ("token", "appId", "userId"))
        claims = read_entra_token(token)
        if claims is None:
            raise ServiceError(401, "InvalidAccessToken", "Provided access token is not valid.", is_bare=True)
        for name, value in (("AppId", app_id), ("UserId", user_id)):
            if not value:
                raise _invalid(f"{name}: The {name} field is required.", name, is_bare=True)
        if not re.fullmatch(GUID, app_id, re.IGNORECASE):
            raise _invalid("Provided AppId has invalid format.", "appId")
        if claims.get("appid", app_id) != app_id:
            raise _invalid("AAD application is not the expected one.", "appId")
        if claims.get("oid", user_id) != user_id:
            raise _invalid("Provided AAD token issued for unexpected user.", "userId")
        raise status_error(501, "The emulator does not exchange tokens of Microsoft Entra ID.")


def _data(request: ServiceRequest) -> dict[str, object]:
    return request.json_object("application/json") if request.body else {}


def _own(quoted_user_id: str) -> str:
    user_id = unquote(quoted_user_id)
    if not _OWN_USER_ID.fullmatch(user_id):
        raise ServiceError(401, "IdentityNotOwned", "Provided identity doesn't belong to the resource.")
    return user_id


def _read_minutes(data: Mapping[str, object]) -> int:
    minutes = data.get("expiresInMinutes")
    if minutes is None:
        return 24 * 60
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 60 <= minutes <= 24 * 60:
        raise _invalid(
            f"ExpiresInMinutes value {minutes} is invalid. Value must be within the [60, 1440] interval.",
            "ExpiresInMinutes",
        )
    return minutes


def _read_scopes(scopes: object) -> list[str]:
    if not (isinstance(scopes, list) and scopes):
        raise _invalid("Invalid scopes - Scopes field is required.", "scopes")
    for scope in scopes:
        if scope not in _SCOPES:
            raise _invalid(f"Invalid scopes - {scope} is unknown.", "scopes")
    return scopes


def _invalid(message: str, target: str, *, is_bare: bool = False) -> ServiceError:
    return ServiceError(400, "ValidationError", message, target=target, is_bare=is_bare)
