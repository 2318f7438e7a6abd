"""If an emulator is killed under load, its database keeps every room that a response has confirmed."""

import itertools
import queue
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from uuid import uuid4

from azure.core.exceptions import AzureError

from azure.communication.rooms import CommunicationRoom, PhoneNumberIdentifier, RoomParticipant, RoomsClient

from ..support.processes import emulator_process

ROUNDS = 20
THREADS = 4
RESPONSES_BEFORE_THE_KILL = 40

NOW = datetime.now(timezone.utc)


class Create:
    """A unique request to create a room, and the room in its response."""

    def __init__(self, number: int) -> None:
        self.valid_from = NOW + timedelta(minutes=number, microseconds=number)
        self.pstn_dial_out_enabled = number % 2 == 0
        self.participants = [RoomParticipant(PhoneNumberIdentifier(f"+1425{number:07}"))]
        self.headers = {
            "Repeatability-Request-ID": str(uuid4()),
            "Repeatability-First-Sent": format_datetime(NOW, usegmt=True),
        }
        self.room: CommunicationRoom | None = None

    def send(self, client: RoomsClient) -> CommunicationRoom:
        self.room = client.create_room(
            valid_from=self.valid_from,
            pstn_dial_out_enabled=self.pstn_dial_out_enabled,
            participants=self.participants,
            headers=self.headers,
        )
        return self.room


@contextmanager
def process_and_client(database: Path) -> Iterator[tuple[subprocess.Popen[str], RoomsClient]]:
    """An emulator in its own process, and a client of it. Kills the process at the end if it is still running."""
    with emulator_process("--port=0", "--page-size=1000", f"--database={database}") as process:
        assert process.stdout is not None
        connection_string = process.stdout.readline()
        reader = threading.Thread(target=process.stdout.read)  # a full pipe would block the emulator
        reader.start()
        try:
            with RoomsClient.from_connection_string(connection_string, retry_total=0) as client:
                yield process, client
        finally:
            process.kill()
            reader.join()


def test_kill_under_load(tmp_path: Path) -> None:
    numbers = itertools.count()
    creates: list[Create] = []

    def create_rooms_until_the_kill(client: RoomsClient, responses: "queue.Queue[CommunicationRoom]") -> None:
        while True:
            create = Create(next(numbers))
            creates.append(create)
            try:
                responses.put(create.send(client))
            except AzureError:
                return

    for _ in range(ROUNDS):
        responses: queue.Queue[CommunicationRoom] = queue.Queue()
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
            confirmed = [create.room for create in creates if create.room is not None]
            assert [found.get(room.id) for room in confirmed] == confirmed
            # Sending an interrupted request again creates one room, whether or not the first attempt was executed.
            interrupted = [create for create in creates if create.room is None]
            assert len(interrupted) <= THREADS
            for create in interrupted:
                create.send(client)
            assert len(list(client.list_rooms())) == len(creates)

    with process_and_client(tmp_path / "rooms.db") as (_, client):
        for create in creates:
            assert create.room is not None
            assert create.room.valid_from == create.valid_from
            assert create.room.pstn_dial_out_enabled is create.pstn_dial_out_enabled
            assert client.get_room(create.room.id) == create.room
            assert list(client.list_participants(create.room.id)) == create.participants
