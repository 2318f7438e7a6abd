"""The emulator works with Microsoft's released client, installed into a separate environment."""

import pytest

from azure.communication.rooms.emulator import RoomsEmulator

from ..support.environments import Environment

PROGRAM = """
import sys
from datetime import datetime, timedelta, timezone

from azure.communication.rooms import CommunicationUserIdentifier, ParticipantRole, RoomParticipant, RoomsClient
from azure.core.exceptions import ResourceNotFoundError

client = RoomsClient.from_connection_string(sys.argv[1])
presenter, *consumers = map(CommunicationUserIdentifier, sys.argv[2:])
now = datetime.now(timezone.utc)
participant = RoomParticipant(communication_identifier=presenter, role=ParticipantRole.PRESENTER)
room = client.create_room(valid_from=now, valid_until=now + timedelta(days=1), participants=[participant])
assert client.get_room(room.id).id == room.id
assert client.update_room(room_id=room.id, valid_from=now, valid_until=now + timedelta(days=2)).id == room.id
participants = [RoomParticipant(communication_identifier=c, role=ParticipantRole.CONSUMER) for c in consumers]
client.add_or_update_participants(room_id=room.id, participants=participants)
client.remove_participants(room_id=room.id, participants=[presenter])
listed = list(client.list_participants(room.id))
assert [p.communication_identifier.raw_id for p in listed] == [c.raw_id for c in consumers]
ids = [client.create_room().id for _ in range(7)]
assert [listed.id for listed in client.list_rooms()] == [*ids[::-1], room.id]
client.delete_room(room.id)
try:
    client.get_room(room.id)
except ResourceNotFoundError as error:
    print(error.status_code, error.error.code)
"""


@pytest.mark.index
def test_every_operation(environment: Environment) -> None:
    environment.install("azure-communication-rooms==1.2.0")
    with RoomsEmulator(page_size=3, tls=True) as emulator:
        arguments = ["-c", PROGRAM, emulator.connection_string, *(emulator.create_user().raw_id for _ in range(8))]
        assert environment.python(*arguments, REQUESTS_CA_BUNDLE=emulator.ca_file) == "404 NotFound\n"
