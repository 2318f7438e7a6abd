"""The models: what the service's JSON says, as Python values."""

import copy
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, overload

from azure.core import CaseInsensitiveEnumMeta

from ._identifiers import CommunicationIdentifier, identifier_from_raw_id
from ._time import parse_time, response_time


class ParticipantRole(str, Enum, metaclass=CaseInsensitiveEnumMeta):
    """What a participant may do in the call.

    The service may know more roles than these; one that is not here stays the string that the service sent.
    """

    PRESENTER = "Presenter"
    ATTENDEE = "Attendee"
    """The default."""
    CONSUMER = "Consumer"
    COLLABORATOR = "Collaborator"
    """From api-version 2025-03-13 on."""

    def __str__(self) -> str:
        return self.value


_ROLES: dict[str, ParticipantRole] = {role.value: role for role in list(ParticipantRole)}


def _member(model: str, data: Mapping[str, object], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        raise ValueError(
            f"{model}: {name!r} must be a string, not {type(value).__name__}"
            if name in data
            else f"{model}: {name!r} is missing"
        )
    return value


class CommunicationRoom:
    """A room, as the service answered it: an invite-only call space with a lifetime. Also named ``Room``.

    It can be made from the service's JSON, ``CommunicationRoom({"id": ..., "createdAt": ..., ...})``, or from
    values by keyword. A room is a snapshot and cannot be changed; :meth:`RoomsClient.update_room` changes the
    room at the service and answers a new snapshot. Rooms are equal when all their values are.

    :param data: The service's JSON. Members that this package does not know are kept for :meth:`as_dict`.
    :type data: Mapping[str, object]
    :keyword str id: The room's ID.
    :keyword ~datetime.datetime created_at: When the room was created. UTC where it has no time zone.
    :keyword ~datetime.datetime valid_from: When the room opens. UTC where it has no time zone.
    :keyword ~datetime.datetime valid_until: When the room closes. UTC where it has no time zone.
    :keyword pstn_dial_out_enabled: Whether phone numbers can be called from the room. Default: None.
    :paramtype pstn_dial_out_enabled: bool or None
    :raises TypeError: An argument is of a wrong type, or both JSON and keywords are given.
    :raises ValueError: The JSON lacks a member, or a member is not what it must be.
    """

    __slots__ = ("_created_at", "_data", "_valid_from", "_valid_until")

    @overload
    def __init__(self, data: Mapping[str, object], /) -> None: ...

    @overload
    def __init__(
        self,
        /,
        *,
        id: str,
        created_at: datetime,
        valid_from: datetime,
        valid_until: datetime,
        pstn_dial_out_enabled: bool | None = None,
    ) -> None: ...

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        /,
        *,
        id: str | None = None,  # noqa: A002 - the service's name
        created_at: datetime | None = None,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        pstn_dial_out_enabled: bool | None = None,
    ) -> None:
        if data is None:
            if not isinstance(id, str):
                raise TypeError(f"id must be a str, not {type(id).__name__}")
            values: dict[str, object] = {
                "id": id,
                "createdAt": response_time("created_at", created_at),
                "validFrom": response_time("valid_from", valid_from),
                "validUntil": response_time("valid_until", valid_until),
            }
            if pstn_dial_out_enabled is not None:
                values["pstnDialOutEnabled"] = pstn_dial_out_enabled
            data = values
        elif not isinstance(data, Mapping) or (
            (id, created_at, valid_from, valid_until, pstn_dial_out_enabled) != (None, None, None, None, None)
        ):
            raise TypeError("CommunicationRoom takes the service's JSON as a mapping, or its values by keyword")
        members: Any = data
        try:
            self._created_at = parse_time(members["createdAt"])
            self._valid_from = parse_time(members["validFrom"])
            self._valid_until = parse_time(members["validUntil"])
            is_room = isinstance(members["id"], str) and members["id"] != ""
        except (KeyError, TypeError, ValueError, OverflowError):
            is_room = False
        flag = data.get("pstnDialOutEnabled")
        if not is_room or not (flag is None or flag is True or flag is False):
            raise _no_room(data)
        self._data = dict(data)

    @property
    def id(self) -> str:
        """The room's ID, made by the service.

        :rtype: str
        """
        return str(self._data["id"])

    @property
    def created_at(self) -> datetime:
        """When the room was created, in UTC. The service's seventh fractional digit is cut off.

        :rtype: ~datetime.datetime
        """
        return self._created_at

    @property
    def valid_from(self) -> datetime:
        """From when on the room can be joined, in UTC.

        :rtype: ~datetime.datetime
        """
        return self._valid_from

    @property
    def valid_until(self) -> datetime:
        """Until when the room can be joined, in UTC.

        :rtype: ~datetime.datetime
        """
        return self._valid_until

    @property
    def pstn_dial_out_enabled(self) -> bool | None:
        """Whether phone numbers can be called from the room; None in api-version 2023-06-14, which does not tell.

        :rtype: bool or None
        """
        flag = self._data.get("pstnDialOutEnabled")
        return None if flag is None else bool(flag)

    def as_dict(self) -> dict[str, object]:
        """The room as the service's JSON, every member as it came.

        :return: A copy that can be changed and given to ``CommunicationRoom``, ``json.dumps`` and the like.
        :rtype: dict[str, object]
        """
        return copy.deepcopy(self._data)

    def _values(self) -> dict[str, object]:
        return {
            "id": self.id,
            "created_at": self.created_at,
            "valid_from": self.valid_from,
            "valid_until": self.valid_until,
            "pstn_dial_out_enabled": self.pstn_dial_out_enabled,
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CommunicationRoom):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"CommunicationRoom({', '.join(f'{name}={value!r}' for name, value in self._values().items())})"

    def __reduce__(self) -> tuple[type["CommunicationRoom"], tuple[dict[str, object]]]:
        return type(self), (self._data,)


