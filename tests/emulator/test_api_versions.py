from dataclasses import fields

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator
from azure.communication.rooms.emulator._api_versions import API_VERSIONS, boolean_members
from azure.communication.rooms.emulator._store import Room

from .calls import ALICE, call, message

ROOM = {"id", "createdAt", "validFrom", "validUntil"}
INTRODUCED = {"pstnDialOutEnabled": "2023-10-30-preview"}
"""The version that introduced each boolean member."""


def members_of(version: str) -> set[str]:
    versions = API_VERSIONS[: API_VERSIONS.index(version) + 1]
    return {member for member, introduced in INTRODUCED.items() if introduced in versions}


@pytest.mark.parametrize("version", API_VERSIONS)
def test_members_and_roles(client: RoomsClient, version: str) -> None:
    body = {**dict.fromkeys(INTRODUCED, True), "participants": {ALICE: {"role": "Collaborator"}}}
    room = call(client, "POST", "/rooms", body, version=version).json()
    assert set(room) == ROOM | members_of(version)
    path = f"/rooms/{room['id']}"
    participants = call(client, "GET", f"{path}/participants", version=version).json()["value"]
    assert participants == [{"rawId": ALICE, "role": "Collaborator"}]
    newest = call(client, "GET", path).json()
    assert {member for member in INTRODUCED if newest[member]} == members_of(version)


@pytest.mark.parametrize("member", INTRODUCED)
def test_earlier_versions_ignore_the_member(client: RoomsClient, member: str) -> None:
    for version in API_VERSIONS[: API_VERSIONS.index(INTRODUCED[member])]:
        assert call(client, "POST", "/rooms", {member: "ignored"}, version=version).status_code == 201


@pytest.mark.parametrize("version", API_VERSIONS)
def test_later_versions_keep_members(version: str) -> None:
    assert set(boolean_members(version)) == members_of(version)


def test_missing_or_unknown_version(client: RoomsClient, emulator: RoomsEmulator) -> None:
    response = call(client, "GET", "/rooms", version="")
    assert response.status_code == 400
    assert message(response) == "An API version is required, but was not specified."
    assert response.json()["error"]["code"] == "ApiVersionUnspecified"
    response = call(client, "GET", "/rooms", version="2099-01-01")
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "UnsupportedApiVersion"
    assert message(response) == (
        f"The HTTP resource that matches the request URI '{emulator.endpoint}/rooms?api-version=2099-01-01' "
        "does not support the API version '2099-01-01'."
    )


def test_every_boolean_member_is_stored() -> None:
    booleans = {field.name for field in fields(Room) if field.type is bool}
    assert set(boolean_members(API_VERSIONS[-1]).values()) == booleans - {"is_deleted"}
