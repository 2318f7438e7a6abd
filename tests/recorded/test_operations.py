"""Each operation, and a whole room life, replayed from recordings."""

from datetime import datetime, timedelta, timezone

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.core.rest import HttpRequest

from azure.communication.rooms import (
    ApiVersion,
    CommunicationUserIdentifier,
    ParticipantRole,
    PhoneNumberIdentifier,
    RoomParticipant,
    RoomsClient,
)

from .scrubbing import ALICE, BOB, PHONE

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]

VALID_FROM = datetime(2100, 1, 1, 9, tzinfo=timezone.utc)
VALID_UNTIL = datetime(2100, 1, 1, 10, 30, 0, 250000, tzinfo=timezone.utc)
ALICE_PRESENTS = RoomParticipant(CommunicationUserIdentifier(ALICE), ParticipantRole.PRESENTER)
BOB_ATTENDS = RoomParticipant(CommunicationUserIdentifier(BOB))


def test_create_room_with_all_arguments(client: RoomsClient) -> None:
    room = client.create_room(
        valid_from=VALID_FROM,
        valid_until=VALID_UNTIL,
        pstn_dial_out_enabled=True,
        participants=[ALICE_PRESENTS, RoomParticipant(PhoneNumberIdentifier(PHONE.removeprefix("4:")))],
    )

    assert (room.valid_from, room.valid_until) == (VALID_FROM, VALID_UNTIL)
    assert room.pstn_dial_out_enabled is True


def test_create_room_without_arguments(client: RoomsClient) -> None:
    room = client.create_room()

    assert room.valid_until - room.valid_from == timedelta(days=180)
    assert abs(room.valid_from - room.created_at) < timedelta(minutes=5)
    assert room.pstn_dial_out_enabled is False


def test_create_room_in_the_first_api_version(connection_string: str, created: list[str]) -> None:
    with RoomsClient.from_connection_string(connection_string, api_version=ApiVersion.V2023_06_14) as client:
        room = client.create_room(valid_from=VALID_FROM, valid_until=VALID_UNTIL)
        created.append(room.id)

    assert room.pstn_dial_out_enabled is None


def test_get_room(client: RoomsClient) -> None:
    room = client.create_room(valid_from=VALID_FROM, valid_until=VALID_UNTIL)

    assert client.get_room(room.id) == room


def test_update_room(client: RoomsClient) -> None:
    room = client.create_room(valid_from=VALID_FROM, valid_until=VALID_UNTIL)
    later = VALID_UNTIL + timedelta(days=1)

    updated = client.update_room(room.id, valid_until=later, pstn_dial_out_enabled=True)

    assert (updated.id, updated.valid_from, updated.valid_until) == (room.id, VALID_FROM, later)
    assert updated.pstn_dial_out_enabled is True


def test_delete_room(client: RoomsClient) -> None:
    room = client.create_room(valid_from=VALID_FROM, valid_until=VALID_UNTIL)

    client.delete_room(room.id)

    with pytest.raises(ResourceNotFoundError):
        client.get_room(room.id)


def test_add_or_update_participants(client: RoomsClient) -> None:
    room = client.create_room(valid_from=VALID_FROM, valid_until=VALID_UNTIL, participants=[ALICE_PRESENTS])

    alice_collaborates = RoomParticipant(CommunicationUserIdentifier(ALICE), ParticipantRole.COLLABORATOR)
    client.add_or_update_participants(room.id, [alice_collaborates, BOB_ATTENDS])

    assert list(client.list_participants(room.id)) == [alice_collaborates, BOB_ATTENDS]


def test_remove_participants(client: RoomsClient) -> None:
    room = client.create_room(
        valid_from=VALID_FROM, valid_until=VALID_UNTIL, participants=[ALICE_PRESENTS, BOB_ATTENDS]
    )

    client.remove_participants(room.id, [ALICE_PRESENTS, PhoneNumberIdentifier("+14255550123")])

    assert list(client.list_participants(room.id)) == [BOB_ATTENDS]


def test_list_participants_of_an_empty_room(client: RoomsClient) -> None:
    room = client.create_room(valid_from=VALID_FROM, valid_until=VALID_UNTIL)

    assert list(client.list_participants(room.id)) == []


def test_send_request(client: RoomsClient) -> None:
    room = client.create_room(valid_from=VALID_FROM, valid_until=VALID_UNTIL)

    response = client.send_request(HttpRequest("GET", f"/rooms/{room.id}?api-version=2024-04-15"))

    assert response.status_code == 200
    assert response.json() == room.as_dict()


def test_a_whole_room_life(client: RoomsClient) -> None:
    room = client.create_room(valid_from=VALID_FROM, valid_until=VALID_UNTIL, participants=[ALICE_PRESENTS])
    assert client.get_room(room.id) == room

    updated = client.update_room(room.id, valid_from=VALID_FROM + timedelta(minutes=15))
    assert updated.valid_from == VALID_FROM + timedelta(minutes=15)
    assert updated.valid_until == VALID_UNTIL

    client.add_or_update_participants(room.id, [BOB_ATTENDS])
    assert list(client.list_participants(room.id)) == [ALICE_PRESENTS, BOB_ATTENDS]

    bob_consumes = RoomParticipant(CommunicationUserIdentifier(BOB), ParticipantRole.CONSUMER)
    client.add_or_update_participants(room.id, [bob_consumes])
    client.remove_participants(room.id, [CommunicationUserIdentifier(ALICE)])
    assert list(client.list_participants(room.id)) == [bob_consumes]

    client.delete_room(room.id)
    with pytest.raises(ResourceNotFoundError):
        client.list_participants(room.id).next()
