"""The identity service, called with Microsoft's client library."""

import base64
import json
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt
import pytest
from azure.communication.callautomation._shared.user_credential import CommunicationTokenCredential as CallCredential
from azure.communication.chat import CommunicationTokenCredential as ChatCredential
from azure.communication.identity import CommunicationIdentityClient, CommunicationUserIdentifier
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

from .calls import ALICE

GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?\+00:00"
IDENTITY_VERSIONS = (
    "2020-07-20-preview2, 2021-03-07, 2021-10-31-preview, 2021-11-01, 2022-06-01, 2022-10-01, 2023-10-01, "
    "2025-03-02-preview"
)
TEAMS_VERSIONS = "2021-10-31-preview, 2022-06-01, 2022-10-01, 2023-10-01"
APP_ID, USER_ID = "7a0e04ae-9f1c-4c4c-9a9f-9b0c5f3c1a11", "a3b1c5d7-1234-4321-abcd-0123456789ab"


def new_identity_client(emulator: RoomsEmulator, **options: Any) -> CommunicationIdentityClient:
    return CommunicationIdentityClient(emulator.endpoint, AzureKeyCredential(DEVELOPMENT_ACCESS_KEY), **options)


@pytest.fixture
def identity(emulator: RoomsEmulator) -> CommunicationIdentityClient:
    return new_identity_client(emulator)


def claims(token: str) -> dict[str, Any]:
    """Decode the token as Microsoft's clients do: with the standard alphabet of base64."""
    payload = token.split(".")[1]
    data: dict[str, Any] = json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4), validate=True))
    return data


def post(client: RoomsClient, path: str, body: object, version: str = "2023-10-01", **headers: str) -> HttpResponse:
    headers = {"Content-Type": "application/json", **headers}
    content = None if body is None else json.dumps(body)
    return client.send_request(
        HttpRequest("POST", f"{path}?api-version={version}", headers=headers, content=content), retry_total=0
    )


def test_users(emulator: RoomsEmulator, identity: CommunicationIdentityClient, client: RoomsClient) -> None:
    one, two = identity.create_user(), identity.create_user()
    for user in (one, two):
        assert re.fullmatch(rf"8:acs:{GUID}_{GUID}", user.raw_id)
    assert one.raw_id != two.raw_id
    assert one.raw_id.partition("_")[0] == two.raw_id.partition("_")[0]
    room = client.create_room(participants=[RoomParticipant(one), RoomParticipant(emulator.create_user())])
    assert next(iter(client.list_participants(room.id))).communication_identifier.raw_id == one.raw_id
    identity.revoke_tokens(one)
    identity.delete_user(one)


def test_create_user_without_a_server() -> None:
    user = RoomsEmulator().create_user()
    with RoomsEmulator() as emulator:
        assert user != emulator.create_user()
        token = new_identity_client(emulator).get_token(CommunicationUserIdentifier(user.raw_id), ["voip"]).token
    assert claims(token)["skypeid"] == user.raw_id.removeprefix("8:")


@pytest.mark.parametrize("version", IDENTITY_VERSIONS.split(", "))
def test_tokens(emulator: RoomsEmulator, version: str) -> None:
    identity = new_identity_client(emulator, api_version=version)
    user, first = identity.create_user_and_token(["chat", "voip"])
    second = identity.get_token(user, ["voip.join"], token_expires_in=timedelta(hours=1))
    resource_id = user.raw_id.removeprefix("8:acs:").partition("_")[0]
    for token, scopes, lifetime in ((first, "chat,voip", 24 * 3600), (second, "voip.join", 3600)):
        assert jwt.get_unverified_header(token.token) == {"alg": "RS256", "typ": "JWT"}
        content = claims(token.token)
        issued_at = content["iat"]
        assert issued_at <= time.time()
        assert content == {
            "skypeid": user.raw_id.removeprefix("8:"),
            "scp": 1792,
            "csi": str(issued_at),
            "exp": issued_at + lifetime,
            "acsScope": scopes,
            "resourceId": resource_id,
            "iat": issued_at,
            "iss": "azure.communication.rooms.emulator",
        }
        assert re.fullmatch(TIME, str(token.expires_on))
        credentials: list[Any] = [ChatCredential(token.token), CallCredential(token.token)]
        assert [each.get_token().expires_on for each in credentials] == [content["exp"]] * 2


def test_advance_does_not_move_expiry(emulator: RoomsEmulator, identity: CommunicationIdentityClient) -> None:
    emulator.advance(timedelta(days=10))
    _, token = identity.create_user_and_token(["chat"])
    assert str(token.expires_on) < (datetime.now(timezone.utc) + timedelta(days=1)).isoformat()


