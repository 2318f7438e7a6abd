"""Many threads share one client while requests keep failing: ``pytest -m soak -s tests/test_soak.py``."""

import itertools
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import (
    CommunicationRoom,
    CommunicationUserIdentifier,
    ParticipantRole,
    RoomParticipant,
    RoomsClient,
)
from azure.communication.rooms.emulator import RoomsEmulator

SECONDS = 40
THREADS = 32
ONE_FAULT_IN = 20  # requests
READ_TIMEOUT = 1.5
ROLES = list(ParticipantRole)

Roles: TypeAlias = dict[str, ParticipantRole]  # by raw ID

FAULTS: dict[str, dict[str, Any]] = {
    **{str(status): {"status": status} for status in (408, 429, 500, 502, 503, 504)},
    "429, Retry-After 0": {"status": 429, "retry_after": 0},
    "429, Retry-After 1": {"status": 429, "retry_after": 1},
    "503, Retry-After a date": {"status": 503, "retry_after": "Thu, 01 Jan 1970 00:00:00 GMT"},
    "503, HTML": {"status": 503, "body": b"<html>Our services aren't available right now</html>"},
    "dropped before": {"drop": "before"},
    "dropped after": {"drop": "after"},
    "POST dropped after": {"drop": "after", "method": "POST"},
    "DELETE dropped after": {"drop": "after", "method": "DELETE"},
    "truncated": {"truncate": True},
    **{f"{method} executed too late": {"delay": 2.0, "method": method} for method in ("GET", "POST", "DELETE")},
    # Not executed: a late PATCH would undo a later one, which no client of this service can prevent.
    "PATCH responded too late": {"delay": 2.0, "status": 503, "method": "PATCH"},
}


class Requests(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Counts the requests. If it has an emulator, it makes some of them fail."""

    def __init__(self, emulator: RoomsEmulator | None = None) -> None:
        self._emulator = emulator
        self._kinds = itertools.cycle(FAULTS)
        self._lock = threading.Lock()
        self.count = 0
        self.faults: Counter[str] = Counter()

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        with self._lock:
            self.count += 1
            if self._emulator and self.count % ONE_FAULT_IN == 0:
                kind = next(self._kinds)
                self.faults[kind] += 1
                self._emulator.inject(**FAULTS[kind])


def participants_of(roles: Roles) -> list[RoomParticipant]:
    return [RoomParticipant(CommunicationUserIdentifier(raw_id), role) for raw_id, role in roles.items()]


def some_roles(chance: random.Random) -> Roles:
    return {f"8:acs:user-{number}": chance.choice(ROLES) for number in chance.sample(range(20), chance.randrange(10))}


def one_life_of_a_room(client: RoomsClient, chance: random.Random) -> tuple[CommunicationRoom, Roles] | None:
    """Create, use and perhaps delete a room. Return what should be left of it."""
    valid_from = datetime.now(timezone.utc) + timedelta(seconds=chance.randrange(1_000_000))
    roles = some_roles(chance)
    room = client.create_room(valid_from=valid_from, participants=participants_of(roles))
    assert room.valid_from == valid_from
    assert client.get_room(room.id) == room

    for _ in range(2):
        valid_until = valid_from + timedelta(seconds=chance.randrange(10_000_000))
        flag = chance.choice([True, False])
        room = client.update_room(room.id, valid_from=valid_from, valid_until=valid_until, pstn_dial_out_enabled=flag)
        assert (room.valid_from, room.valid_until, room.pstn_dial_out_enabled) == (valid_from, valid_until, flag)

        changed = some_roles(chance)
        client.add_or_update_participants(room.id, participants_of(changed))
        roles |= changed
        removed = some_roles(chance)
        client.remove_participants(room.id, participants_of(removed))
        roles = {raw_id: role for raw_id, role in roles.items() if raw_id not in removed}
        assert list(client.list_participants(room.id)) == participants_of(roles)

    newest = [room.id for room in itertools.islice(client.list_rooms(), 50)]
    assert len(set(newest)) == len(newest)
    assert client.get_room(room.id) == room
    if chance.random() < 0.25:
        return room, roles

    client.delete_room(room.id)
    with pytest.raises(ResourceNotFoundError):
        client.get_room(room.id)
    return None


@pytest.mark.soak
def test_load_and_faults() -> None:
    with RoomsEmulator() as emulator:
        calls, attempts = Requests(), Requests(emulator)
        client = RoomsClient.from_connection_string(
            emulator.connection_string,
            read_timeout=READ_TIMEOUT,
            retry_backoff_factor=0.01,
            retry_connect=10,
            retry_read=10,
            retry_status=10,
            per_call_policies=[calls],
            per_retry_policies=[attempts],
        )
        end = time.monotonic() + SECONDS

        def live(seed: int) -> list[tuple[CommunicationRoom, Roles] | None]:
            chance = random.Random(seed)
            lives = []
            while time.monotonic() < end:
                lives.append(one_life_of_a_room(client, chance))
            return lives

        with client, ThreadPoolExecutor(THREADS) as threads:
            lives = [life for lives in threads.map(live, range(THREADS)) for life in lives]
            kept = [life for life in lives if life is not None]
            found = list(client.list_rooms())
            found_participants = list(threads.map(lambda life: list(client.list_participants(life[0].id)), kept))

    print(
        f"\n{THREADS} threads, {SECONDS} s: {len(lives)} rooms created, of which {len(kept)} were kept; "
        f"{calls.count} calls, {attempts.faults.total()} faults, {attempts.count - calls.count} retries"
    )
    print("\n".join(f"{number:6} {kind}" for kind, number in attempts.faults.items()))
    assert attempts.faults.keys() == FAULTS.keys()
    assert sorted(found, key=lambda room: room.id) == sorted((room for room, _ in kept), key=lambda room: room.id)
    assert found_participants == [participants_of(roles) for _, roles in kept]
