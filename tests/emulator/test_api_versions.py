from dataclasses import fields

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator
from azure.communication.rooms.emulator._api_versions import API_VERSIONS, boolean_members
from azure.communication.rooms.emulator._store import Room

from .calls import ALICE, call, message

ROOM = {"id", "createdAt", "validFrom", "validUntil"}


@pytest.mark.parametrize("version", API_VERSIONS)
def test_members_and_roles(client: RoomsClient, version: str) -> None:
    body = {"pstnDialOutEnabled": True, "participants": {ALICE: {"role": "Collaborator"}}}
    room = call(client, "POST", "/rooms", body, version=version).json()
    assert set(room) == (ROOM if version == "2023-06-14" else ROOM | {"pstnDialOutEnabled"})
    path = f"/rooms/{room['id']}"
    participants = call(client, "GET", f"{path}/participants", version=version).json()["value"]
    assert participants == [{"rawId": ALICE, "role": "Collaborator"}]
    assert call(client, "GET", path).json()["pstnDialOutEnabled"] is (version != "2023-06-14")


def test_first_version_ignores_later_members(client: RoomsClient) -> None:
    assert call(client, "POST", "/rooms", {"pstnDialOutEnabled": "ignored"}, version="2023-06-14").status_code == 201


def test_later_versions_keep_members() -> None:
    introduced = API_VERSIONS.index("2023-10-30-preview")
    assert ["pstnDialOutEnabled" in boolean_members(version) for version in API_VERSIONS] == [
        index >= introduced for index in range(len(API_VERSIONS))
    ]


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
