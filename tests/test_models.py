"""Rooms and participants, from the service's JSON or from values."""

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from enum import Enum
from types import MappingProxyType

import pytest

from azure.communication import identity
from azure.communication.rooms import (
    CommunicationRoom,
    CommunicationUserIdentifier,
    ParticipantRole,
    PhoneNumberIdentifier,
    Room,
    RoomParticipant,
    UnknownIdentifier,
)

ROOM: dict[str, object] = {
    "id": "99445276259151407",
    "createdAt": "2023-07-05T21:57:45.1688857+00:00",
    "validFrom": "2023-07-05T21:57:44.903276+00:00",
    "validUntil": "2024-01-01T21:57:44+00:00",
    "pstnDialOutEnabled": True,
}
USER = CommunicationUserIdentifier("8:acs:r_u")


def pickled(protocol: int) -> Callable[[object], object]:
    return lambda value: pickle.loads(pickle.dumps(value, protocol))


COPIES = [copy.copy, copy.deepcopy, *map(pickled, range(pickle.HIGHEST_PROTOCOL + 1))]


def test_room_from_json() -> None:
    room = CommunicationRoom(ROOM)
    assert room.id == "99445276259151407"
    assert room.created_at == datetime(2023, 7, 5, 21, 57, 45, 168885, timezone.utc)
    assert room.valid_from == datetime(2023, 7, 5, 21, 57, 44, 903276, timezone.utc)
    assert room.valid_until == datetime(2024, 1, 1, 21, 57, 44, 0, timezone.utc)
    assert room.pstn_dial_out_enabled is True


def test_room_is_an_alias() -> None:
    assert Room is CommunicationRoom


def test_room_without_pstn_dial_out_enabled() -> None:
    assert CommunicationRoom({**ROOM, "pstnDialOutEnabled": None}).pstn_dial_out_enabled is None
    del (data := dict(ROOM))["pstnDialOutEnabled"]
    assert CommunicationRoom(data).pstn_dial_out_enabled is None


def test_room_keeps_its_json() -> None:
    data = {**ROOM, "colour": {"name": "blue"}}
    room = CommunicationRoom(data)
    assert room.as_dict() == data
    assert json.loads(json.dumps(room.as_dict())) == data


def test_room_as_dict_is_a_copy() -> None:
    room = CommunicationRoom({**ROOM, "colour": {"name": "blue"}})
    room.as_dict()["colour"].clear()  # type: ignore[attr-defined]
    assert room.as_dict()["colour"] == {"name": "blue"}


def test_room_from_values() -> None:
    room = CommunicationRoom(
        id="99445276259151407",
        created_at=datetime(2026, 12, 1, 9),  # noqa: DTZ001 - a naive time is UTC
        valid_from=datetime(2026, 12, 1, 9, tzinfo=timezone(timedelta(hours=2))),
        valid_until=datetime(2026, 12, 2, 9, 0, 0, 500000, timezone.utc),
    )
    assert room.as_dict() == {
        "id": "99445276259151407",
        "createdAt": "2026-12-01T09:00:00+00:00",
        "validFrom": "2026-12-01T07:00:00+00:00",
        "validUntil": "2026-12-02T09:00:00.5+00:00",
    }
    assert room.pstn_dial_out_enabled is None


def test_room_from_strings() -> None:
    room = CommunicationRoom(
        id="99445276259151407",
        created_at="2026-12-01T09:00:00",
        valid_from="2026-12-01T09:00:00+02:00",
        valid_until="2026-12-02T09:00:00.5Z",
        pstn_dial_out_enabled=False,
    )
    assert room.created_at == datetime(2026, 12, 1, 9, tzinfo=timezone.utc)
    assert room.valid_from == datetime(2026, 12, 1, 7, tzinfo=timezone.utc)
    assert room.valid_until == datetime(2026, 12, 2, 9, 0, 0, 500000, timezone.utc)
    with pytest.raises(ValueError, match="valid_from must be an ISO 8601 time such as .*, not 'soon'"):
        CommunicationRoom(id="99", created_at=room.created_at, valid_from="soon", valid_until="soon")


def test_room_is_a_dataclass() -> None:
    room = CommunicationRoom({**ROOM, "colour": "blue"})
    values = {name: getattr(room, name) for name in ("id", "created_at", "valid_from", "valid_until")}
    assert vars(room) == dataclasses.asdict(room) == {**values, "pstn_dial_out_enabled": True}
    assert CommunicationRoom(**vars(room)) == room
    assert dataclasses.replace(room, id="99").id == "99"


