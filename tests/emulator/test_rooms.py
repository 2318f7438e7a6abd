"""Details of the seven operations, most of which the client hides."""

import re
from datetime import datetime, timedelta

import pytest
from azure.core.rest import HttpResponse

from azure.communication.rooms import RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .calls import ALICE, BOB, call, days, details, message

RANGE = ("The time range is incorrect, or larger than 180 days.", "ValidUntil")
PAST = ("The time range end is in the past.", "ValidUntil")
AHEAD = ("Value is incorrect or more than 180 days in the future.", "ValidFrom")
TOGETHER = ("validFrom and validUntil should be set together.", "")
UNKNOWN_ROOM = "99400000000000000"


def create(client: RoomsClient, body: object = None) -> dict[str, str]:
    room: dict[str, str] = call(client, "POST", "/rooms", body or {}).json()
    return room


def time_of(room: dict[str, str], member: str) -> datetime:
    seconds, _, fraction = room[member].removesuffix("+00:00").partition(".")
    return datetime.fromisoformat(f"{seconds}.{fraction:0<6.6}+00:00")


def every_operation(client: RoomsClient, room_id: str) -> list[HttpResponse]:
    """The responses of every operation on this room."""
    participants = {"participants": {"bad": None}}
    return [
        call(client, "GET", f"/rooms/{room_id}"),
        call(client, "PATCH", f"/rooms/{room_id}", {}),
        call(client, "DELETE", f"/rooms/{room_id}"),
        call(client, "GET", f"/rooms/{room_id}/participants"),
        call(client, "PATCH", f"/rooms/{room_id}/participants", participants),
    ]


def test_room_ids(client: RoomsClient) -> None:
    ids = {client.create_room().id for _ in range(20)}
    assert len(ids) == 20
    assert all(re.fullmatch(r"994\d{14}", room_id) for room_id in ids)


def test_defaults(client: RoomsClient) -> None:
    room = create(client)
    assert time_of(room, "validUntil") - time_of(room, "validFrom") == timedelta(days=180)
    assert time_of(room, "createdAt") - time_of(room, "validFrom") == timedelta(milliseconds=100)
    assert room["pstnDialOutEnabled"] is False  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("offset", [-30, 1, 179.99])
def test_valid_until_default(client: RoomsClient, offset: float) -> None:
    room = create(client, {"validFrom": days(offset)})
    lifetime = time_of(room, "validUntil") - time_of(room, "createdAt")
    assert lifetime == timedelta(days=180, milliseconds=-100)


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "expected"),
    [
        (None, -1, [PAST]),
        (None, 181, [RANGE]),
        (0, -1, [PAST]),
        (-3, -1, [PAST]),
        (2, 1, [RANGE]),
        (3, 184, [RANGE]),
        (-180, 1, [RANGE]),
        (181, None, [AHEAD]),
        (181, 182, [AHEAD]),
        (181, 2, [AHEAD, RANGE]),
        (181, 400, [AHEAD, RANGE]),
        (181, -1, [AHEAD, PAST]),
    ],
)
def test_times_out_of_range(
    client: RoomsClient, valid_from: int | None, valid_until: int | None, expected: list[tuple[str, str]]
) -> None:
    times = {
        name: None if value is None else days(value)
        for name, value in (("validFrom", valid_from), ("validUntil", valid_until))
    }
    assert details(call(client, "POST", "/rooms", times)) == expected
    if valid_from is not None and valid_until is not None:
        room = create(client)
        assert details(call(client, "PATCH", f"/rooms/{room['id']}", times)) == expected
        assert call(client, "GET", f"/rooms/{room['id']}").json() == room


@pytest.mark.parametrize("member", ["validFrom", "validUntil"])
def test_update_needs_both_times(client: RoomsClient, member: str) -> None:
    room = create(client)
    response = call(client, "PATCH", f"/rooms/{room['id']}", {member: days(1), "pstnDialOutEnabled": True})
    assert details(response) == [TOGETHER]
    assert call(client, "GET", f"/rooms/{room['id']}").json() == room


