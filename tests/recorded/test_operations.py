"""Sequences of operations, replayed from recordings. A single exchange with the live service cannot show them."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError

from azure.communication.rooms import CommunicationUserIdentifier, ParticipantRole, RoomParticipant, RoomsClient

from .conftest import CONNECTION_STRING_VARIABLE
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


@pytest.fixture(scope="module")
def three_pages_of_rooms(record_mode: str, connection_string: str) -> Iterator[None]:
    """Rooms to list. Their creation is not recorded. The emulator's pages hold three rooms, a resource's thirty."""
    if record_mode == "none":
        yield
        return
    with RoomsClient.from_connection_string(connection_string) as client:
        count = 61 if CONNECTION_STRING_VARIABLE in os.environ else 7
        room_ids = [client.create_room().id for _ in range(count)]
        yield
        for room_id in room_ids:
            client.delete_room(room_id)


@pytest.mark.usefixtures("three_pages_of_rooms")
def test_pages_of_rooms(client: RoomsClient) -> None:
    first_pages: Any = client.list_rooms().by_page()
    rooms = list(next(first_pages))
    other_pages = [list(page) for page in client.list_rooms().by_page(first_pages.continuation_token)]
    rooms += [room for page in other_pages for room in page]

    assert len(other_pages) >= 2
    assert len({room.id for room in rooms}) == len(rooms)
    seconds = [room.created_at.replace(microsecond=0) for room in rooms]
    assert seconds == sorted(seconds, reverse=True)
