"""Move a program here from the released package, ``azure-communication-rooms`` 1.0 to 1.2.

Most programs need no change. ``unchanged`` below runs with either package. ``changed`` shows what works differently
here, and what to write instead.
"""

import os
from datetime import datetime, timedelta, timezone

from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline import PipelineResponse
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import (
    CommunicationRoom,
    CommunicationUserIdentifier,
    ParticipantRole,
    PhoneNumberIdentifier,
    RoomParticipant,
    RoomsClient,
)

ALICE = CommunicationUserIdentifier("8:acs:11111111-1111-1111-1111-111111111111_alice")
BOB = PhoneNumberIdentifier("+14255550123")


def unchanged(client: RoomsClient) -> None:
    opens = datetime.now(timezone.utc) + timedelta(days=1)
    presenter = RoomParticipant(communication_identifier=ALICE, role=ParticipantRole.PRESENTER)
    room = client.create_room(valid_from=opens, valid_until=opens + timedelta(hours=1), participants=[presenter])
    client.update_room(
        room_id=room.id, valid_from=opens, valid_until=opens + timedelta(hours=2), pstn_dial_out_enabled=True
    )
    client.add_or_update_participants(room_id=room.id, participants=[RoomParticipant(communication_identifier=BOB)])
    client.remove_participants(room_id=room.id, participants=[ALICE])
    for participant in client.list_participants(room.id):
        print(f"Participant {participant.communication_identifier.raw_id} as {participant.role}")
    print(f"Listed {sum(1 for _ in client.list_rooms())} room(s)")
    client.delete_room(room.id)
    try:
        client.get_room(room.id)
    except ResourceNotFoundError as error:
        print(f"Deleted: {error.status_code} {error.error.code if error.error else ''}")


def changed(client: RoomsClient) -> None:
    # Import from the package itself.
    # Before: from azure.communication.rooms._shared.models import identifier_from_raw_id
    from azure.communication.rooms import identifier_from_raw_id  # noqa: PLC0415 - beside its old form

    carol = RoomParticipant(identifier_from_raw_id("8:acs:11111111-1111-1111-1111-111111111111_carol"))
    room = client.create_room(participants=[carol])

    # Times are datetimes with a time zone; as_dict() has the service's strings. Arguments may still be strings.
    # Before: remaining = isodate.parse_datetime(room.valid_until) - now
    remaining = room.valid_until - datetime.now(timezone.utc)
    print(f"Open for {round(remaining / timedelta(days=1))} days, until {room.as_dict()['validUntil']}")

    # A room's attributes are read-only. Setting them never changed the room at the service.
    # Before: room.pstn_dial_out_enabled = True
    room = client.update_room(room.id, pstn_dial_out_enabled=True)

    # A room ID is a str.
    # Before: client.get_room(99445276259151407)
    number = int(room.id)
    client.get_room(str(number))

    # The options cls, error_map and content_type do not exist. Use a hook to get the response, and an except clause to
    # map an error. The client sets the content type.
    # Before: client.get_room(room.id, cls=lambda response, room, headers: note_status(response, room))
    # Before: client.get_room(room.id, error_map={404: ConsultationIsOver})
    statuses: list[int] = []

    def note_status(response: PipelineResponse[HttpRequest, HttpResponse]) -> None:
        statuses.append(response.http_response.status_code)

    client.get_room(room.id, raw_response_hook=note_status)
    client.delete_room(room.id)
    try:
        client.get_room(room.id, raw_response_hook=note_status)
    except ResourceNotFoundError:
        print(f"Statuses: {statuses}")

    # A room that you make yourself, for a test, needs its ID and all times. Or let the emulator make it.
    # Before: CommunicationRoom(valid_from=opens, valid_until=closes)
    room = CommunicationRoom(
        id="99445276259151407",
        created_at="2026-12-01T08:00:00Z",
        valid_from="2026-12-01T09:00:00Z",
        valid_until="2026-12-01T10:00:00Z",
        pstn_dial_out_enabled=False,
    )
    print(f"A room for a test: {room.id}")


def main() -> None:
    # An http:// endpoint in a connection string stays http; the released package turns it into https. There is no
    # azure.communication.rooms.aio: asyncio_rooms.py shows how to use this client from asyncio.
    with RoomsClient.from_connection_string(os.environ["COMMUNICATION_SAMPLES_CONNECTION_STRING"]) as client:
        unchanged(client)
        changed(client)


if __name__ == "__main__":
    main()
