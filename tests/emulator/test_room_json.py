from typing import Any

import pytest

from azure.communication.rooms import RoomsClient

from .calls import ALICE, call, days, details


def soon(suffix: str) -> str:
    """A time tomorrow with this fraction and offset."""
    return days(1).partition(".")[0] + suffix


@pytest.mark.parametrize(
    ("sent", "returned"),
    [
        (".1234567Z", ".1234567+00:00"),
        (".12345678Z", ".1234567+00:00"),
        (".1234569999999Z", ".1234569+00:00"),
        (".120000Z", ".12+00:00"),
        (".000Z", "+00:00"),
        (".00000009Z", "+00:00"),
        ("z", "+00:00"),
        ("+00:00", "+00:00"),
        ("-00:00", "+00:00"),
    ],
)
def test_times_in_responses(client: RoomsClient, sent: str, returned: str) -> None:
    valid_from = soon(sent)
    room = call(client, "POST", "/rooms", {"validFrom": valid_from}).json()
    assert room["validFrom"].endswith(returned)
    assert room["validFrom"][:19] == valid_from[:19]


@pytest.mark.parametrize(
    ("sent", "returned"),
    [
        ("2024-03-01T02:30:00+02:30", "2024-03-01T00:00:00+00:00"),
        ("2024-02-29T22:00:00-02:00", "2024-03-01T00:00:00+00:00"),
        ("2024-03-01t00:00:00Z", "2024-03-01T00:00:00+00:00"),
    ],
)
def test_offsets_in_requests(client: RoomsClient, sent: str, returned: str) -> None:
    assert call(client, "POST", "/rooms", {"validFrom": sent}).json()["validFrom"] == returned


@pytest.mark.parametrize(
    "sent", ["soon", "2100-01-01", "2100-01-01T00:00:00", "2100-02-30T00:00:00Z", "0001-01-01T00:00:00+23:59", 5, {}]
)
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
