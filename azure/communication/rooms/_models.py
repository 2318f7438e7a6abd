"""The models, which convert the service's JSON to Python values and back."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, overload

from azure.core import CaseInsensitiveEnumMeta

from ._identifiers import CommunicationIdentifier, identifier_from_raw_id
from ._pydantic import Model
from ._time import parse_time, response_time


class ApiVersion(str, Enum, metaclass=CaseInsensitiveEnumMeta):
    """The stable versions of the Rooms REST API that this package knows. You can pass any other as a string."""

    V2023_06_14 = "2023-06-14"
    V2024_04_15 = "2024-04-15"
    """Adds ``pstn_dial_out_enabled``."""
    V2025_03_13 = "2025-03-13"
    """The default. The first version that documents the role :attr:`ParticipantRole.COLLABORATOR`."""


class ParticipantRole(str, Enum, metaclass=CaseInsensitiveEnumMeta):
    """What a participant may do in the call. If the service sends another role, ``participant.role`` is a str."""

    PRESENTER = "Presenter"
    ATTENDEE = "Attendee"
    """The default."""
    CONSUMER = "Consumer"
    COLLABORATOR = "Collaborator"
    """Documented since API version 2025-03-13. The service also accepts it in 2024-04-15."""

    def __str__(self) -> str:
        return self.value


_ROLES: dict[str, ParticipantRole] = {role.value: role for role in list(ParticipantRole)}
_TIME = {"type": "string", "format": "date-time"}
_ROOM_MEMBERS = {"id": {"type": "string"}, "createdAt": _TIME, "validFrom": _TIME, "validUntil": _TIME}


@dataclass(frozen=True, init=False)
class CommunicationRoom(Model):
    """A room: an invite-only call space with a lifetime. ``Room`` is another name of this class.

    The object is an immutable snapshot. Two rooms are equal if all their attributes are equal. The class is a
    dataclass, so ``vars(room)`` and ``dataclasses.asdict(room)`` return the attributes.

    You can create one yourself, for example in a test, from the service's JSON or from values. Times are as for
    :meth:`RoomsClient.create_room`.

    .. code-block:: python

        from azure.communication.rooms import CommunicationRoom

        lifetime = {"valid_from": "2026-12-01T09:00:00Z", "valid_until": "2026-12-01T10:00:00Z"}
        room = CommunicationRoom(id="99445276259151407", created_at="2026-12-01T08:00:00Z", **lifetime)
        assert CommunicationRoom(room.as_dict()) == room

    :param data: The service's JSON, ``{"id": ..., ...}``. :meth:`as_dict` also returns members that are not known here.
    :type data: Mapping[str, object]
    :keyword str id: The room's ID.
    :keyword created_at: When the room was created.
    :paramtype created_at: ~datetime.datetime or ~datetime.date or str
    :keyword valid_from: When the room opens.
    :paramtype valid_from: ~datetime.datetime or ~datetime.date or str
    :keyword valid_until: When the room closes.
    :paramtype valid_until: ~datetime.datetime or ~datetime.date or str
    :keyword bool pstn_dial_out_enabled: Whether participants can dial out to phone numbers. Default: None.
    :raises TypeError: An argument has the wrong type, or you pass both JSON and keywords.
    :raises ValueError: A JSON member is missing or invalid, or a string is not an ISO 8601 time.
    """

    __slots__ = ("_data",)  # the JSON as received; in a slot, because vars() returns only the attributes
    _json_schema: ClassVar = {
        "type": "object",
        "properties": {**_ROOM_MEMBERS, "pstnDialOutEnabled": {"anyOf": [{"type": "boolean"}, {"type": "null"}]}},
        "required": list(_ROOM_MEMBERS),
    }

    id: str
    """The room's ID, assigned by the service."""
    created_at: datetime
    """When the room was created, in UTC and truncated to microseconds."""
    valid_from: datetime
    """When the room opens, in UTC and truncated to microseconds."""
    valid_until: datetime
    """When the room closes, in UTC and truncated to microseconds."""
    pstn_dial_out_enabled: bool | None
    """Whether participants can dial out to phone numbers. None in API version 2023-06-14, which lacks it."""

    @overload
    def __init__(self, data: Mapping[str, object], /) -> None: ...

    @overload
    def __init__(
        self,
        /,
        *,
        id: str,
        created_at: datetime | date | str,
        valid_from: datetime | date | str,
        valid_until: datetime | date | str,
        pstn_dial_out_enabled: bool | None = None,
    ) -> None: ...

    def __init__(self, data: Any = None, /, **values: Any) -> None:
        if data is None:
            data = _room_json(**values)
        elif values or not isinstance(data, Mapping):
            raise TypeError("CommunicationRoom takes either the service's JSON as a mapping, or its values by keyword")
        dial_out = data.get("pstnDialOutEnabled")
        if not isinstance(dial_out, (bool, type(None))):
            raise ValueError(f"CommunicationRoom: 'pstnDialOutEnabled' must be a boolean, not {dial_out!r}")
        self.__dict__.update(  # a frozen dataclass forbids setattr
            id=_json_string("CommunicationRoom", data, "id"),
            created_at=_json_time(data, "createdAt"),
            valid_from=_json_time(data, "validFrom"),
            valid_until=_json_time(data, "validUntil"),
            pstn_dial_out_enabled=dial_out,
        )
        object.__setattr__(self, "_data", dict(data))

    def as_dict(self) -> dict[str, object]:
        """Return the room as the service's JSON, with every member as it was received.

        :return: A copy. You can change it, and pass it to ``CommunicationRoom`` or ``json.dumps``.
        :rtype: dict[str, object]
        """
        return copy.deepcopy(self._data)  # type: ignore[attr-defined]

    _to_json = as_dict

    def __reduce__(self) -> tuple[type["CommunicationRoom"], tuple[dict[str, object]]]:
        return type(self), (self.as_dict(),)


