"""The table of operations that the tests and the benchmark share. To add an operation to them, add it here.

The benchmark also calls the released client with this table, so everything here works with both clients.
"""

from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, Protocol

from azure.communication.rooms import CommunicationUserIdentifier, ParticipantRole, RoomParticipant, RoomsClient

OPENS = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=1)
CLOSES = OPENS + timedelta(days=30)
USERS = [
    CommunicationUserIdentifier(f"8:acs:5b0f2f2e-1111-4222-8333-944455556666_00000000-0000-4000-8000-{number:012}")
    for number in range(10)
]
PARTICIPANTS = [RoomParticipant(communication_identifier=user, role=ParticipantRole.PRESENTER) for user in USERS]
NO_ROOM = "99400000000000000"  # a valid ID that no room has


class Call(Protocol):
    def __call__(self, client: RoomsClient, room_id: str, **options: Any) -> object: ...


class Operation(NamedTuple):
    """An operation of the service: its title in the benchmark, the request that it sends, and a function to call it."""

    title: str
    method: str
    path: str
    call: Call


OPERATIONS = {
    "create_room": Operation(
        "create with 10 participants",
        "POST",
        "/rooms",
        lambda client, room_id, **options: client.create_room(
            valid_from=OPENS, valid_until=CLOSES, pstn_dial_out_enabled=True, participants=PARTICIPANTS, **options
        ),
    ),
    "get_room": Operation(
        "get", "GET", "/rooms/{room_id}", lambda client, room_id, **options: client.get_room(room_id, **options)
    ),
    "list_rooms": Operation(
        "list a page of 30 rooms",
        "GET",
        "/rooms",
        lambda client, room_id, **options: [
            (room.id, room.created_at, room.valid_from, room.valid_until) for room in client.list_rooms(**options)
        ],
    ),
    "update_room": Operation(
        "update",
        "PATCH",
        "/rooms/{room_id}",
        lambda client, room_id, **options: client.update_room(
            room_id=room_id, valid_from=OPENS, valid_until=CLOSES, pstn_dial_out_enabled=True, **options
        ),
    ),
    "delete_room": Operation(
        "delete",
        "DELETE",
        "/rooms/{room_id}",
        lambda client, room_id, **options: client.delete_room(room_id, **options),
    ),
    "list_participants": Operation(
        "list 30 participants",
        "GET",
        "/rooms/{room_id}/participants",
        lambda client, room_id, **options: [
            (participant.communication_identifier, participant.role)
            for participant in client.list_participants(room_id, **options)
        ],
    ),
    "add_or_update_participants": Operation(
        "add or update 10 participants",
        "PATCH",
        "/rooms/{room_id}/participants",
        lambda client, room_id, **options: client.add_or_update_participants(
            room_id=room_id, participants=PARTICIPANTS, **options
        ),
    ),
    "remove_participants": Operation(
        "remove 10 participants",
        "PATCH",
        "/rooms/{room_id}/participants",
        lambda client, room_id, **options: client.remove_participants(
            room_id=room_id, participants=PARTICIPANTS, **options
        ),
    ),
}
ROOM_OPERATIONS = {name: operation for name, operation in OPERATIONS.items() if "{room_id}" in operation.path}
