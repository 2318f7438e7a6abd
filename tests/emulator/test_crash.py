"""If an emulator is killed under load, its database keeps every room that a response has confirmed."""

import queue
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from uuid import UUID, uuid4

from azure.core.exceptions import AzureError

from azure.communication.rooms import CommunicationRoom, RoomsClient

from ..support.processes import emulator_process

ROUNDS = 3
THREADS = 4
RESPONSES_BEFORE_THE_KILL = 40
NOW = datetime.now(timezone.utc)


@contextmanager
def process_and_client(database: Path) -> Iterator[tuple[subprocess.Popen[str], RoomsClient]]:
    """An emulator in its own process, and a client of it."""
    with emulator_process("--port=0", f"--log={database}.log", f"--database={database}") as process:
        assert process.stdout is not None
        with RoomsClient.from_connection_string(process.stdout.readline(), retry_total=0) as client:
            yield process, client


def create(client: RoomsClient, request_id: UUID) -> CommunicationRoom:
    return client.create_room(repeatability_request_id=request_id, repeatability_first_sent=NOW)


def test_kill_under_load(tmp_path: Path) -> None:
    confirmed: dict[str, CommunicationRoom] = {}
    interrupted: list[UUID] = []

    def create_rooms_until_the_kill(client: RoomsClient, responses: "queue.Queue[str]") -> None:
        for request_id in iter(uuid4, None):
            try:
                room = create(client, request_id)
            except AzureError:
                interrupted.append(request_id)
                return
            confirmed[room.id] = room
            responses.put(room.id)

    for _ in range(ROUNDS):
        responses: queue.Queue[str] = queue.Queue()
        with process_and_client(tmp_path / "rooms.db") as (process, client), ThreadPoolExecutor(THREADS) as threads:
            try:
                loads = [threads.submit(create_rooms_until_the_kill, client, responses) for _ in range(THREADS)]
                for _ in range(RESPONSES_BEFORE_THE_KILL):
                    responses.get(timeout=30)
            finally:
                process.kill()
        for load in loads:
            load.result()

    with process_and_client(tmp_path / "rooms.db") as (_, client):
        assert confirmed.items() <= {room.id: room for room in client.list_rooms()}.items()
        # Sending an interrupted request again creates one room, whether or not the first attempt was executed.
        assert len(interrupted) == THREADS * ROUNDS
        for request_id in interrupted:
            create(client, request_id)
        assert len(list(client.list_rooms())) == len(confirmed) + len(interrupted)
