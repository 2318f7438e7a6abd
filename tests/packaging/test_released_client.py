"""The command runs Microsoft's released client in an environment of its own."""

import pytest

from ..support.environments import Environment, run
from ..support.processes import COMMAND

PROGRAM = """
from datetime import datetime, timedelta, timezone

from azure.communication.rooms import CommunicationUserIdentifier, ParticipantRole, RoomParticipant, RoomsClient
from azure.core.exceptions import ResourceNotFoundError

client = RoomsClient.from_connection_string("endpoint=https://contoso.communication.azure.com/;accesskey=a2V5")
user_id = "8:acs:5b0f2f2e-1111-4222-8333-944455556666_00000000-0000-4000-8000-00000000000"
presenter, *consumers = (CommunicationUserIdentifier(f"{user_id}{number}") for number in range(8))
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
    command = (*COMMAND, "--page-size=3", "--", environment.interpreter, "-c", PROGRAM)
    assert run(*command, cwd=environment.folder) == "404 NotFound\n"