FOREIGN = CommunicationUserIdentifier(ALICE)
MINUTES = "ExpiresInMinutes value {} is invalid. Value must be within the [60, 1440] interval."
NOT_OWNED = (401, "IdentityNotOwned", "Provided identity doesn't belong to the resource.", None)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            lambda identity, user: identity.get_token(user, ["chat"], token_expires_in=timedelta(minutes=59)),
            (400, "ValidationError", MINUTES.format(59), "ExpiresInMinutes"),
        ),
        (
            lambda identity, _: identity.create_user_and_token(["chat"], token_expires_in=timedelta(minutes=1441)),
            (400, "ValidationError", MINUTES.format(1441), "ExpiresInMinutes"),
        ),
        (
            lambda identity, user: identity.get_token(user, None),
            (400, "ValidationError", "Scopes: The Scopes field is required.", "Scopes"),
        ),
        (
            lambda identity, user: identity.get_token(user, []),
            (400, "ValidationError", "Invalid scopes - Scopes field is required.", "scopes"),
        ),
        (
            lambda identity, _: identity.create_user_and_token(["chat", "voice"]),
            (400, "ValidationError", "Invalid scopes - voice is unknown.", "scopes"),
        ),
        (lambda identity, _: identity.get_token(FOREIGN, ["chat"]), NOT_OWNED),
        (lambda identity, _: identity.revoke_tokens(FOREIGN), NOT_OWNED),
        (lambda identity, _: identity.delete_user(FOREIGN), NOT_OWNED),
        (lambda identity, _: identity.delete_user(CommunicationUserIdentifier("8:acs:a_b")), NOT_OWNED),
    ],
)
def test_errors(
    identity: CommunicationIdentityClient,
    call: Callable[[CommunicationIdentityClient, CommunicationUserIdentifier], object],
    expected: tuple[int, str, str, str | None],
) -> None:
    with pytest.raises(HttpResponseError) as raised:
        call(identity, identity.create_user())
    assert isinstance(raised.value, ClientAuthenticationError) is (expected[0] == 401)
    assert error_of(raised.value.response) == expected


def error_of(response: Any) -> tuple[int, str, str, str | None]:
    """The status code, and the code, message and target of the error."""
    error = response.json()["error"]
    return response.status_code, error["code"], error["message"], error.get("target")


INVALID_TOKEN = (401, "InvalidAccessToken", "Provided access token is not valid.", None)


@pytest.mark.parametrize(
    ("token", "app_id", "user_id", "expected"),
    [
        ("", APP_ID, "", INVALID_TOKEN),
        ("token", APP_ID, USER_ID, INVALID_TOKEN),
        ("token", "", USER_ID, (400, "ValidationError", "AppId: The AppId field is required.", "AppId")),
        ("token", APP_ID, "", (400, "ValidationError", "UserId: The UserId field is required.", "UserId")),
        ("token", "app", USER_ID, (400, "ValidationError", "Provided AppId has invalid format.", "appId")),
    ],
)
def test_teams_exchange(
    identity: CommunicationIdentityClient,
    token: str,
    app_id: str,
    user_id: str,
    expected: tuple[int, str, str, str | None],
) -> None:
    with pytest.raises(HttpResponseError) as raised:
        identity.get_token_for_teams_user(token, app_id, user_id)
    assert error_of(raised.value.response) == expected


@pytest.mark.parametrize("body", [None, {}, {"createTokenWithScopes": None, "expiresInMinutes": None}])
def test_every_form_of_a_request_without_token(client: RoomsClient, body: object) -> None:
    response = post(client, "/identities", body)
    assert (response.status_code, list(response.json())) == (201, ["identity"])


def test_headers(client: RoomsClient, emulator: RoomsEmulator) -> None:
    def check(path: str, body: object, content_type: str | None, versions: str | None, *others: str) -> None:
        response = post(client, path, body, **{"x-ms-client-request-id": "id of the request"})
        assert response.headers.get("Content-Type") == content_type
        assert response.headers.get("api-supported-versions") == versions
        assert response.headers["x-ms-client-request-id"] == "id of the request"
        assert re.fullmatch(r"\d+ms", response.headers["X-Processing-Time"])
        assert {name.lower() for name in response.headers} - {"content-type", "api-supported-versions"} == {
            *("date", "ms-cv", "request-context", "strict-transport-security", "x-azure-ref", "x-cache"),
            *("x-ms-client-request-id", "x-processing-time"),
            *others,
        }

    user = f"/identities/{emulator.create_user().raw_id}"
    teams = "/teamsUser/:exchangeAccessToken"
    wrong_app = {"token": "token", "appId": "app", "userId": "user"}
    check("/identities", {}, "application/json; charset=utf-8", IDENTITY_VERSIONS, "content-length")
    check(f"{user}/:revokeAccessTokens", None, None, IDENTITY_VERSIONS)
    for path, body, versions in (
        (f"/identities/{ALICE}/:revokeAccessTokens", None, IDENTITY_VERSIONS),
        (f"{user}/:issueAccessToken", {"scopes": []}, IDENTITY_VERSIONS),
        (f"{user}/:issueAccessToken", {}, None),
        (teams, wrong_app, TEAMS_VERSIONS),
        (teams, {**wrong_app, "appId": ""}, None),
        (teams, {}, None),
    ):
        check(path, body, "application/json", versions, "transfer-encoding")


def test_unknown_version(client: RoomsClient, emulator: RoomsEmulator) -> None:
    message = (
        f"The HTTP resource that matches the request URI '{emulator.endpoint}/identities' "
        "does not support the API version '2025-03-13'."
    )
    response = post(client, "/identities", {}, version="2025-03-13")
    assert error_of(response) == (400, "UnsupportedApiVersion", message, None)


def test_custom_id(client: RoomsClient) -> None:
    response = post(client, "/identities", {"customId": "alice"}, version="2025-03-02-preview")
    assert error_of(response) == (501, "NotImplemented", "The emulator does not support customId.", None)
