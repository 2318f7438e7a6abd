from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator


def test_advance_moves_room_clock(emulator: RoomsEmulator, client: RoomsClient) -> None:
    first = client.create_room()
    emulator.advance(timedelta(days=10))
    emulator.advance(timedelta(hours=1))
    second = client.create_room()
    apart = second.created_at - first.created_at
    assert timedelta(days=10, hours=1) <= apart < timedelta(days=10, hours=2)
    with pytest.raises(HttpResponseError, match=r"The time range end is in the past\."):
        client.create_room(valid_until=datetime.now(timezone.utc) + timedelta(days=9))
    client.create_room(valid_until=datetime.now(timezone.utc) + timedelta(days=185))


def test_reset_restores_clock(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.advance(timedelta(days=1000))
    emulator.reset()
    assert client.create_room().created_at < datetime.now(timezone.utc) + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("delta", "message"),
    [
        (timedelta(seconds=-1), "the clock can only move forward, not by -1 day"),
        (3, "delta must be a timedelta, not int"),
        (timedelta(days=366 * 9000), "the clock cannot move past the year 9998"),
    ],
)
def test_impossible_advances(emulator: RoomsEmulator, delta: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        emulator.advance(delta)


def test_largest_possible_advance(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.advance(datetime(9998, 12, 31, tzinfo=timezone.utc) - datetime.now(timezone.utc))
    assert client.create_room().valid_until.year == 9999