def test_room_json_of_any_mapping() -> None:
    assert CommunicationRoom(MappingProxyType(ROOM)).as_dict() == ROOM


def test_room_does_not_share_its_json() -> None:
    room = CommunicationRoom(data := dict(ROOM))
    data.clear()
    assert room.as_dict() == ROOM


def test_room_equality() -> None:
    assert CommunicationRoom(ROOM) == CommunicationRoom(dict(ROOM))
    assert hash(CommunicationRoom(ROOM)) == hash(CommunicationRoom(dict(ROOM)))
    assert CommunicationRoom(ROOM) != CommunicationRoom({**ROOM, "pstnDialOutEnabled": False})
    assert CommunicationRoom(ROOM).__eq__(ROOM) is NotImplemented


def test_room_repr() -> None:
    text = repr(CommunicationRoom(ROOM))
    assert text.startswith("CommunicationRoom(id='99445276259151407', created_at=datetime.datetime(2023, 7, 5, 21")
    assert text.endswith("pstn_dial_out_enabled=True)")


@pytest.mark.parametrize("copied", COPIES)
def test_room_copies(copied: Callable[[CommunicationRoom], CommunicationRoom]) -> None:
    room = copied(CommunicationRoom(ROOM))
    assert room == CommunicationRoom(ROOM)
    assert room.as_dict() == ROOM


def test_room_subclass_copies() -> None:
    class RoomSubclass(CommunicationRoom):
        pass

    assert type(copy.copy(RoomSubclass(ROOM))) is RoomSubclass


def test_room_is_immutable() -> None:
    with pytest.raises(AttributeError):
        CommunicationRoom(ROOM).valid_until = datetime.now(timezone.utc)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": 99}, "'id' must be a string that is not empty, not 99"),
        ({"id": ""}, "'id' must be a string that is not empty, not ''"),
        ({"validFrom": None}, "'validFrom' must be a time, not None"),
        ({"validFrom": 5}, "'validFrom' must be a time, not 5"),
        ({"validUntil": "soon"}, "'validUntil' must be a time, not 'soon'"),
        ({"createdAt": "0001-01-01T00:00:00+14:00"}, "'createdAt' must be a time, not '0001"),
        ({"pstnDialOutEnabled": "yes"}, "'pstnDialOutEnabled' must be a boolean, not 'yes'"),
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


def test_room_takes_json_or_values() -> None:
    with pytest.raises(TypeError, match="as a mapping, or its values by keyword"):
        CommunicationRoom(ROOM, id="99")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="as a mapping, or its values by keyword"):
        CommunicationRoom(ROOM, pstn_dial_out_enabled=False)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="as a mapping, or its values by keyword"):
        CommunicationRoom("99")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="id must be a str, not int"):
        CommunicationRoom(id=99)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="created_at must be a datetime or an ISO 8601 string, not NoneType"):
        CommunicationRoom(id="99")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="as a mapping, or its values by keyword"):
        CommunicationRoom(ROOM, valid_until="2026-12-01T09:00:00Z")  # type: ignore[call-overload]


def test_participant_by_position_or_keyword() -> None:
    by_position = RoomParticipant(USER, ParticipantRole.CONSUMER)
    by_keyword = RoomParticipant(communication_identifier=USER, role=ParticipantRole.CONSUMER)
    assert by_position == by_keyword
    assert by_position.communication_identifier is USER
    assert by_position.role is ParticipantRole.CONSUMER


def test_participant_default_role() -> None:
    assert RoomParticipant(USER).role is ParticipantRole.ATTENDEE
    assert RoomParticipant(USER, None).role is ParticipantRole.ATTENDEE
    assert RoomParticipant({"rawId": "8:acs:r_u"}).role is ParticipantRole.ATTENDEE


def test_known_role_as_a_string() -> None:
    assert RoomParticipant(USER, "Presenter").role is ParticipantRole.PRESENTER


def test_role_of_another_enum() -> None:
    class OtherRole(str, Enum):
        HOST = "Presenter"

    assert RoomParticipant(USER, OtherRole.HOST).as_dict()["role"] == "Presenter"


def test_participant_follows_its_identifier() -> None:
    user = CommunicationUserIdentifier("8:acs:r_u")
    participant = RoomParticipant(user)
    user.raw_id = "8:acs:r_v"
    assert participant.as_dict()["rawId"] == "8:acs:r_v"
    assert participant != RoomParticipant(USER)


def test_unknown_role_stays_a_string() -> None:
    participant = RoomParticipant({"rawId": "8:acs:r_u", "role": "Moderator"})
    assert participant.role == "Moderator"
    assert type(participant.role) is str
    assert participant.as_dict() == {"rawId": "8:acs:r_u", "role": "Moderator"}


