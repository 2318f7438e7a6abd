from typing import Any

import pytest

from azure.communication.rooms import RoomsClient

from .calls import ALICE, call, details


@pytest.mark.parametrize(
    ("sent", "returned"),
    [
        ("2024-02-29T08:09:10.1234567Z", "2024-02-29T08:09:10.1234567+00:00"),
        ("2024-02-29T08:09:10.1234569999999999Z", "2024-02-29T08:09:10.1234569+00:00"),
        ("2024-02-29T08:09:10.120000Z", "2024-02-29T08:09:10.12+00:00"),
        ("2024-02-29T08:09:10.000Z", "2024-02-29T08:09:10+00:00"),
        ("2024-02-29T08:09:10.00000009Z", "2024-02-29T08:09:10+00:00"),
        ("2024-02-29T08:09:10.5", "2024-02-29T08:09:10.5+00:00"),
        ("2024-02-29T08:09:10", "2024-02-29T08:09:10+00:00"),
        ("2024-02-29T08:09", "2024-02-29T08:09:00+00:00"),
        ("2024-02-29T08:09Z", "2024-02-29T08:09:00+00:00"),
        ("2024-02-29T16:09+08", "2024-02-29T08:09:00+00:00"),
        ("2024-02-29", "2024-02-29T00:00:00+00:00"),
        ("2024-02-29T08:09:10-00:00", "2024-02-29T08:09:10+00:00"),
        ("2024-02-29T22:09:10.5+14:00", "2024-02-29T08:09:10.5+00:00"),
        ("2024-02-29T22:39:10-01:30", "2024-03-01T00:09:10+00:00"),
    ],
)
def test_times(client: RoomsClient, sent: str, returned: str) -> None:
    assert call(client, "POST", "/rooms", {"validFrom": sent}).json()["validFrom"] == returned


@pytest.mark.parametrize("sent", [
    "2024-03-01t08:09:10Z", "2024-03-01T08:09:10z", "2024-03-01 08:09:10Z", "2024-03-01T08:09:10+0200",
    "2024-03-01T08:09:10+14:01", "2024-03-01T08:09:10-15", "2024-03-01T08:09:10+01:60", "2024-03-01T24:00:00Z",
    "2024-03-01T08:09:60Z", "2024-03-01T08:09:10.12345678901234567Z", "2024-03-01T08:09:10.Z", "2024-03-01T08Z",
    "2024-03-01Z", "2024-3-1", "2023-02-29T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
    "\N{ARABIC-INDIC DIGIT TWO}024-03-01", "2024-03-01T08:09:10Z\n", "soon", "", 5, {},
])  # fmt: skip
def test_invalid_times(client: RoomsClient, sent: object) -> None:
    expected = [("The JSON value could not be converted to a time. Path: $.validFrom.", "$.validFrom")]
    assert details(call(client, "POST", "/rooms", {"validFrom": sent})) == expected


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ({"pstnDialOutEnabled": "true"}, "$.pstnDialOutEnabled"),
        ({"participants": []}, "$.participants"),
        ({"participants": {ALICE: "Presenter"}}, f"$.participants.{ALICE}"),
        ({"participants": {ALICE: {"role": 1}}}, f"$.participants.{ALICE}.role"),
        ([], "$"),
    ],
)
def test_wrong_types(client: RoomsClient, body: object, target: str) -> None:
    [(_, actual)] = details(call(client, "POST", "/rooms", body))
    assert actual == target


def test_unknown_members_are_ignored(client: RoomsClient) -> None:
    body: dict[str, Any] = {"subject": [1], "participants": {ALICE: {"role": "Consumer", "name": {}}}}
    room = call(client, "POST", "/rooms", body).json()
    assert room.keys() == call(client, "POST", "/rooms", {}).json().keys()
