"""If an emulator is killed under load, its database keeps every room that a response has confirmed."""

import queue
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path
from uuid import uuid4

from azure.core.exceptions import AzureError

from azure.communication.rooms import CommunicationRoom, RoomsClient

from ..support.processes import emulator_process

ROUNDS = 4
THREADS = 4
RESPONSES_BEFORE_THE_KILL = 40


class Create:
    """A unique request to create a room, and the room in its response."""

    def __init__(self) -> None:
        self.headers = {
            "Repeatability-Request-ID": str(uuid4()),
            "Repeatability-First-Sent": format_datetime(datetime.now(timezone.utc), usegmt=True),
        }
        self.room: CommunicationRoom | None = None

    def send(self, client: RoomsClient) -> None:
        self.room = client.create_room(headers=self.headers)


@contextmanager
def process_and_client(database: Path) -> Iterator[tuple[subprocess.Popen[str], RoomsClient]]:
    """An emulator in its own process, and a client of it."""
    with emulator_process("--port=0", f"--log={database}.log", f"--database={database}") as process:
        assert process.stdout is not None
        with RoomsClient.from_connection_string(process.stdout.readline(), retry_total=0) as client:
            yield process, client


def test_kill_under_load(tmp_path: Path) -> None:
    creates: list[Create] = []

    def create_rooms_until_the_kill(client: RoomsClient, responses: "queue.Queue[Create]") -> None:
        for create in iter(Create, None):
            creates.append(create)
            try:
                create.send(client)
            except AzureError:
                return
            responses.put(create)

    for _ in range(ROUNDS):
        responses: queue.Queue[Create] = queue.Queue()
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
        found = {room.id: room for room in client.list_rooms()}
        confirmed = [create.room for create in creates if create.room]
        assert [found.get(room.id) for room in confirmed] == confirmed
        # Sending an interrupted request again creates one room, whether or not the first attempt was executed.
        interrupted = [create for create in creates if not create.room]
        assert len(interrupted) <= THREADS * ROUNDS
        for create in interrupted:
            create.send(client)
        assert len(list(client.list_rooms())) == len(creates)
