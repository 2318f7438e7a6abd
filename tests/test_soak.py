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

from .support.faults import FAULTS as COMMON_FAULTS

SECONDS = 40
THREADS = 32
REQUESTS_PER_FAULT = 20
READ_TIMEOUT = 1.5
ROLES = list(ParticipantRole)

Roles: TypeAlias = dict[str, ParticipantRole]  # by raw ID

FAULTS: dict[str, dict[str, Any]] = {
    **{name: kind.arguments for name, kind in COMMON_FAULTS.items()},
    "429, Retry-After 1": {"status": 429, "retry_after": 1},
    "POST dropped after": {"drop": "after", "method": "POST"},
    "DELETE dropped after": {"drop": "after", "method": "DELETE"},
    **{f"{method} executed late": {"delay": 2.0, "method": method} for method in ("GET", "POST", "DELETE")},
    # The status code prevents execution. A late PATCH would undo a newer one, and no client can prevent that.
    "PATCH responded late": {"delay": 2.0, "status": 503, "method": "PATCH"},
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
            if self._emulator and self.count % REQUESTS_PER_FAULT == 0:
                kind = next(self._kinds)
                self.faults[kind] += 1
                self._emulator.inject(**FAULTS[kind])


def participants_of(roles: Roles) -> list[RoomParticipant]:
    return [RoomParticipant(CommunicationUserIdentifier(raw_id), role) for raw_id, role in roles.items()]


def some_roles(rng: random.Random) -> Roles:
    return {f"8:acs:user-{number}": rng.choice(ROLES) for number in rng.sample(range(20), rng.randrange(10))}


def use_a_room(client: RoomsClient, rng: random.Random) -> tuple[CommunicationRoom, Roles] | None:
    """Create, use and perhaps delete a room. If it is not deleted, return its expected state."""
    valid_from = datetime.now(timezone.utc) + timedelta(seconds=rng.randrange(1_000_000))
    roles = some_roles(rng)
    room = client.create_room(valid_from=valid_from, participants=participants_of(roles))
    assert room.valid_from == valid_from
    assert client.get_room(room.id) == room

    for _ in range(2):
        valid_until = valid_from + timedelta(seconds=rng.randrange(10_000_000))
        flag = rng.choice([True, False])
        room = client.update_room(room.id, valid_from=valid_from, valid_until=valid_until, pstn_dial_out_enabled=flag)
        assert (room.valid_from, room.valid_until, room.pstn_dial_out_enabled) == (valid_from, valid_until, flag)

        changed = some_roles(rng)
        client.add_or_update_participants(room.id, participants_of(changed))
        roles |= changed
        removed = some_roles(rng)
        client.remove_participants(room.id, participants_of(removed))
        roles = {raw_id: role for raw_id, role in roles.items() if raw_id not in removed}
        assert list(client.list_participants(room.id)) == participants_of(roles)

    newest = [room.id for room in itertools.islice(client.list_rooms(), 50)]
    assert len(set(newest)) == len(newest)
    assert client.get_room(room.id) == room
    if rng.random() < 0.25:
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

        def use_rooms(seed: int) -> list[tuple[CommunicationRoom, Roles] | None]:
            rng = random.Random(seed)
            results = []
            while time.monotonic() < end:
                results.append(use_a_room(client, rng))
            return results

        with client, ThreadPoolExecutor(THREADS) as threads:
            results = [result for results in threads.map(use_rooms, range(THREADS)) for result in results]
            kept = [result for result in results if result is not None]
            found = list(client.list_rooms())
            found_participants = list(threads.map(lambda result: list(client.list_participants(result[0].id)), kept))

    print(
        f"\n{THREADS} threads, {SECONDS} s: {len(results)} rooms created, of which {len(kept)} were kept; "
        f"{calls.count} calls, {attempts.faults.total()} faults, {attempts.count - calls.count} retries"
    )
    print("\n".join(f"{number:6} {kind}" for kind, number in attempts.faults.items()))
    assert attempts.faults.keys() == FAULTS.keys()
    assert sorted(found, key=lambda room: room.id) == sorted((room for room, _ in kept), key=lambda room: room.id)
    assert found_participants == [participants_of(roles) for _, roles in kept]