def _no_room(data: Mapping[str, object]) -> ValueError:
    """Why the JSON is no room. A listing has thousands of rooms, so this is looked for only where one is none."""
    if not _member("CommunicationRoom", data, "id"):
        return ValueError("CommunicationRoom: 'id' is empty")
    for name in ("createdAt", "validFrom", "validUntil"):
        text = _member("CommunicationRoom", data, name)
        try:
            parse_time(text)
        except (ValueError, OverflowError):
            return ValueError(f"CommunicationRoom: {name!r} is not a time: {text!r}")
    flag = data["pstnDialOutEnabled"]
    return ValueError(f"CommunicationRoom: 'pstnDialOutEnabled' must be a boolean, not {type(flag).__name__}")


class RoomParticipant:
    """A participant of a room: who it is, and with which role.

    It can be made from an identifier and a role, by position or by keyword, or from the service's JSON,
    ``RoomParticipant({"rawId": ..., "role": ...})``. Identifier and role can be changed; that changes nothing at the
    service until the participant is given to :meth:`RoomsClient.add_or_update_participants`. Participants are equal
    when raw ID and role are.

    :param communication_identifier: Who it is: an identifier of this package, of ``azure-communication-identity``,
     or any object that has a ``raw_id``; or the service's JSON.
    :type communication_identifier: ~azure.communication.rooms.CommunicationIdentifier or Mapping[str, object]
    :param role: The role. A string is sent as it is; None means the default. Default: ATTENDEE.
    :type role: ~azure.communication.rooms.ParticipantRole or str or None
    :raises TypeError: An argument is of a wrong type, or another role than the default is given beside JSON.
    :raises ValueError: The JSON lacks the raw ID, or a member is not a string.
    """

    @overload
    def __init__(self, communication_identifier: Mapping[str, object]) -> None: ...

    @overload
    def __init__(
        self,
        communication_identifier: CommunicationIdentifier,
        role: ParticipantRole | str | None = ParticipantRole.ATTENDEE,
    ) -> None: ...

    def __init__(
        self,
        communication_identifier: CommunicationIdentifier | Mapping[str, object],
        role: ParticipantRole | str | None = ParticipantRole.ATTENDEE,
    ) -> None:
        # The service's JSON, never changed in place: copies of this participant share it.
        self._data: dict[str, object] = {}
        if isinstance(communication_identifier, Mapping):
            if role not in (None, ParticipantRole.ATTENDEE):
                raise TypeError("role must not be given beside the service's JSON, which holds it")
            raw_id = _member("RoomParticipant", communication_identifier, "rawId")
            self._data = dict(communication_identifier)
            communication_identifier = identifier_from_raw_id(raw_id)
            if self._data.get("role") is not None:
                role = _member("RoomParticipant", self._data, "role")
        self.communication_identifier = communication_identifier
        self.role = role

    @property
    def communication_identifier(self) -> CommunicationIdentifier:
        """Who the participant is.

        :rtype: ~azure.communication.rooms.CommunicationIdentifier
        """
        return self._identifier

    @communication_identifier.setter
    def communication_identifier(self, identifier: CommunicationIdentifier) -> None:
        raw_id_of("communication_identifier", identifier)
        self._identifier = identifier

    @property
    def role(self) -> ParticipantRole | str:
        """What the participant may do: a :class:`ParticipantRole`, or a string where the role is not known here.

        :rtype: ~azure.communication.rooms.ParticipantRole or str
        """
        role = str(self._data["role"])
        return _ROLES.get(role, role)

    @role.setter
    def role(self, role: ParticipantRole | str | None) -> None:
        if role is None:
            role = ParticipantRole.ATTENDEE
        if not isinstance(role, str):
            raise TypeError(f"role must be a ParticipantRole or a str, not {type(role).__name__}")
        self._data = {**self._data, "role": str(role.value) if isinstance(role, Enum) else str(role)}

    def as_dict(self) -> dict[str, object]:
        """The participant as the service's JSON, with raw ID and role as they are now.

        :return: A copy that can be changed and given to ``RoomParticipant``, ``json.dumps`` and the like.
        :rtype: dict[str, object]
        """
        return copy.deepcopy({**self._data, "rawId": self._identifier.raw_id})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RoomParticipant):
            return NotImplemented
        return (self._identifier.raw_id, self.role) == (other._identifier.raw_id, other.role)

    def __repr__(self) -> str:
        return f"RoomParticipant(communication_identifier={self._identifier!r}, role={self._data['role']!r})"


def raw_id_of(name: str, identifier: object) -> str:
    """The raw ID of the identifier in the argument called ``name``."""
    raw_id = getattr(identifier, "raw_id", None)
    if not isinstance(raw_id, str):
        hint = "; identifier_from_raw_id() makes one of a raw ID" if isinstance(identifier, str) else ""
        raise TypeError(
            f"{name} must be a CommunicationIdentifier, an object whose raw_id is a str, "
            f"not {type(identifier).__name__}{hint}"
        )
    return raw_id