def _room_json(
    *,
    id: Any = None,  # noqa: A002 - its name in the service's JSON
    created_at: Any = None,
    valid_from: Any = None,
    valid_until: Any = None,
    pstn_dial_out_enabled: Any = None,
) -> dict[str, object]:
    if not isinstance(id, str):
        raise TypeError(f"id must be a str, not {type(id).__name__}")
    if not isinstance(pstn_dial_out_enabled, (bool, type(None))):
        raise TypeError(f"pstn_dial_out_enabled must be a bool, not {type(pstn_dial_out_enabled).__name__}")
    data: dict[str, object] = {
        "id": id,
        "createdAt": response_time("created_at", created_at),
        "validFrom": response_time("valid_from", valid_from),
        "validUntil": response_time("valid_until", valid_until),
    }
    return data if pstn_dial_out_enabled is None else {**data, "pstnDialOutEnabled": pstn_dial_out_enabled}


def _json_string(model: str, data: Mapping[str, object], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        problem = f"must be a string, not {value!r}" if name in data else "is missing"
        raise ValueError(f"{model}: {name!r} {problem}")
    return value


def _json_time(data: Mapping[str, object], name: str) -> datetime:
    text = _json_string("CommunicationRoom", data, name)
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        raise ValueError(f"CommunicationRoom: {name!r} must be a time, not {text!r}") from None


@dataclass(init=False, eq=False, repr=False)
class RoomParticipant(Model):
    """A participant of a room: an identifier and a role.

    You can change both; the service knows only what you pass to :meth:`RoomsClient.add_or_update_participants`. Two
    participants are equal if their raw IDs and roles are equal.

    .. code-block:: python

        from azure.communication.rooms import CommunicationUserIdentifier, ParticipantRole, RoomParticipant

        participant = RoomParticipant(CommunicationUserIdentifier(user_id), ParticipantRole.PRESENTER)
        assert participant == RoomParticipant({"rawId": user_id, "role": "Presenter"})

    :param communication_identifier: An identifier of this package or of ``azure-communication-identity``, any object
     with a ``raw_id``, or the service's JSON, ``{"rawId": ..., "role": ...}``.
    :type communication_identifier: ~azure.communication.rooms.CommunicationIdentifier or Mapping[str, object]
    :param role: The role. The client sends a string unchanged. Default: ATTENDEE, which None also means.
    :type role: ~azure.communication.rooms.ParticipantRole or str or None
    :raises TypeError: An argument has the wrong type, or you pass both JSON and a role.
    :raises ValueError: A JSON member is missing or invalid.
    """

    _json_schema: ClassVar = {
        "type": "object",
        "properties": {"rawId": {"type": "string"}, "role": {"type": "string", "default": "Attendee"}},
        "required": ["rawId"],
    }

    communication_identifier: CommunicationIdentifier
    """Who the participant is."""
    role: ParticipantRole | str
    """What the participant may do: a :class:`ParticipantRole`, or a string if this package does not know the role."""

    def __init__(
        self,
        communication_identifier: CommunicationIdentifier | Mapping[str, object],
        role: ParticipantRole | str | None = None,
    ) -> None:
        self._data: dict[str, object] = {}  # the service's JSON, for members that this package does not know
        if isinstance(communication_identifier, Mapping):
            self._data = dict(communication_identifier)
            communication_identifier = identifier_from_raw_id(_json_string("RoomParticipant", self._data, "rawId"))
            if role is not None:
                raise TypeError("role must not be given with the service's JSON, which contains it")
            if self._data.get("role") is not None:
                role = _json_string("RoomParticipant", self._data, "role")
        self.communication_identifier = communication_identifier
        self.role = ParticipantRole.ATTENDEE if role is None else role

    if not TYPE_CHECKING:  # if type checkers saw it, they would accept any attribute

        def __setattr__(self, name: str, value: object) -> None:
            if name == "communication_identifier":
                raw_id_of(name, value)
            elif name == "role":
                value = role_of(name, value)
            super().__setattr__(name, value)

    def as_dict(self) -> dict[str, object]:
        """Return the participant as the service's JSON, with its current raw ID and role.

        :return: A copy. You can change it, and pass it to ``RoomParticipant`` or ``json.dumps``.
        :rtype: dict[str, object]
        """
        return {**copy.deepcopy(self._data), "rawId": self.communication_identifier.raw_id, "role": str(self.role)}

    _to_json = as_dict

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RoomParticipant):
            return NotImplemented
        return (self.communication_identifier.raw_id, self.role) == (other.communication_identifier.raw_id, other.role)

    def __repr__(self) -> str:
        return f"RoomParticipant(communication_identifier={self.communication_identifier!r}, role={str(self.role)!r})"


