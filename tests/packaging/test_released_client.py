"""The emulator works with Microsoft's released client, installed into a separate environment."""

import pytest

from azure.communication.rooms.emulator import RoomsEmulator

from ..support.certificates import Certificates
from ..support.environments import Environment

RELEASED = "azure-communication-rooms==1.2.0"
PROGRAM = """
import sys
from datetime import datetime, timedelta, timezone

from azure.communication.rooms import CommunicationUserIdentifier, ParticipantRole, RoomParticipant, RoomsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ResourceNotFoundError

if len(sys.argv) == 2:
    client = RoomsClient.from_connection_string(sys.argv[1])
else:
    client = RoomsClient(sys.argv[1], AzureKeyCredential(sys.argv[2]))
now = datetime.now(timezone.utc)
user, *others = (
    CommunicationUserIdentifier(f"8:acs:5b0f2f2e-1111-4222-8333-944455556666_00000000-0000-4000-8000-00000000000{digit}")
    for digit in range(8)
)
presenter = RoomParticipant(communication_identifier=user, role=ParticipantRole.PRESENTER)
room = client.create_room(valid_from=now, valid_until=now + timedelta(days=1), participants=[presenter])
assert client.get_room(room.id).id == room.id
later = now + timedelta(days=2)
assert client.update_room(room_id=room.id, valid_from=now, valid_until=later).id == room.id
client.add_or_update_participants(
    room_id=room.id,
    participants=[RoomParticipant(communication_identifier=p, role=ParticipantRole.CONSUMER) for p in others],
)
client.remove_participants(room_id=room.id, participants=[user])
listed = list(client.list_participants(room.id))
assert [p.communication_identifier.raw_id for p in listed] == [p.raw_id for p in others]
ids = [client.create_room().id for _ in range(7)]
assert [listed.id for listed in client.list_rooms()] == [*ids[::-1], room.id]
client.delete_room(room.id)
try:
    client.get_room(room.id)
except ResourceNotFoundError as error:
    print(error.status_code, error.error.code)
"""


@pytest.mark.index
def test_every_operation(environment: Environment, certificates: Certificates) -> None:
    environment.install(RELEASED)

    with RoomsEmulator(page_size=3) as emulator:
        key = emulator.connection_string.partition("accesskey=")[2]
        assert environment.python("-c", PROGRAM, emulator.endpoint, key) == "404 NotFound\n"
    with RoomsEmulator(page_size=3, certfile=certificates.certfile) as emulator:
        output = environment.python(
            "-c", PROGRAM, emulator.connection_string, REQUESTS_CA_BUNDLE=certificates.authority
        )
        assert output == "404 NotFound\n"