def test_update_changes_only_given_members(client: RoomsClient) -> None:
    room = create(client)
    path = f"/rooms/{room['id']}"
    for unchanged in ({}, {"validFrom": None, "validUntil": None, "pstnDialOutEnabled": None}, {"other": 1}):
        assert call(client, "PATCH", path, unchanged).json() == room
    flagged = call(client, "PATCH", path, {"pstnDialOutEnabled": True}).json()
    assert flagged == {**room, "pstnDialOutEnabled": True}
    times = {"validFrom": days(1), "validUntil": days(2)}
    moved = call(client, "PATCH", path, times).json()
    assert moved["pstnDialOutEnabled"] is True
    assert time_of(moved, "validUntil") - time_of(moved, "validFrom") < timedelta(days=1, seconds=1)
    assert call(client, "GET", path).json() == moved


@pytest.mark.parametrize(
    ("room_id", "expected"),
    [
        *((room_id, "Invalid room ID length.") for room_id in ("123", "Invalid", "9" * 15, "9" * 19, "a%2Fb")),
        *((room_id, "Invalid room ID.") for room_id in ("NotExistingRoomID", "9" * 16 + "%D9%A2", "9940000000000x00")),
    ],
)
def test_malformed_room_id(client: RoomsClient, room_id: str, expected: str) -> None:
    for response in every_operation(client, room_id):
        assert (response.status_code, message(response)) == (400, expected)


def test_times_are_checked_before_the_room(client: RoomsClient) -> None:
    assert details(call(client, "PATCH", "/rooms/123", {"validFrom": days(1)})) == [TOGETHER]
    assert details(call(client, "PATCH", f"/rooms/{UNKNOWN_ROOM}", {"validUntil": days(-1)})) == [PAST]


def test_unknown_room(client: RoomsClient) -> None:
    for response in every_operation(client, UNKNOWN_ROOM):
        assert (response.status_code, message(response)) == (404, "The server cannot find the requested resource.")


def test_deleted_room(client: RoomsClient) -> None:
    room_id = client.create_room().id
    client.delete_room(room_id)
    assert [response.status_code for response in every_operation(client, room_id)] == [404, 404, 204, 404, 404]


def test_expired_room(client: RoomsClient, emulator: RoomsEmulator) -> None:
    room = client.create_room(participants=[RoomParticipant(emulator.create_user())])
    emulator.advance(timedelta(days=200))
    assert client.get_room(room.id) == room
    assert list(client.list_rooms()) == [room]
    assert client.update_room(room.id, pstn_dial_out_enabled=True).valid_until == room.valid_until
    client.add_or_update_participants(room.id, [RoomParticipant(emulator.create_user())])
    assert len(list(client.list_participants(room.id))) == 2
    client.delete_room(room.id)
    assert list(client.list_rooms()) == []


def test_roles_are_checked_before_raw_ids(client: RoomsClient) -> None:
    room = create(client)
    valid = "The valid roles are: Presenter, Attendee, Consumer, Collaborator."
    body = {"participants": {"bad": {"role": "Attendee"}, ALICE: {"role": "Kafka"}}}
    for method, path in (("POST", "/rooms"), ("PATCH", f"/rooms/{room['id']}/participants")):
        expected = [(f"Invalid participant role. {valid}", f"$.participants.{ALICE}.role")]
        assert details(call(client, method, path, body)) == expected


def test_malformed_raw_ids(client: RoomsClient) -> None:
    path = f"/rooms/{create(client)['id']}/participants"
    for first in ({"role": "Consumer"}, {}, None):
        body = {"participants": {ALICE: {}, "bad2": first, "bad": {}}}
        response = call(client, "PATCH", path, body)
        assert (response.status_code, message(response)) == (400, "Communication identifier bad2 is not supported.")
    assert call(client, "GET", path).json() == {"value": []}
    response = call(client, "POST", "/rooms", {"participants": {ALICE: {}, "bad": {}}})
    assert (response.status_code, message(response)) == (400, "Invalid format for communication identifier.")


