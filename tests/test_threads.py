"""Many threads share one client while requests keep failing."""

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from azure.core.pipeline import PipelineRequest
from azure.core.rest import HttpRequest

from azure.communication.rooms import CommunicationRoom, ParticipantRole, RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .support.faults import FAULTS
from .support.operations import OPENS, USERS

THREADS, ROOMS, REQUESTS_PER_FAULT = 16, 8, 10


def some_participants(rng: random.Random) -> list[RoomParticipant]:
    return [RoomParticipant(user, rng.choice(list(ParticipantRole))) for user in rng.sample(USERS, rng.randrange(8))]


def use_a_room(client: RoomsClient, rng: random.Random) -> tuple[CommunicationRoom, list[RoomParticipant]] | None:
    """Create, use and perhaps delete a room. If it is not deleted, return its expected state."""
    invited, changed, removed = (some_participants(rng) for _ in range(3))
    closes, flag = OPENS + timedelta(seconds=rng.randrange(1_000_000)), rng.choice([True, False])
    room_id = client.create_room(valid_from=OPENS, participants=invited).id
    room = client.update_room(room_id, valid_from=OPENS, valid_until=closes, pstn_dial_out_enabled=flag)
    assert (room.valid_from, room.valid_until, room.pstn_dial_out_enabled) == (OPENS, closes, flag)
    client.add_or_update_participants(room_id, changed)
    client.remove_participants(room_id, removed)
    expected = {each.communication_identifier: each for each in invited + changed}
    for each in removed:
        expected.pop(each.communication_identifier, None)
    assert list(client.list_participants(room_id)) == list(expected.values())
    assert client.get_room(room_id) == room
    if rng.random() < 0.5:
        return room, list(expected.values())
    client.delete_room(room_id)
    return None


def test_load_and_faults(emulator: RoomsEmulator) -> None:
    attempts, faults = itertools.count(1), itertools.cycle(FAULTS.values())

    def inject_faults(request: PipelineRequest[HttpRequest]) -> None:
        if next(attempts) % REQUESTS_PER_FAULT == 0:
            emulator.inject(**next(faults).arguments)

    options: Any = dict.fromkeys(("retry_connect", "retry_read", "retry_status"), 10)
    options |= {"retry_backoff_factor": 0.01, "raw_request_hook": inject_faults}
    client = RoomsClient.from_connection_string(emulator.connection_string, **options)
    with ThreadPoolExecutor(THREADS) as threads:
        results = threads.map(lambda seed: use_a_room(client, random.Random(seed)), range(THREADS * ROOMS))
        kept = {result[0].id: result for result in results if result}
    assert {room.id: (room, list(client.list_participants(room.id))) for room in client.list_rooms()} == kept
    assert next(attempts) > 2 * REQUESTS_PER_FAULT * len(FAULTS)
