"""The seven operations of the Rooms service, as published recordings show them.

Where no recording shows what the service does, ``samples/emulator_choices.md`` lists the emulator's own choices.
"""

import json
import re
import secrets
from collections.abc import Mapping, Sequence

from starlette.authentication import AuthenticationBackend
from starlette.responses import Response

from .._clock import DAY, TICKS_PER_SECOND, Clock, format_time, parse_time
from .._store import Room, Store
from ._errors import bad_arguments, bad_request, json_response, not_found, wrong_type
from ._request import ServiceRequest
from ._service import Operation, Service

API_VERSIONS = ("2023-06-14", "2023-10-30-preview", "2024-04-15", "2025-03-13")
"""Oldest first."""
_MERGE_PATCH = "application/merge-patch+json"
_MAX_LIFETIME = 180 * DAY
_WITHOUT_DIAL_OUT = "2023-06-14"  # the API version
_ROLES = ("Presenter", "Attendee", "Consumer", "Collaborator")
GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PARTICIPANT_ID = re.compile(rf"8:(acs:(?i:{GUID}_{GUID})|(dod-acs|gcch-acs|spool):[!-~]+)")


class RoomsService(Service):
    """The operations on rooms and their participants."""

    api_versions = API_VERSIONS

    def __init__(self, credentials: AuthenticationBackend, store: Store, clock: Clock, page_size: int) -> None:
        self._store = store
        self._clock = clock
        self._page_size = page_size
        participants = "/rooms/{room_id}/participants"
        super().__init__(
            credentials,
            [
                self.route("/rooms", POST=self._create_room, GET=self._list_rooms),
                self.route("/rooms/{room_id}", GET=self._get_room, PATCH=self._update_room, DELETE=self._delete_room),
                self.route(participants, GET=self._list_participants, PATCH=self._update_participants),
            ],
        )

    def execute(self, operation: Operation, request: ServiceRequest) -> Response:
        with self._store.transaction(read_only=request.method in ("GET", "HEAD")):
            return operation(request)

    def _create_room(self, request: ServiceRequest) -> Response:
        data = request.json_object("application/json")
        repeatable = request.repeatability()
        created = self._store.stored_response(*repeatable) if repeatable else None
        if created is None:
            created = json.dumps(room_json(self._new_room(request, data), request.api_version))
            if repeatable:
                self._store.store_response(*repeatable, created)
        body = json.loads(created)
        headers = {"Location": body["id"]}
        if repeatable:
            headers["Repeatability-Result"] = "accepted"
        return json_response(201, body, headers)

    def _new_room(self, request: ServiceRequest, data: Mapping[str, object]) -> Room:
        roles = _read_roles(data)
        valid_from, valid_until = _read_times(data)
        dial_out = _read_dial_out(data, request.api_version)
        for raw_id, role in roles.items():
            if role is None:
                message = f"The participant must not be null. Path: $.participants.{raw_id}."
                raise bad_arguments((message, f"$.participants.{raw_id}"))
        now = self._clock.now()
        _check_times(valid_from, valid_until, now)
        if not all(map(_PARTICIPANT_ID.fullmatch, roles)):
            raise bad_request("Invalid format for communication identifier.")
        received_at = now - TICKS_PER_SECOND // 10
        room = Room(
            id=f"994{secrets.randbelow(10**14):014}",
            created_at=now,
            valid_from=received_at if valid_from is None else valid_from,
            valid_until=received_at + _MAX_LIFETIME if valid_until is None else valid_until,
            pstn_dial_out_enabled=bool(dial_out),
            participants=json.dumps(roles),
        )
        self._store.add_room(room)
        return room

    def _list_rooms(self, request: ServiceRequest) -> Response:
        rooms = self._store.rooms(before=request.page_position(), limit=self._page_size + 1)
        page = rooms[: self._page_size]
        items = [room_json(room, request.api_version) for room in page if not room.is_deleted]
        return _page(request, items, page[-1].position if len(rooms) > len(page) else None)

    def _get_room(self, request: ServiceRequest) -> Response:
        return json_response(200, room_json(self._room(request), request.api_version))

    def _update_room(self, request: ServiceRequest) -> Response:
        data = request.json_object(_MERGE_PATCH)
        valid_from, valid_until = _read_times(data)
        dial_out = _read_dial_out(data, request.api_version)
        _check_times(valid_from, valid_until, self._clock.now())
        if (valid_from is None) != (valid_until is None):
            raise bad_arguments(("validFrom and validUntil should be set together.", ""))
        room = self._room(request)
        if valid_from is not None and valid_until is not None:
            room.valid_from, room.valid_until = valid_from, valid_until
        if dial_out is not None:
            room.pstn_dial_out_enabled = dial_out
        self._store.change_room(room)
        return json_response(200, room_json(room, request.api_version))

    def _delete_room(self, request: ServiceRequest) -> Response:
        room = self._room(request, also_deleted=True)  # deleting a room again succeeds
        room.is_deleted = True
        self._store.change_room(room)
        return Response(status_code=204)

    def _list_participants(self, request: ServiceRequest) -> Response:
        participants = list(json.loads(self._room(request).participants).items())
        begin = request.page_position() or 0
        end = begin + self._page_size
        items = [{"rawId": raw_id, "role": role} for raw_id, role in participants[begin:end]]
        return _page(request, items, end if end < len(participants) else None)

    def _update_participants(self, request: ServiceRequest) -> Response:
        roles = _read_roles(request.json_object(_MERGE_PATCH))
        room = self._room(request)
        for raw_id in roles:
            if not _PARTICIPANT_ID.fullmatch(raw_id):
                raise bad_request(f"Communication identifier {raw_id} is not supported.")
        updated = {**json.loads(room.participants), **roles}
        room.participants = json.dumps({raw_id: role for raw_id, role in updated.items() if role})
        self._store.change_room(room)
        return json_response(200, {})

    def _room(self, request: ServiceRequest, *, also_deleted: bool = False) -> Room:
        room_id = request.path_params["room_id"]
        if not 16 <= len(room_id) <= 18:
            raise bad_request("Invalid room ID length.")
        if not (room_id.isascii() and room_id.isdigit()):
            raise bad_request("Invalid room ID.")
        room = self._store.room(room_id)
        if room is None or (room.is_deleted and not also_deleted):
            raise not_found()
        return room