@pytest.mark.parametrize(
    ("raw_id", "accepted"),
    [
        (ALICE, True),
        (f"8:acs:{ALICE[6:].upper()}", True),
        ("8:dod-acs:user", True),
        ("8:spool:user", True),
        ("8:spool:", False),
        ("8:acs:123456c", False),
        (ALICE[:-1], False),
        (ALICE.replace("_", "-"), False),
        (ALICE.replace("acs", "ACS"), False),
        ("8:orgid:7a0e04ae-9f1c-4c4c-9a9f-9b0c5f3c1a11", False),
        ("8:teamsvisitor:user", False),
        ("28:orgid:7a0e04ae-9f1c-4c4c-9a9f-9b0c5f3c1a11", False),
        ("4:+14255550123", False),
        ("8:spool:\ud800", False),
    ],
)
def test_only_communication_users_can_participate(client: RoomsClient, raw_id: str, accepted: bool) -> None:
    path = f"/rooms/{create(client)['id']}/participants"
    for participant in ({"role": "Consumer"}, None):
        response = call(client, "PATCH", path, {"participants": {raw_id: participant}})
        assert response.status_code == (200 if accepted else 400)


def test_default_role(client: RoomsClient) -> None:
    path = f"/rooms/{create(client, {'participants': {ALICE: {'role': None}, BOB: {}}})['id']}/participants"
    attendees = [{"rawId": ALICE, "role": "Attendee"}, {"rawId": BOB, "role": "Attendee"}]
    assert call(client, "GET", path).json()["value"] == attendees
    assert call(client, "PATCH", path, {"participants": {ALICE: {"role": "Presenter"}}}).json() == {}
    assert call(client, "PATCH", path, {"participants": {ALICE: {"role": None}}}).json() == {}
    assert call(client, "GET", path).json()["value"] == attendees


def test_create_with_null_participant(client: RoomsClient) -> None:
    target = f"$.participants.{ALICE}"
    expected = [(f"The participant must not be null. Path: {target}.", target)]
    assert details(call(client, "POST", "/rooms", {"participants": {ALICE: None}})) == expected


def test_repeatable_create_is_executed_once(client: RoomsClient) -> None:
    def post(body: dict[str, object], first_sent: str = "Thu, 27 Jul 2023 16:34:41 GMT") -> tuple[int, object, object]:
        headers = {
            "Repeatability-Request-ID": "4E1F5B8E-7A2D-4B0E-9D3A-1C2B3D4E5F60",
            "Repeatability-First-Sent": first_sent,
        }
        response = call(client, "POST", "/rooms", body, headers=headers)
        assert response.headers["Repeatability-Result"] == "accepted"
        return response.status_code, response.json(), response.headers["Location"]

    assert post({}) == post({"pstnDialOutEnabled": True})
    assert post({}) != post({}, "Thu, 27 Jul 2023 16:34:42 GMT")
    assert len(list(client.list_rooms())) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Repeatability-Request-ID": "4e1f5b8e-7a2d-4b0e-9d3a-1c2b3d4e5f60"},
        {"Repeatability-First-Sent": "Thu, 27 Jul 2023 16:34:41 GMT"},
        {"Repeatability-Request-ID": "1", "Repeatability-First-Sent": "Thu, 27 Jul 2023 16:34:41 GMT"},
        {"Repeatability-Request-ID": "4e1f5b8e-7a2d-4b0e-9d3a-1c2b3d4e5f60", "Repeatability-First-Sent": "now"},
    ],
)
def test_malformed_repeatability_headers(client: RoomsClient, headers: dict[str, str]) -> None:
    response = call(client, "POST", "/rooms", {}, headers=headers)
    assert response.status_code == 400
    assert list(client.list_rooms()) == []
