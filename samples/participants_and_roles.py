"""Invite participants, change their roles, list them and remove them."""

import os

from azure.communication.rooms import (
    CommunicationUserIdentifier,
    ParticipantRole,
    PhoneNumberIdentifier,
    RoomParticipant,
    RoomsClient,
    identifier_from_raw_id,
)

# In your program, these come from CommunicationIdentityClient.create_user() of azure-communication-identity. You can
# pass its identifiers to this package.
TEACHER = CommunicationUserIdentifier("8:acs:11111111-1111-1111-1111-111111111111_teacher")
PUPIL = identifier_from_raw_id("8:acs:11111111-1111-1111-1111-111111111111_pupil")  # for example, from your database
PARENT = PhoneNumberIdentifier("+14255550123")


def show(client: RoomsClient, room_id: str) -> None:
    for participant in client.list_participants(room_id):
        print(f"  {participant.communication_identifier.raw_id} as {participant.role}")


def main() -> None:
    with RoomsClient.from_connection_string(os.environ["COMMUNICATION_SAMPLES_CONNECTION_STRING"]) as client:
        room = client.create_room(
            participants=[RoomParticipant(TEACHER, ParticipantRole.PRESENTER), RoomParticipant(PUPIL)],
            pstn_dial_out_enabled=True,  # lets participants call phones from the room
        )
        print("A presenter may share and mute; an attendee, the default, may speak; a consumer only watches:")
        show(client, room.id)

        # This adds new participants, and changes the roles of existing ones.
        client.add_or_update_participants(
            room.id,
            [RoomParticipant(PARENT, ParticipantRole.CONSUMER), RoomParticipant(PUPIL, ParticipantRole.COLLABORATOR)],
        )
        print("After an update:")
        show(client, room.id)

        # Pass identifiers or listed participants. Removing someone who is not in the room is not an error.
        client.remove_participants(room.id, [PARENT])
        client.remove_participants(room.id, list(client.list_participants(room.id))[:1])
        print("After removing two:")
        show(client, room.id)

        client.delete_room(room.id)


if __name__ == "__main__":
    main()
