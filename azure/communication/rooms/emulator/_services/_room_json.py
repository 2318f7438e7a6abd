"""Reads and writes the service's JSON for rooms and participants."""

import re
from collections.abc import Mapping

from .._clock import DAY, format_time, parse_time
from .._store import Room
from ._errors import bad_arguments, wrong_type

MAX_LIFETIME = 180 * DAY
_WITHOUT_DIAL_OUT = "2023-06-14"  # the API version
_ROLES = ("Presenter", "Attendee", "Consumer", "Collaborator")
GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PARTICIPANT_ID = re.compile(rf"8:(acs:(?i:{GUID}_{GUID})|(dod-acs|gcch-acs|spool):[!-~]+)")


def room_json(room: Room, api_version: str) -> dict[str, object]:
    data: dict[str, object] = {
        "id": room.id,
        "createdAt": format_time(room.created_at),
        "validFrom": format_time(room.valid_from),
        "validUntil": format_time(room.valid_until),
    }
    if api_version > _WITHOUT_DIAL_OUT:
        data["pstnDialOutEnabled"] = bool(room.pstn_dial_out_enabled)
    return data


def read_dial_out(data: Mapping[str, object], api_version: str) -> bool | None:
    """``pstnDialOutEnabled``. None if absent or null, or if the API version lacks it."""
    value = data.get("pstnDialOutEnabled") if api_version > _WITHOUT_DIAL_OUT else None
    if value is None or isinstance(value, bool):
        return value
    raise wrong_type("a boolean", "$.pstnDialOutEnabled")


def read_times(data: Mapping[str, object]) -> tuple[int | None, int | None]:
    """``validFrom`` and ``validUntil``. None if absent or null."""
    return _read_time(data, "validFrom"), _read_time(data, "validUntil")


def _read_time(data: Mapping[str, object], member: str) -> int | None:
    value = data.get(member)
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return parse_time(value)
    except (ValueError, OverflowError):
        pass  # rejected below, like a value of another type
    raise wrong_type("a time", f"$.{member}")


def check_times(valid_from: int | None, valid_until: int | None, now: int) -> None:
    """Raise a 400 error with a detail for each time that is out of range. A time that is None is not checked."""
    problems = []
    if valid_from is not None and valid_from > now + MAX_LIFETIME:
        problems.append(("Value is incorrect or more than 180 days in the future.", "ValidFrom"))
    if valid_until is not None:
        begin = now if valid_from is None else valid_from
        if valid_until < now:
            problems.append(("The time range end is in the past.", "ValidUntil"))
        elif not begin <= valid_until <= begin + MAX_LIFETIME:
            problems.append(("The time range is incorrect, or larger than 180 days.", "ValidUntil"))
    if problems:
        raise bad_arguments(*problems)


def read_roles(data: Mapping[str, object]) -> dict[str, str | None]:
    """The role of each raw ID in ``participants``. None stands for null, which removes the participant."""
    participants = data.get("participants")
    if participants is None:
        return {}
    if not isinstance(participants, dict):
        raise wrong_type("an object", "$.participants")
    return {raw_id: _read_role(raw_id, participant) for raw_id, participant in participants.items()}


def _read_role(raw_id: str, participant: object) -> str | None:
    if participant is None:
        return None
    path = f"$.participants.{raw_id}"
    if not isinstance(participant, dict):
        raise wrong_type("an object", path)
    role = participant.get("role")
    if role is None:
        return "Attendee"
    if not (isinstance(role, str) and role in _ROLES):
        message = f"Invalid participant role. The valid roles are: {', '.join(_ROLES)}."
        raise bad_arguments((message, f"{path}.role"))
    return role


def can_participate(raw_id: str) -> bool:
    """Whether this is the well-formed raw ID of a communication user."""
    return _PARTICIPANT_ID.fullmatch(raw_id) is not None
