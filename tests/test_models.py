"""Rooms and participants, from the service's JSON or from values."""

import copy
import dataclasses
import json
import pickle
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeAlias

import pytest

from azure.communication import identity
from azure.communication.rooms import (
    CommunicationRoom,
    ParticipantRole,
    PhoneNumberIdentifier,
    Room,
    RoomParticipant,
    UnknownIdentifier,
)

from .support.operations import USERS

ROOM: dict[str, object] = {
    "id": "99445276259151407",
    "createdAt": "2023-07-05T21:57:45.1688857+00:00",
    "validFrom": "2023-07-05T21:57:44.903276+00:00",
    "validUntil": "2024-01-01T21:57:44+00:00",
    "pstnDialOutEnabled": True,
}
USER, OTHER_USER, *_ = USERS
Time: TypeAlias = datetime | date | str


@dataclasses.dataclass
class OtherTime:
    """A time of another library, which is no datetime."""

    text: str

    def isoformat(self) -> str:
        return self.text


def room_created_at(created_at: Time) -> CommunicationRoom:
    return CommunicationRoom(id="99", created_at=created_at, valid_from="2026-12-01", valid_until="2026-12-02")


def test_room_from_json() -> None:
    room = CommunicationRoom(ROOM)
    assert room.id == "99445276259151407"
    assert room.created_at == datetime(2023, 7, 5, 21, 57, 45, 168885, timezone.utc)
    assert room.valid_from == datetime(2023, 7, 5, 21, 57, 44, 903276, timezone.utc)
    assert room.valid_until == datetime(2024, 1, 1, 21, 57, 44, 0, timezone.utc)
    assert room.pstn_dial_out_enabled is True


def test_room_without_pstn_dial_out_enabled() -> None:
    assert CommunicationRoom({**ROOM, "pstnDialOutEnabled": None}).pstn_dial_out_enabled is None
    del (data := dict(ROOM))["pstnDialOutEnabled"]
    assert CommunicationRoom(data).pstn_dial_out_enabled is None


def test_room_keeps_its_json() -> None:
    data = {**ROOM, "colour": {"name": "blue"}}
    room = CommunicationRoom(MappingProxyType(data))
    assert room.as_dict() == data
    assert json.loads(json.dumps(room.as_dict())) == data
    assert CommunicationRoom(room.as_dict()).as_dict() == data


def test_room_shares_its_json_with_nobody() -> None:
    room = CommunicationRoom(data := {**ROOM, "colour": {"name": "blue"}})
    del data["id"]
    room.as_dict()["colour"].clear()  # type: ignore[attr-defined]
    assert room.as_dict() == {**ROOM, "colour": {"name": "blue"}}


def test_room_from_values() -> None:
    room = CommunicationRoom(
        id="99445276259151407",
        created_at=datetime(2026, 12, 1, 9, 0, 10, tzinfo=timezone(timedelta(hours=2))),
        valid_from=date(2026, 12, 1),
        valid_until="2026-12-02T09:00:00.5",
        pstn_dial_out_enabled=False,
    )
    assert room.valid_until == datetime(2026, 12, 2, 9, 0, 0, 500000, timezone.utc)
    assert room.as_dict() == {
        "id": "99445276259151407",
        "createdAt": "2026-12-01T07:00:10+00:00",
        "validFrom": "2026-12-01T00:00:00+00:00",
        "validUntil": "2026-12-02T09:00:00.5+00:00",
        "pstnDialOutEnabled": False,
    }
    assert room_created_at("2026-12-01").as_dict().keys() == ROOM.keys() - {"pstnDialOutEnabled"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 12, 1, 9), "2026-12-01T09:00:00+00:00"),  # noqa: DTZ001 - without a time zone on purpose
        (datetime(2026, 12, 1, 9, 0, 0, 5, timezone(timedelta(hours=-7.5))), "2026-12-01T16:30:00.000005+00:00"),
        (date(2026, 12, 1), "2026-12-01T00:00:00+00:00"),
        ("2026-12-01", "2026-12-01T00:00:00+00:00"),
        ("2026-12-01T09:00Z", "2026-12-01T09:00:00+00:00"),
        ("2026-12-01T09:00:00.5+02:00", "2026-12-01T07:00:00.500000+00:00"),
        ("2026-12-01T09:00:00.9999999Z", "2026-12-01T09:00:00.999999+00:00"),
        ("20261201T0900-0730", "2026-12-01T16:30:00+00:00"),
        (OtherTime("2026-12-01T09:00:00.5+02:00"), "2026-12-01T07:00:00.500000+00:00"),
        (OtherTime("2026-12-01"), "2026-12-01T00:00:00+00:00"),
    ],
)
def test_time_as_an_argument(value: Any, expected: str) -> None:
    assert room_created_at(value).created_at.isoformat() == expected


