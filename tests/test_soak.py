"""Many threads share one client while requests keep failing: ``pytest -m soak tests/test_soak.py``."""

import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import CommunicationRoom, ParticipantRole, RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .support.faults import FAULTS as COMMON_FAULTS

SECONDS, THREADS, REQUESTS_PER_FAULT = 30, 32, 20
RESOURCE = "8:acs:5a6f7c1e-8c0a-4a53-9f0e-2f7a1d3b9c10"

Roles: TypeAlias = dict[str, str]  # by raw ID

FAULTS: list[dict[str, Any]] = [
    *(kind.arguments for kind in COMMON_FAULTS.values()),
    {"drop": "after", "method": "POST"},
    {"drop": "after", "method": "DELETE"},
    *({"delay": 2.0, "method": method} for method in ("GET", "POST", "DELETE")),  # executed after the read timeout
    # The status code prevents execution. A late PATCH would undo a newer one, and no client can prevent that.
    {"delay": 2.0, "status": 503, "method": "PATCH"},
]


class InjectFaultsPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    def __init__(self, emulator: RoomsEmulator) -> None:
        self._emulator = emulator
        self._faults = itertools.cycle(FAULTS)
        self._lock = threading.Lock()
        self.attempts = 0

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        with self._lock:
            self.attempts += 1
            if self.attempts % REQUESTS_PER_FAULT == 0:
                self._emulator.inject(**next(self._faults))


def participants_of(roles: Roles) -> list[RoomParticipant]:
    return [RoomParticipant({"rawId": raw_id, "role": role}) for raw_id, role in roles.items()]


def some_roles(rng: random.Random) -> Roles:
    numbers = rng.sample(range(20), rng.randrange(10))
    return {f"{RESOURCE}_6b0d1e2f-3a4b-4c5d-8e6f-{n:012}": rng.choice(list(ParticipantRole)).value for n in numbers}


def use_a_room(client: RoomsClient, rng: random.Random) -> tuple[CommunicationRoom, Roles] | None:
    """Create, use and perhaps delete a room. If it is not deleted, return its expected state."""
    opens = datetime.now(timezone.utc) + timedelta(seconds=rng.randrange(1_000_000))
    roles = some_roles(rng)
    room = client.create_room(valid_from=opens, participants=participants_of(roles))
    for _ in range(2):
        closes, flag = opens + timedelta(seconds=rng.randrange(10_000_000)), rng.choice([True, False])
        room = client.update_room(room.id, valid_from=opens, valid_until=closes, pstn_dial_out_enabled=flag)
        assert (room.valid_from, room.valid_until, room.pstn_dial_out_enabled) == (opens, closes, flag)
        changed, removed = some_roles(rng), some_roles(rng)
        client.add_or_update_participants(room.id, participants_of(changed))
        client.remove_participants(room.id, participants_of(removed))
        roles = {raw_id: role for raw_id, role in {**roles, **changed}.items() if raw_id not in removed}
        assert list(client.list_participants(room.id)) == participants_of(roles)
    assert client.get_room(room.id) == room
    if rng.random() < 0.25:
        return room, roles
    client.delete_room(room.id)
    with pytest.raises(ResourceNotFoundError):
        client.get_room(room.id)
    return None


@pytest.mark.soak
def test_load_and_faults() -> None:
    end = time.monotonic() + SECONDS
    retries: Any = dict.fromkeys(("retry_connect", "retry_read", "retry_status"), 10)
    with RoomsEmulator() as emulator, ThreadPoolExecutor(THREADS) as threads:
        policy = InjectFaultsPolicy(emulator)
        options: Any = {"read_timeout": 1.5, "retry_backoff_factor": 0.01, "per_retry_policies": policy, **retries}
        client = RoomsClient.from_connection_string(emulator.connection_string, **options)

        def use_rooms(seed: int) -> list[tuple[CommunicationRoom, Roles] | None]:
            rng = random.Random(seed)
            return [use_a_room(client, rng) for _ in iter(lambda: time.monotonic() < end, False)]

        results = filter(None, itertools.chain.from_iterable(threads.map(use_rooms, range(THREADS))))
        kept = {room.id: (room, participants_of(roles)) for room, roles in results}
        found = threads.map(lambda room: (room, list(client.list_participants(room.id))), client.list_rooms())
        assert {room.id: (room, participants) for room, participants in found} == kept
    assert policy.attempts > REQUESTS_PER_FAULT * len(FAULTS)
