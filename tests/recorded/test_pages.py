"""Pages after the first one, replayed from a recording. The exchanges with the live service have only first pages."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from azure.communication.rooms import RoomsClient

from .conftest import CONNECTION_STRING_VARIABLE

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]


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
