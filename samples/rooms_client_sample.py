"""The whole life of a room: every operation of the client, printing what it does.

It calls the resource in ``COMMUNICATION_SAMPLES_CONNECTION_STRING`` where that is set, and otherwise starts the
emulator by itself (``pip install -e ".[emulator]"``).
"""

import os
from datetime import datetime, timedelta, timezone

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from azure.communication.rooms import (
    CommunicationUserIdentifier,
    ParticipantRole,
    PhoneNumberIdentifier,
    RoomParticipant,
    RoomsClient,
)

# In a program of your own these come from CommunicationIdentityClient.create_user() of azure-communication-identity.
DOCTOR = CommunicationUserIdentifier("8:acs:11111111-1111-1111-1111-111111111111_doctor")
PATIENT = CommunicationUserIdentifier("8:acs:11111111-1111-1111-1111-111111111111_patient")
INTERPRETER = PhoneNumberIdentifier("+14255550123")


def whole_life_of_a_room(client: RoomsClient) -> None:
    """Create a room, read it, change it and who is in it, list, and delete it."""
    opens = datetime.now(timezone.utc) + timedelta(days=1)
    room = client.create_room(
        valid_from=opens,
        valid_until=opens + timedelta(hours=1),
        participants=[RoomParticipant(DOCTOR, ParticipantRole.PRESENTER), RoomParticipant(PATIENT)],
    )
    print(f"Created room {room.id}, open from {room.valid_from:%Y-%m-%d %H:%M} to {room.valid_until:%H:%M} UTC")

    room = client.get_room(room.id)
    print(f"Got it: created at {room.created_at:%H:%M:%S}, dial-out {room.pstn_dial_out_enabled}")

    room = client.update_room(room.id, valid_until=room.valid_until + timedelta(minutes=30), pstn_dial_out_enabled=True)
    print(f"Changed it: open until {room.valid_until:%H:%M}, dial-out {room.pstn_dial_out_enabled}")

    client.add_or_update_participants(
        room.id,
        [RoomParticipant(PATIENT, ParticipantRole.CONSUMER), RoomParticipant(INTERPRETER, ParticipantRole.ATTENDEE)],
    )
    print("Added a participant and changed the role of another:")
    for participant in client.list_participants(room.id):
        print(f"  {participant.communication_identifier.raw_id} as {participant.role}")

    client.remove_participants(room.id, [INTERPRETER])
    print(f"Removed one: {len(list(client.list_participants(room.id)))} are left")

    print(f"Listed the rooms: {sum(1 for _ in client.list_rooms())} valid, page by page")

    response = client.send_request(HttpRequest("GET", f"/rooms/{room.id}", params={"api-version": "2023-06-14"}))
    print(f"Sent a request of our own: {response.status_code}, members {', '.join(response.json())}")

    try:
        client.update_room(room.id, valid_until=opens + timedelta(days=200))
    except HttpResponseError as error:
        print(f"Refused, as it should be, with status {error.status_code}:", error, sep="\n")

    client.delete_room(room.id)
    try:
        client.get_room(room.id)
    except ResourceNotFoundError as error:
        print(f"Deleted it: {error.status_code} {error.reason}")


def main() -> None:
    """Find a resource, or be one."""
    connection_string = os.environ.get("COMMUNICATION_SAMPLES_CONNECTION_STRING")
    if connection_string:
        with RoomsClient.from_connection_string(connection_string) as client:
            whole_life_of_a_room(client)
        return

    from azure.communication.rooms.emulator import RoomsEmulator  # noqa: PLC0415 - not needed with a resource

    with RoomsEmulator() as emulator, RoomsClient.from_connection_string(emulator.connection_string) as client:
        print(f"Started the emulator at {emulator.endpoint}")
        whole_life_of_a_room(client)


if __name__ == "__main__":
    main()