@pytest.mark.parametrize(
    ("time", "message"),
    [
        *((text, f"must be an ISO 8601 time such as .*, not '{text}'$") for text in ("", "soon", "2026-13-01")),
        ("2026-12-01T25:00Z", "must be an ISO 8601 time such as .*, not '2026-12-01T25:00Z'"),
        ("0001-01-01T00:00:00+14:00", "is outside the years 1 to 9999 in UTC"),
        (datetime.max.replace(tzinfo=timezone(-timedelta(1 / 24))), "is outside the years 1 to 9999 in UTC"),
    ],
)
def test_what_is_not_a_time(time: Time, message: str) -> None:
    with pytest.raises(ValueError, match=f"^created_at {message}"):
        room_created_at(time)


def test_room_is_a_frozen_dataclass() -> None:
    room = CommunicationRoom({**ROOM, "colour": "blue"})
    values = {name: getattr(room, name) for name in ("id", "created_at", "valid_from", "valid_until")}
    assert vars(room) == dataclasses.asdict(room) == {**values, "pstn_dial_out_enabled": True}
    assert CommunicationRoom(**vars(room)) == room
    assert dataclasses.replace(room, id="99").id == "99"
    assert type(copy.copy(type("Subclass", (CommunicationRoom,), {})(ROOM))).__name__ == "Subclass"
    with pytest.raises(AttributeError):
        room.valid_until = datetime.now(timezone.utc)  # type: ignore[misc]


def test_room_equality() -> None:
    assert Room is CommunicationRoom
    assert CommunicationRoom(ROOM) == CommunicationRoom(dict(ROOM))
    assert hash(CommunicationRoom(ROOM)) == hash(CommunicationRoom(dict(ROOM)))
    assert CommunicationRoom(ROOM) != CommunicationRoom({**ROOM, "pstnDialOutEnabled": False})


def test_room_repr() -> None:
    text = repr(CommunicationRoom(ROOM))
    assert text.startswith("CommunicationRoom(id='99445276259151407', created_at=datetime.datetime(2023, 7, 5, 21")
    assert text.endswith("pstn_dial_out_enabled=True)")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": 99}, "'id' must be a string, not 99"),
        ({"validFrom": None}, "'validFrom' must be a string, not None"),
        ({"validUntil": "soon"}, "'validUntil' must be a time, not 'soon'"),
        ({"createdAt": "0001-01-01T00:00:00+14:00"}, "'createdAt' must be a time, not '0001"),
        ({"pstnDialOutEnabled": 1}, "'pstnDialOutEnabled' must be a boolean, not 1"),
    ],
)
def test_invalid_room_names_the_member(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CommunicationRoom({**ROOM, **change})


@pytest.mark.parametrize("name", ["id", "createdAt", "validFrom", "validUntil"])
def test_missing_member_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name!r} is missing"):
        CommunicationRoom({key: value for key, value in ROOM.items() if key != name})


