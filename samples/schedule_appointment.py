"""Schedule an appointment: two users, a room for them, and the JSON with which their web clients join it.

The users and their tokens come from the package azure-communication-identity. The sample deletes nothing, so you can
join the room: the calling library for the web (@azure/communication-calling) takes the token and the room's ID.
"""

import json
from datetime import datetime, timedelta, timezone

from azure.communication.identity import (
    CommunicationIdentityClient,
    CommunicationTokenScope,
    CommunicationUserIdentifier,
)
from sample_resource import connection_string

from azure.communication.rooms import CommunicationRoom, ParticipantRole, RoomParticipant, RoomsClient


def schedule(client: RoomsClient, host_id: str, guest_id: str, starts: datetime) -> CommunicationRoom:
    """Create a room for an appointment of 30 minutes. It opens 10 minutes before."""
    return client.create_room(
        valid_from=starts - timedelta(minutes=10),
        valid_until=starts + timedelta(minutes=30),
        participants=[
            RoomParticipant(CommunicationUserIdentifier(host_id), ParticipantRole.PRESENTER),
            RoomParticipant(CommunicationUserIdentifier(guest_id), ParticipantRole.ATTENDEE),
        ],
    )


def invitation(identity: CommunicationIdentityClient, room_id: str, user_id: str) -> str:
    """Return what one participant needs to join. The token is a secret: never show it to anybody else."""
    user = CommunicationUserIdentifier(user_id)
    # A token is valid for at most 24 hours, so issue it when the participant opens your page.
    token = identity.get_token(user, [CommunicationTokenScope.VOIP], token_expires_in=timedelta(hours=2))
    return json.dumps(
        {"roomId": room_id, "userId": user_id, "token": token.token, "expiresOn": token.expires_on}, indent=2
    )


def main() -> None:
    resource = connection_string()
    identity = CommunicationIdentityClient.from_connection_string(resource)
    client = RoomsClient.from_connection_string(resource)

    # Create each of your users once, and store the ID with the user's account.
    host_id, guest_id = identity.create_user().raw_id, identity.create_user().raw_id
    room = schedule(client, host_id, guest_id, datetime.now(timezone.utc) + timedelta(minutes=5))

    print(invitation(identity, room.id, host_id))
    print(invitation(identity, room.id, guest_id))


if __name__ == "__main__":
    main()
