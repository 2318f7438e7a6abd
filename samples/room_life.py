"""The lifecycle of a room: create, get, update, list and delete it.

The program calls the resource in ``COMMUNICATION_SAMPLES_CONNECTION_STRING``. Without that variable, it starts an
emulator, which needs ``pip install -e ".[emulator]"``.
"""

import os
from datetime import datetime, timedelta, timezone

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from azure.communication.rooms import CommunicationUserIdentifier, ParticipantRole, RoomParticipant, RoomsClient

# In your program, these come from CommunicationIdentityClient.create_user() of azure-communication-identity.
DOCTOR = CommunicationUserIdentifier("8:acs:11111111-1111-1111-1111-111111111111_doctor")
PATIENT = CommunicationUserIdentifier("8:acs:11111111-1111-1111-1111-111111111111_patient")


def room_life(client: RoomsClient) -> None:
    opens = datetime.now(timezone.utc) + timedelta(days=1)
    room = client.create_room(
        valid_from=opens,
        valid_until=opens + timedelta(hours=1),
        participants=[RoomParticipant(DOCTOR, ParticipantRole.PRESENTER), RoomParticipant(PATIENT)],
    )
    print(f"Created room {room.id}, open from {room.valid_from:%Y-%m-%d %H:%M} to {room.valid_until:%H:%M} UTC")

    room = client.get_room(room.id)
    print(f"Got it: created at {room.created_at:%H:%M:%S}, dial-out {room.pstn_dial_out_enabled}")

    # The service requires both times or neither.
    room = client.update_room(
        room.id,
        valid_from=room.valid_from,
        valid_until=room.valid_until + timedelta(minutes=30),
        pstn_dial_out_enabled=True,
    )
    print(f"Updated it: open until {room.valid_until:%H:%M}, dial-out {room.pstn_dial_out_enabled}")

    try:
        client.update_room(room.id, valid_from=opens, valid_until=opens + timedelta(days=200))
    except HttpResponseError as error:
        print(f"The service refused a range of 200 days, with status {error.status_code}:")
        print(error.message.splitlines()[0])

    print(f"Listed {sum(1 for _ in client.list_rooms())} room(s), page by page")

    client.delete_room(room.id)
    try:
        client.get_room(room.id)
    except ResourceNotFoundError as error:
        print(f"Deleted it: {error.status_code} {error.reason}")


def main() -> None:
    connection_string = os.environ.get("COMMUNICATION_SAMPLES_CONNECTION_STRING")
    if connection_string:
        with RoomsClient.from_connection_string(connection_string) as client:
            room_life(client)
        return

    from azure.communication.rooms.emulator import RoomsEmulator  # noqa: PLC0415 - not needed with a resource

    with RoomsEmulator() as emulator, RoomsClient.from_connection_string(emulator.connection_string) as client:
        print(f"Started the emulator at {emulator.endpoint}")
        room_life(client)


if __name__ == "__main__":
    main()