def _page(request: ServiceRequest, items: Sequence[Mapping[str, object]], last_position: int | None) -> Response:
    """A response with a page of items. It has a link to the next page unless the last position is None."""
    body: dict[str, object] = {"value": items}
    if last_position is not None:
        body["nextLink"] = request.next_link(last_position)
    return json_response(200, body)


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


def _read_dial_out(data: Mapping[str, object], api_version: str) -> bool | None:
    """``pstnDialOutEnabled``. None if absent or null, or if the API version lacks it."""
    value = data.get("pstnDialOutEnabled") if api_version > _WITHOUT_DIAL_OUT else None
    if value is None or isinstance(value, bool):
        return value
    raise wrong_type("a boolean", "$.pstnDialOutEnabled")


def _read_times(data: Mapping[str, object]) -> tuple[int | None, int | None]:
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


def _check_times(valid_from: int | None, valid_until: int | None, now: int) -> None:
    """Raise a 400 error with a detail for each time that is out of range. A time that is None is not checked."""
    problems = []
    if valid_from is not None and valid_from > now + _MAX_LIFETIME:
        problems.append(("Value is incorrect or more than 180 days in the future.", "ValidFrom"))
    if valid_until is not None:
        begin = now if valid_from is None else valid_from
        if valid_until < now:
            problems.append(("The time range end is in the past.", "ValidUntil"))
        elif not begin <= valid_until <= begin + _MAX_LIFETIME:
            problems.append(("The time range is incorrect, or larger than 180 days.", "ValidUntil"))
    if problems:
        raise bad_arguments(*problems)


def _read_roles(data: Mapping[str, object]) -> dict[str, str | None]:
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