@pytest.mark.parametrize(
    ("data", "values", "message"),
    [
        ([ROOM], {"id": "99"}, "as a mapping, or its values by keyword"),
        ([ROOM], {"pstn_dial_out_enabled": False}, "as a mapping, or its values by keyword"),
        (["99"], {}, "as a mapping, or its values by keyword"),
        ([], {"id": 99}, "id must be a str, not int"),
        ([], {"id": "99", "pstn_dial_out_enabled": "yes"}, "pstn_dial_out_enabled must be a bool, not str"),
        ([], {"id": "99"}, "created_at must be a datetime, a date or an ISO 8601 string, not NoneType"),
    ],
)
def test_room_takes_json_or_values(data: list[Any], values: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        CommunicationRoom(*data, **values)


def test_participant_by_position_or_keyword() -> None:
    by_position = RoomParticipant(USER, ParticipantRole.CONSUMER)
    by_keyword = RoomParticipant(communication_identifier=USER, role=ParticipantRole.CONSUMER)
    assert by_position == by_keyword
    assert by_position.communication_identifier is USER
    assert by_position.role is ParticipantRole.CONSUMER


def test_participant_default_role() -> None:
    assert RoomParticipant(USER).role is ParticipantRole.ATTENDEE
    assert RoomParticipant(USER, None).role is ParticipantRole.ATTENDEE
    assert RoomParticipant({"rawId": USER.raw_id}).role is ParticipantRole.ATTENDEE


def test_participant_from_json() -> None:
    data = {"rawId": "4:+14255550123", "role": "Collaborator", "since": "yesterday"}
    participant = RoomParticipant(data)
    assert participant.communication_identifier == PhoneNumberIdentifier("+14255550123")
    assert participant.role is ParticipantRole.COLLABORATOR
    assert participant.as_dict() == data


@pytest.mark.parametrize("role", ["Moderator", ""])
def test_unknown_role_stays_a_string(role: str) -> None:
    participant = RoomParticipant({"rawId": USER.raw_id, "role": role})
    assert participant.role == role
    assert type(participant.role) is str
    assert participant.as_dict() == {"rawId": USER.raw_id, "role": role}


def test_known_role_is_of_the_enum() -> None:
    class OtherRole(str, Enum):
        HOST = "Presenter"

    for role in ("Presenter", OtherRole.HOST):
        assert RoomParticipant(USER, role).role is ParticipantRole.PRESENTER
    assert f"{ParticipantRole.PRESENTER}" == str(ParticipantRole.PRESENTER) == "Presenter"


def test_participant_with_another_identifier() -> None:
    @dataclasses.dataclass
    class OtherIdentifier:
        raw_id: str
        kind: str = "other"
        properties: dict[str, object] = dataclasses.field(default_factory=dict)

    assert RoomParticipant(identity.CommunicationUserIdentifier(USER.raw_id)) == RoomParticipant(USER)
    participant = RoomParticipant(identifier := OtherIdentifier("8:acs:old"))
    identifier.raw_id = "8:acs:new"
    assert participant.as_dict() == {"rawId": "8:acs:new", "role": "Attendee"}


def test_participant_can_be_changed() -> None:
    participant = RoomParticipant({"rawId": USER.raw_id, "role": "Consumer", "since": 1})
    with pytest.raises(TypeError, match="role must be a ParticipantRole or a str, not int"):
        participant.role = 3  # type: ignore[assignment]
    with pytest.raises(TypeError, match="communication_identifier must be a CommunicationIdentifier"):
        participant.communication_identifier = "8:acs:x"  # type: ignore[assignment]
    assert participant.as_dict() == {"rawId": USER.raw_id, "role": "Consumer", "since": 1}
    participant.role = "Presenter"
    participant.communication_identifier = OTHER_USER
    assert participant.role is ParticipantRole.PRESENTER
    assert participant.as_dict() == {"rawId": OTHER_USER.raw_id, "role": "Presenter", "since": 1}


def test_copy_of_a_participant_is_independent() -> None:
    participant = RoomParticipant(USER, "Moderator")
    for other in (copy.copy(participant), copy.deepcopy(participant), pickle.loads(pickle.dumps(participant))):
        assert other == participant
        other.role = "Presenter"
    assert participant.role == "Moderator"


def test_participant_equality_and_repr() -> None:
    assert RoomParticipant(USER) == RoomParticipant(UnknownIdentifier(USER.raw_id), "Attendee")
    assert RoomParticipant(USER) != RoomParticipant(USER, ParticipantRole.CONSUMER)
    assert RoomParticipant(USER) != USER
    assert repr(RoomParticipant(USER)) == f"RoomParticipant(communication_identifier={USER!r}, role='Attendee')"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["8:acs:x"], TypeError, r"communication_identifier must be .* not str; identifier_from_raw_id\(\)"),
        ([None], TypeError, "communication_identifier must be a CommunicationIdentifier.*not NoneType"),
        ([USER, 3], TypeError, "role must be a ParticipantRole or a str, not int"),
        ([{"role": "Attendee"}], ValueError, "'rawId' is missing"),
        ([{"rawId": "8:acs:x", "role": 3}], ValueError, "'role' must be a string, not 3"),
        (
            [{"rawId": "8:acs:x", "role": "Presenter"}, "Attendee"],
            TypeError,
            "role must not be given with the service's JSON",
        ),
        ([{"communication_user_id": "8:acs:x"}, "Consumer"], ValueError, "'rawId' is missing"),
    ],
)
def test_invalid_participant(arguments: list[Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        RoomParticipant(*arguments)
