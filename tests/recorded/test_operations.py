"""Sequences of operations, replayed from recordings. A single exchange with the live service cannot show them."""

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.core.rest import HttpRequest

from azure.communication.rooms import CommunicationUserIdentifier, ParticipantRole, RoomParticipant, RoomsClient

from .scrubbing import ALICE, BOB

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]

ALICE_PRESENTS = RoomParticipant(CommunicationUserIdentifier(ALICE), ParticipantRole.PRESENTER)
BOB_ATTENDS = RoomParticipant(CommunicationUserIdentifier(BOB))
BOB_CONSUMES = RoomParticipant(CommunicationUserIdentifier(BOB), ParticipantRole.CONSUMER)


def test_room_life(client: RoomsClient) -> None:
    room = client.create_room(participants=[ALICE_PRESENTS])
    assert client.get_room(room.id) == room

    updated = client.update_room(room.id, pstn_dial_out_enabled=True)
    assert (updated.valid_from, updated.valid_until) == (room.valid_from, room.valid_until)
    assert updated.pstn_dial_out_enabled is True

    client.add_or_update_participants(room.id, [BOB_ATTENDS])
    assert list(client.list_participants(room.id)) == [ALICE_PRESENTS, BOB_ATTENDS]

    client.add_or_update_participants(room.id, [BOB_CONSUMES])
    client.remove_participants(room.id, [CommunicationUserIdentifier(ALICE)])
    assert list(client.list_participants(room.id)) == [BOB_CONSUMES]

    client.delete_room(room.id)
    with pytest.raises(ResourceNotFoundError):
        client.get_room(room.id)


def test_no_participants(client: RoomsClient) -> None:
    room = client.create_room()

    assert list(client.list_participants(room.id)) == []


def test_send_request(client: RoomsClient) -> None:
    room = client.create_room()

    response = client.send_request(HttpRequest("GET", f"/rooms/{room.id}?api-version=2024-04-15"))

    assert response.status_code == 200
    assert response.json().items() <= room.as_dict().items()  # a later version may have more members
