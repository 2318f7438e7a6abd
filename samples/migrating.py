"""Move a program from Microsoft's package ``azure-communication-rooms`` 1.0 to 1.2 to this one.

Most programs need no change. The function ``unchanged`` works with both packages. ``changed`` shows what works
differently in this package, and what to write instead.
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
    from azure.communication.rooms import identifier_from_raw_id  # noqa: PLC0415 - next to the old form

    carol = RoomParticipant(identifier_from_raw_id("8:acs:11111111-1111-1111-1111-111111111111_carol"))
    room = client.create_room(participants=[carol])

    # A room's times are datetimes with a time zone; as_dict() returns the service's strings. Arguments can be either.
    # Before: remaining = isodate.parse_datetime(room.valid_until) - now
    remaining = room.valid_until - datetime.now(timezone.utc)
    print(f"Open for {round(remaining / timedelta(days=1))} days, until {room.as_dict()['validUntil']}")

    # A room's attributes are read-only. Setting them never changed the room in the service.
    # Before: room.pstn_dial_out_enabled = True
    room = client.update_room(room.id, pstn_dial_out_enabled=True)

    # A room ID is a str.
    # Before: client.get_room(99445276259151407)
    number = int(room.id)
    client.get_room(str(number))

    # There are no options cls, error_map and content_type. Use a hook to get the response, and an except clause to
    # convert an error. The client sets the content type.
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

    # To construct a room in a test, pass its ID and all its times. Or let the emulator create it.
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
    # This package uses http if the connection string has an http:// endpoint; Microsoft's changes it to https. There is
    # no azure.communication.rooms.aio: asyncio_rooms.py shows how to use this client from asyncio.
    with RoomsClient.from_connection_string(os.environ["COMMUNICATION_SAMPLES_CONNECTION_STRING"]) as client:
        unchanged(client)
        changed(client)


if __name__ == "__main__":
    main()
