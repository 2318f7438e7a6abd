"""The service's operations: the only list of them that the tests and the benchmark have.

The benchmark calls the released client in the same way, so everything here works with both.
"""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from azure.communication.rooms import CommunicationUserIdentifier, ParticipantRole, RoomParticipant, RoomsClient

OPENS = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=1)
CLOSES = OPENS + timedelta(days=30)
PARTICIPANTS = [
    RoomParticipant(
        communication_identifier=CommunicationUserIdentifier(f"8:acs:resource_user-{number:04}"),
        role=ParticipantRole.PRESENTER,
    )
    for number in range(10)
]


class Operation(NamedTuple):
    """What an operation is for, the request that it sends, and how to call it with a client and a room's ID."""

    title: str
    method: str
    path: str
    call: Callable[[RoomsClient, str], object]


OPERATIONS = {
    "create_room": Operation(
        "create with 10 participants",
        "POST",
        "/rooms",
        lambda client, room_id: client.create_room(
            valid_from=OPENS, valid_until=CLOSES, pstn_dial_out_enabled=True, participants=PARTICIPANTS
        ),
    ),
    "get_room": Operation(
        "get",
        "GET",
        "/rooms/{room_id}",
        lambda client, room_id: client.get_room(room_id),
    ),
    "list_rooms": Operation(
        "list a page of 30 rooms",
        "GET",
        "/rooms",
        lambda client, room_id: [
            (room.id, room.created_at, room.valid_from, room.valid_until) for room in client.list_rooms()
        ],
    ),
    "update_room": Operation(
        "update",
        "PATCH",
        "/rooms/{room_id}",
        lambda client, room_id: client.update_room(
            room_id=room_id, valid_from=OPENS, valid_until=CLOSES, pstn_dial_out_enabled=True
        ),
    ),
    "delete_room": Operation(
        "delete",
        "DELETE",
        "/rooms/{room_id}",
        lambda client, room_id: client.delete_room(room_id),
    ),
    "list_participants": Operation(
        "list 30 participants",
        "GET",
        "/rooms/{room_id}/participants",
        lambda client, room_id: [
            (participant.communication_identifier, participant.role)
            for participant in client.list_participants(room_id)
        ],
    ),
    "add_or_update_participants": Operation(
        "add or update 10 participants",
        "PATCH",
        "/rooms/{room_id}/participants",
        lambda client, room_id: client.add_or_update_participants(room_id=room_id, participants=PARTICIPANTS),
    ),
    "remove_participants": Operation(
        "remove 10 participants",
        "PATCH",
        "/rooms/{room_id}/participants",
        lambda client, room_id: client.remove_participants(room_id=room_id, participants=PARTICIPANTS),
    ),
}
