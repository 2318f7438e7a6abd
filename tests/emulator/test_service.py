"""Details of the seven operations, most of which the client hides."""

from datetime import datetime, timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError

from azure.communication.rooms import RoomParticipant, RoomsClient, UnknownIdentifier
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


def test_room_ids(client: RoomsClient) -> None:
    ids = [client.create_room().id for _ in range(150)]
    assert all(room_id.isdigit() and room_id.startswith("994") for room_id in ids)
    assert {len(room_id) for room_id in ids} == {16, 17}  # one ID in 13 has 16 digits; in one run of 160,000, none has
    assert len(set(ids)) == 150


def test_defaults(client: RoomsClient) -> None:
    room = create(client)
    assert time_of(room, "validUntil") - time_of(room, "validFrom") == timedelta(days=180)
    lag = time_of(room, "createdAt") - time_of(room, "validFrom")
    assert timedelta(milliseconds=40) <= lag <= timedelta(milliseconds=271)
    assert room["pstnDialOutEnabled"] is False  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("offset", [-30, -1, 1, 179])
def test_valid_until_default(client: RoomsClient, offset: int) -> None:
    room = create(client, {"validFrom": days(offset)})
    lifetime = time_of(room, "validUntil") - time_of(room, "createdAt")
    assert timedelta(days=180, milliseconds=-271) <= lifetime <= timedelta(days=180, milliseconds=-40)


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


def test_valid_from_180_days_ahead(client: RoomsClient) -> None:
    room = create(client, {"validFrom": days(179.99), "validUntil": days(359)})
    assert time_of(room, "validUntil") - time_of(room, "validFrom") > timedelta(days=179)


@pytest.mark.parametrize("member", ["validFrom", "validUntil"])
@pytest.mark.parametrize("other", [{}, {"pstnDialOutEnabled": True}])
def test_update_needs_both_times(client: RoomsClient, member: str, other: dict[str, object]) -> None:
    room = create(client)
    response = call(client, "PATCH", f"/rooms/{room['id']}", {member: days(1), **other})
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


@pytest.mark.parametrize("room_id", ["123", "invalid_id", "Invalid", "9" * 15, "9" * 19, "a%2Fb"])
def test_room_id_of_wrong_length(client: RoomsClient, room_id: str) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("GET", "/participants", None),
    ):
        response = call(client, method, f"/rooms/{room_id}{path}", body)
        assert (response.status_code, message(response)) == (400, "Invalid room ID length.")


@pytest.mark.parametrize(
    "room_id", ["NotExistingRoomID", "NotAnExistingRoom1", "9" * 16 + "%D9%A2", "9940000000000x00"]
)
def test_room_id_with_non_digits(client: RoomsClient, room_id: str) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("GET", "/participants", None),
    ):
        response = call(client, method, f"/rooms/{room_id}{path}", body)
        assert (response.status_code, message(response)) == (400, "Invalid room ID.")


def test_times_are_checked_before_the_room(client: RoomsClient) -> None:
    assert details(call(client, "PATCH", "/rooms/123", {"validFrom": days(1)})) == [TOGETHER]
    assert details(call(client, "PATCH", f"/rooms/{UNKNOWN_ROOM}", {"validUntil": days(-1)})) == [PAST]


def test_unknown_room(client: RoomsClient) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("GET", "/participants", None),
        ("PATCH", "/participants", {"participants": {"bad": None}}),
    ):
        response = call(client, method, f"/rooms/{UNKNOWN_ROOM}{path}", body)
        assert (response.status_code, message(response)) == (404, "The server cannot find the requested resource.")


def test_deleted_room(client: RoomsClient) -> None:
    room_id = client.create_room().id
    for _ in range(3):
        assert call(client, "DELETE", f"/rooms/{room_id}").status_code == 204
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("GET", "/participants", None),
        ("PATCH", "/participants", {"participants": {}}),
    ):
        assert call(client, method, f"/rooms/{room_id}{path}", body).status_code == 404


def test_expired_room(client: RoomsClient, emulator: RoomsEmulator) -> None:
    room = client.create_room(participants=[RoomParticipant(UnknownIdentifier(ALICE))])
    emulator.advance(timedelta(days=200))
    assert client.get_room(room.id) == room
    assert list(client.list_rooms()) == [room]
    assert client.update_room(room.id, pstn_dial_out_enabled=True).valid_until == room.valid_until
    client.add_or_update_participants(room.id, [RoomParticipant(UnknownIdentifier(BOB))])
    assert [participant.communication_identifier.raw_id for participant in client.list_participants(room.id)] == [
        ALICE,
        BOB,
    ]
    client.delete_room(room.id)
    with pytest.raises(ResourceNotFoundError):
        client.get_room(room.id)


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


@pytest.mark.parametrize("prefix", ["8:acs:", "8:spool:", "8:orgid:", "8:teamsvisitor:", "28:gcch:", "4:", "9:", ""])
def test_raw_id_needs_a_known_prefix(client: RoomsClient, prefix: str) -> None:
    path = f"/rooms/{create(client)['id']}/participants"
    known = prefix not in ("9:", "")
    for raw_id, accepted in ((prefix + "x", known), (prefix, False)):
        response = call(client, "PATCH", path, {"participants": {raw_id: {}}})
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