class ParticipantLike(Protocol):
    """Any object with an identifier and a role, such as a :class:`RoomParticipant` or a class of your own."""

    @property
    def communication_identifier(self) -> CommunicationIdentifier:
        """Who the participant is."""
        ...

    @property
    def role(self) -> str | None:
        """What the participant may do: a :class:`ParticipantRole` or another string. None means ATTENDEE."""
        ...


def role_of(name: str, role: object) -> ParticipantRole | str:
    """Return the role in the argument called ``name``."""
    if role is None:
        return ParticipantRole.ATTENDEE
    if not isinstance(role, str):
        raise TypeError(f"{name} must be a ParticipantRole or a str, not {type(role).__name__}")
    text = str.__str__(role)  # the value of a role of another package's enum, too
    return _ROLES.get(text, text)


def raw_id_of(name: str, identifier: object) -> str:
    """Return the raw ID of the identifier in the argument called ``name``."""
    raw_id = getattr(identifier, "raw_id", None)
    if not isinstance(raw_id, str):
        hint = "; identifier_from_raw_id() converts a raw ID" if isinstance(identifier, str) else ""
        kind = type(identifier).__name__
        raise TypeError(f"{name} must be a CommunicationIdentifier, an object whose raw_id is a str, not {kind}{hint}")
    return raw_id
