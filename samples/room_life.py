"""The lifecycle of a room: create, get, update, list and delete it."""

from datetime import datetime, timedelta, timezone

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from sample_resource import connection_string

from azure.communication.rooms import CommunicationUserIdentifier, ParticipantRole, RoomParticipant, RoomsClient

# Made-up IDs. The sample schedule_appointment.py shows how to create users.
RESOURCE = "8:acs:11111111-1111-4111-8111-111111111111"
DOCTOR = CommunicationUserIdentifier(f"{RESOURCE}_22222222-2222-4222-8222-222222222222")
PATIENT = CommunicationUserIdentifier(f"{RESOURCE}_33333333-3333-4333-8333-333333333333")


def main() -> None:
    client = RoomsClient.from_connection_string(connection_string())

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


if __name__ == "__main__":
    main()
