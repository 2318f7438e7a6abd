"""The operations of the identity service. ``samples/emulator_choices.md`` lists the emulator's own choices."""

import re
import uuid
from collections.abc import Mapping, Sequence
from functools import cached_property

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from starlette.authentication import AuthenticationBackend
from starlette.requests import Request
from starlette.responses import Response

from .._clock import TICKS_PER_SECOND, Clock, format_time
from ._errors import ServiceError, json_response, status_error
from ._request import ServiceRequest
from ._rooms import GUID
from ._service import Service

_RESOURCE_ID = "8aab4d36-2ea4-4b32-9a0e-6f2b1b3c5d7e"  # made up; every emulator uses it
_USER_ID = re.compile(f"8:acs:({GUID})_{GUID}", re.IGNORECASE)
_SCOPES = ("chat", "voip", "chat.join", "chat.join.limited", "voip.join")


def new_user_id() -> str:
    return f"8:acs:{_RESOURCE_ID}_{uuid.uuid4()}"


class _FrontDoor(Service):
    """What both services of identities have in common: the headers of their responses."""

    def error_response(self, error: ServiceError) -> Response:
        response = super().error_response(error)
        response.headers["Content-Type"] = "application/json"
        if error.service_headers:
            del response.headers["x-ms-error-code"]
        return response

    def add_common_headers(self, response: Response, request: Request) -> None:
        super().add_common_headers(response, request)
        headers = response.headers
        headers["X-Processing-Time"] = "1ms"
        if request_id := request.headers.get("x-ms-client-request-id"):
            headers["x-ms-client-request-id"] = request_id
        if response.body and response.status_code < 400:
            headers["Content-Length"] = str(len(response.body))


class IdentityService(_FrontDoor):
    """The operations on users and their tokens."""

    prefix = "/identities"
    api_versions = (
        *("2020-07-20-preview2", "2021-03-07", "2021-10-31-preview", "2021-11-01", "2022-06-01", "2022-10-01"),
        *("2023-10-01", "2025-03-02-preview"),
    )

    def __init__(self, credentials: AuthenticationBackend, clock: Clock) -> None:
        self._clock = clock
        user = "/identities/{user_id}"
        super().__init__(
            credentials,
            [
                self.route("/identities", POST=self._create_user),
                self.route(user, DELETE=self._delete_or_revoke),
                self.route(f"{user}/:issueAccessToken", POST=self._issue_token),
                self.route(f"{user}/:revokeAccessTokens", POST=self._delete_or_revoke),
            ],
        )

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

    def _issue_token(self, request: ServiceRequest) -> Response:
        data = _data(request)
        if data.get("scopes") is None:
            raise _invalid("Scopes: The Scopes field is required.", "Scopes", service_headers=False)
        minutes = _read_minutes(data)
        return json_response(200, self._token(_user_of_resource(request), _read_scopes(data["scopes"]), minutes))

    def _delete_or_revoke(self, request: ServiceRequest) -> Response:
        """Delete a user, or revoke the user's tokens. The emulator stores neither."""
        _user_of_resource(request)
        return Response(status_code=204)

    def _token(self, user_id: str, scopes: Sequence[str], minutes: int) -> dict[str, str]:
        now = self._clock.client_now()
        expires_at = now + minutes * 60 * TICKS_PER_SECOND
        name = user_id.removeprefix("8:")
        # Microsoft's clients cannot decode claims that contain > ? ~ or characters outside ASCII.
        claims = {
            "skypeid": name,
            "scp": 1792,
            "csi": str(now // TICKS_PER_SECOND),
            "exp": expires_at // TICKS_PER_SECOND,
            "acsScope": ",".join(scopes),
            "resourceId": name.removeprefix("acs:").partition("_")[0],
            "iat": now // TICKS_PER_SECOND,
            "iss": "azure.communication.rooms.emulator",
        }
        return {"token": jwt.encode(claims, self._key, algorithm="RS256"), "expiresOn": format_time(expires_at)}

    @cached_property
    def _key(self) -> RSAPrivateKey:
        return generate_private_key(public_exponent=65537, key_size=2048)  # takes 100 ms


class TeamsService(_FrontDoor):
    """The exchange of a Teams user's token of Microsoft Entra ID for one of this service."""

    prefix = "/teamsUser"
    api_versions = ("2021-10-31-preview", "2022-06-01", "2022-10-01", "2023-10-01")

    def __init__(self, credentials: AuthenticationBackend) -> None:
        super().__init__(credentials, [self.route("/teamsUser/:exchangeAccessToken", POST=self._exchange_token)])

    def _exchange_token(self, request: ServiceRequest) -> Response:
        data = _data(request)
        if data.get("token"):
            for member, name in (("appId", "AppId"), ("userId", "UserId")):
                if not data.get(member):
                    raise _invalid(f"{name}: The {name} field is required.", name, service_headers=False)
            if not re.fullmatch(GUID, str(data["appId"]), re.IGNORECASE):
                raise _invalid("Provided AppId has invalid format.", "appId")
        raise ServiceError(401, "InvalidAccessToken", "Provided access token is not valid.", service_headers=False)


def _data(request: ServiceRequest) -> dict[str, object]:
    return request.json_object("application/json") if request.body else {}


def _user_of_resource(request: ServiceRequest) -> str:
    user_id = request.path_params["user_id"]
    match = _USER_ID.fullmatch(user_id)
    if match is None or (match[1].lower() != _RESOURCE_ID and not request.any_credentials):
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


def _invalid(message: str, target: str, *, service_headers: bool = True) -> ServiceError:
    return ServiceError(400, "ValidationError", message, target=target, service_headers=service_headers)
