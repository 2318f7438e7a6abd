import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .calls import ALICE, call, message


@pytest.mark.parametrize(
    ("version", "has_dial_out"),
    [("2023-06-14", False), ("2023-10-30-preview", True), ("2024-04-15", True), ("2025-03-13", True)],
)
def test_members_and_roles(client: RoomsClient, version: str, has_dial_out: bool) -> None:
    body = {"pstnDialOutEnabled": True, "participants": {ALICE: {"role": "Collaborator"}}}
    room = call(client, "POST", "/rooms", body, version=version).json()
    dial_out = {"pstnDialOutEnabled"} if has_dial_out else set()
    assert set(room) == {"id", "createdAt", "validFrom", "validUntil"} | dial_out
    path = f"/rooms/{room['id']}"
    participants = call(client, "GET", f"{path}/participants", version=version).json()["value"]
    assert participants == [{"rawId": ALICE, "role": "Collaborator"}]
    assert call(client, "GET", path).json()["pstnDialOutEnabled"] is has_dial_out


def test_first_version_ignores_dial_out(client: RoomsClient) -> None:
    response = call(client, "POST", "/rooms", {"pstnDialOutEnabled": "ignored"}, version="2023-06-14")
    assert response.status_code == 201


def test_missing_or_unknown_version(client: RoomsClient, emulator: RoomsEmulator) -> None:
    missing = call(client, "GET", "/rooms", version="")
    assert missing.json()["error"]["code"] == "ApiVersionUnspecified"
    assert message(missing) == "An API version is required, but was not specified."
    unknown = call(client, "GET", "/rooms", version="2099-01-01")
    assert unknown.json()["error"]["code"] == "UnsupportedApiVersion"
    assert message(unknown) == (
        f"The HTTP resource that matches the request URI '{emulator.endpoint}/rooms' "
        "does not support the API version '2099-01-01'."
    )
    assert (missing.status_code, unknown.status_code) == (400, 400)
