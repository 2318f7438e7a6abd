"""A listing of rooms over three pages, replayed from a recording."""

import os
from typing import Any

import pytest

from azure.communication.rooms import RoomsClient

from .scrubbing import CONNECTION_STRING_VARIABLE

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]


@pytest.fixture(scope="module", autouse=True)
def _three_pages_of_rooms(record_mode: str, connection_string: str, created: list[str]) -> None:
    """Rooms to list. Their creation is not recorded. The emulator's pages hold three rooms, a resource's thirty."""
    if record_mode != "none":
        with RoomsClient.from_connection_string(connection_string) as client:
            count = 61 if CONNECTION_STRING_VARIABLE in os.environ else 7
            created.extend(client.create_room().id for _ in range(count))


def test_three_pages_newest_first(client: RoomsClient) -> None:
    pages = [list(page) for page in client.list_rooms().by_page()]

    rooms = [room for page in pages for room in page]
    assert len(pages) >= 3
    assert all(pages[:3])
    assert len({room.id for room in rooms}) == len(rooms)
    seconds = [room.created_at.replace(microsecond=0) for room in rooms]
    assert seconds == sorted(seconds, reverse=True)


def test_continuation_token(client: RoomsClient) -> None:
    pages: Any = client.list_rooms().by_page()
    first_page = list(next(pages))

    second_page, *_ = [list(page) for page in client.list_rooms().by_page(pages.continuation_token)]

    assert second_page
    assert not {room.id for room in second_page} & {room.id for room in first_page}
