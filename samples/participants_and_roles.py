"""Invite participants, change their roles, list them and remove them.

The users come from the package azure-communication-identity.
"""

from azure.communication.identity import CommunicationIdentityClient
from sample_resource import connection_string

from azure.communication.rooms import ParticipantRole, RoomParticipant, RoomsClient, identifier_from_raw_id


def main() -> None:
    resource = connection_string()
    identity = CommunicationIdentityClient.from_connection_string(resource)
    client = RoomsClient.from_connection_string(resource)

    teacher, pupil, parent = identity.create_user(), identity.create_user(), identity.create_user()
    names = {teacher.raw_id: "teacher", pupil.raw_id: "pupil", parent.raw_id: "parent"}

    # A presenter may share and mute; an attendee, the default, may speak; a consumer only watches.
    room = client.create_room(
        participants=[RoomParticipant(teacher, ParticipantRole.PRESENTER), RoomParticipant(pupil)],
    )

    def show(title: str) -> None:
        print(title)
        for participant in client.list_participants(room.id):
            print(f"  {names[participant.communication_identifier.raw_id]} as {participant.role}")

    show("Invited two:")

    # This adds new participants, and changes the roles of existing ones.
    client.add_or_update_participants(
        room.id,
        [RoomParticipant(parent, ParticipantRole.CONSUMER), RoomParticipant(pupil, ParticipantRole.COLLABORATOR)],
    )
    show("Added one and changed one:")

    # Store raw IDs in your database. This turns them into identifiers again.
    client.remove_participants(room.id, [identifier_from_raw_id(parent.raw_id)])
    # You can also pass listed participants. Removing somebody who is not in the room is not an error.
    attendees = [each for each in client.list_participants(room.id) if each.role != ParticipantRole.PRESENTER]
    client.remove_participants(room.id, attendees)
    show("Removed all but the presenter:")

    client.delete_room(room.id)
    for user in (teacher, pupil, parent):
        identity.delete_user(user)


if __name__ == "__main__":
    main()
