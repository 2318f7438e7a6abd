"""The identity service, called with Microsoft's client library."""

import re
from datetime import timedelta

import pytest
from azure.communication.identity import (
    CommunicationIdentityClient,
    CommunicationTokenScope,
    CommunicationUserIdentifier,
)
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.rest import HttpRequest

from azure.communication.rooms import RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .calls import call

GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def new_identity_client(emulator: RoomsEmulator, **options: str) -> CommunicationIdentityClient:
    key = emulator.connection_string.partition("accesskey=")[2]
    return CommunicationIdentityClient(emulator.endpoint, key, **options)  # type: ignore[arg-type]


@pytest.fixture
def identity(emulator: RoomsEmulator) -> CommunicationIdentityClient:
    return new_identity_client(emulator)


def test_create_and_delete_user(emulator: RoomsEmulator, identity: CommunicationIdentityClient) -> None:
    users = [identity.create_user() for _ in range(2)]
    raw_ids = [user.properties["id"] for user in users]
    assert all(re.fullmatch(rf"8:acs:{GUID}_{GUID}", raw_id) for raw_id in raw_ids)
    assert raw_ids[0] != raw_ids[1]
    assert len({raw_id.partition("_")[0] for raw_id in raw_ids}) == 1
    identity.delete_user(users[0])
    assert [request.status_code for request in emulator.requests] == [201, 201, 204]


def test_user_as_participant(identity: CommunicationIdentityClient, client: RoomsClient) -> None:
    user = identity.create_user()
    room = client.create_room(participants=[RoomParticipant(user)])
    [participant] = client.list_participants(room.id)
    assert participant.communication_identifier.raw_id == user.raw_id


@pytest.mark.parametrize("version", ["2021-03-07", "2022-06-01", "2022-10-01", "2023-10-01"])
def test_api_versions(emulator: RoomsEmulator, version: str) -> None:
    identity = new_identity_client(emulator, api_version=version)
    identity.delete_user(identity.create_user())
    assert {request.query for request in emulator.requests} == {f"api-version={version}"}


def test_unknown_version(client: RoomsClient) -> None:
    response = call(client, "POST", "/identities", version="2025-03-13")
    assert response.json()["error"]["code"] == "UnsupportedApiVersion"
    assert response.headers["api-supported-versions"] == "2021-03-07, 2022-06-01, 2022-10-01, 2023-10-01"


def test_wrong_key(emulator: RoomsEmulator) -> None:
    identity = CommunicationIdentityClient(emulator.endpoint, "AAAA")  # type: ignore[arg-type]
    with pytest.raises(ClientAuthenticationError):
        identity.create_user()


def test_tokens_are_not_supported(identity: CommunicationIdentityClient) -> None:
    user = CommunicationUserIdentifier("8:acs:a_b")
    scopes = [CommunicationTokenScope.VOIP]
    for unsupported in (
        lambda: identity.get_token(user, scopes),
        lambda: identity.revoke_tokens(user),
        lambda: identity.create_user_and_token(scopes, token_expires_in=timedelta(hours=1)),
        lambda: identity.get_token_for_teams_user("token", "client", "user"),
    ):
        with pytest.raises(HttpResponseError, match="The emulator does not support this operation") as caught:
            unsupported()
        assert caught.value.status_code == 501


@pytest.mark.parametrize("content", [b"{", b"[]"])
def test_malformed_body(client: RoomsClient, content: bytes) -> None:
    request = HttpRequest("POST", "/identities?api-version=2023-10-01", content=content)
    assert client.send_request(request).status_code == 400