def test_role_str() -> None:
    assert f"{ParticipantRole.PRESENTER}" == str(ParticipantRole.PRESENTER) == "Presenter"


def test_participant_from_json() -> None:
    data = {"rawId": "4:+14255550123", "role": "Collaborator", "since": "yesterday"}
    participant = RoomParticipant(data)
    assert participant.communication_identifier == PhoneNumberIdentifier("+14255550123")
    assert participant.role is ParticipantRole.COLLABORATOR
    assert participant.as_dict() == data


def test_participant_with_another_identifier() -> None:
    class OtherIdentifier:
        raw_id = "8:acs:r_other"
        kind = "other"
        properties: Mapping[str, object] = MappingProxyType({})

    assert RoomParticipant(identity.CommunicationUserIdentifier("8:acs:r_u")) == RoomParticipant(USER)
    assert RoomParticipant(OtherIdentifier()).as_dict() == {"rawId": "8:acs:r_other", "role": "Attendee"}


def test_participant_can_be_changed() -> None:
    participant = RoomParticipant(USER)
    participant.role = "Presenter"
    participant.communication_identifier = UnknownIdentifier("48:echo")
    assert participant.as_dict() == {"rawId": "48:echo", "role": "Presenter"}


@pytest.mark.parametrize("copied", COPIES)
def test_participant_copies(copied: Callable[[RoomParticipant], RoomParticipant]) -> None:
    participant = RoomParticipant(USER, "Moderator")
    other = copied(participant)
    assert other == participant
    other.role = "Presenter"
    assert participant.role == "Moderator"


def test_participant_is_a_dataclass() -> None:
    assert dataclasses.asdict(RoomParticipant(USER, "Presenter")) == {
        "communication_identifier": {
            "raw_id": "8:acs:r_u",
            "properties": {"id": "8:acs:r_u"},
            "kind": "communication_user",
        },
        "role": "Presenter",
    }


def test_participant_changes_are_checked() -> None:
    participant = RoomParticipant({"rawId": "8:acs:r_u", "role": "Consumer", "since": 1})
    with pytest.raises(TypeError, match="role must be a ParticipantRole or a str, not int"):
        participant.role = 3  # type: ignore[assignment]
    with pytest.raises(TypeError, match="communication_identifier must be a CommunicationIdentifier"):
        participant.communication_identifier = "8:acs:r_v"  # type: ignore[assignment]
    assert participant.as_dict() == {"rawId": "8:acs:r_u", "role": "Consumer", "since": 1}
    participant.role = "Presenter"
    assert participant.role is ParticipantRole.PRESENTER


def test_participant_equality() -> None:
    assert RoomParticipant(USER) == RoomParticipant(UnknownIdentifier("8:acs:r_u"), "Attendee")
    assert RoomParticipant(USER) != RoomParticipant(USER, ParticipantRole.CONSUMER)
    assert RoomParticipant(USER) != USER


def test_participant_repr() -> None:
    assert repr(RoomParticipant(USER)) == (
        "RoomParticipant(communication_identifier=CommunicationUserIdentifier(raw_id='8:acs:r_u'), role='Attendee')"
    )


def test_raw_id_is_not_an_identifier() -> None:
    with pytest.raises(TypeError, match=r"communication_identifier must be .* not str; identifier_from_raw_id\(\)"):
        RoomParticipant("8:acs:r_u")  # type: ignore[call-overload]


def test_none_is_not_an_identifier() -> None:
    with pytest.raises(TypeError, match=r"communication_identifier must be a CommunicationIdentifier.*not NoneType"):
        RoomParticipant(None)  # type: ignore[call-overload]


def test_role_must_be_a_str() -> None:
    with pytest.raises(TypeError, match="role must be a ParticipantRole or a str, not int"):
        RoomParticipant(USER, 3)  # type: ignore[call-overload]


def test_invalid_participant_names_member() -> None:
    with pytest.raises(ValueError, match="'rawId' is missing"):
        RoomParticipant({"role": "Attendee"})
    with pytest.raises(ValueError, match="'role' must be a string, not int"):
        RoomParticipant({"rawId": "8:acs:r_u", "role": 3})


def test_role_in_addition_to_json() -> None:
    with pytest.raises(TypeError, match="pass the service's JSON without role"):
        RoomParticipant({"rawId": "8:acs:r_u"}, ParticipantRole.CONSUMER)  # type: ignore[call-overload]
