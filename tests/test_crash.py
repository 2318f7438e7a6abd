"""An emulator with a file, killed under load, keeps what it answered."""

import itertools
import queue
import subprocess
import sys
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

ROUNDS = 20
THREADS = 4
ANSWERED_BEFORE_THE_KILL = 40

NOW = datetime.now(timezone.utc)


class Create:
    """A room that was asked for, different from all others, and what was answered."""

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
def emulator_process(database: Path) -> Iterator[tuple["subprocess.Popen[str]", RoomsClient]]:
    """An emulator of its own process and a client of it; the process ends by SIGKILL, here or before."""
    command = [sys.executable, "-m", "azure.communication.rooms.emulator", "--port", "0", "--page-size", "1000"]
    with subprocess.Popen([*command, "--database", str(database)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            connection_string = process.stdout.readline()
            reader = threading.Thread(target=process.stdout.read)  # it must not wait for someone to read its log
            reader.start()
            with RoomsClient.from_connection_string(connection_string, retry_total=0) as client:
                yield process, client
        finally:
            process.kill()
        reader.join()


def test_an_emulator_killed_under_load_keeps_every_room_whose_creation_was_answered(tmp_path: Path) -> None:
    numbers = itertools.count()
    asked: list[Create] = []

    def create_rooms_until_the_kill(client: RoomsClient, answered: "queue.Queue[CommunicationRoom]") -> None:
        while True:
            create = Create(next(numbers))
            asked.append(create)
            try:
                answered.put(create.send(client))
            except AzureError:
                return

    for _ in range(ROUNDS):
        answered: queue.Queue[CommunicationRoom] = queue.Queue()
        with emulator_process(tmp_path / "rooms.db") as (process, client), ThreadPoolExecutor(THREADS) as threads:
            try:
                loads = [threads.submit(create_rooms_until_the_kill, client, answered) for _ in range(THREADS)]
                for _ in range(ANSWERED_BEFORE_THE_KILL):
                    answered.get(timeout=30)
            finally:
                process.kill()
        for load in loads:
            load.result()

        with emulator_process(tmp_path / "rooms.db") as (_, client):
            found = {room.id: room for room in client.list_rooms()}
            answered_rooms = [create.room for create in asked if create.room is not None]
            assert [found.get(room.id) for room in answered_rooms] == answered_rooms
            # Whatever the kill interrupted is executed once, now or then, when it is sent again.
            interrupted = [create for create in asked if create.room is None]
            assert len(interrupted) <= THREADS
            for create in interrupted:
                create.send(client)
            assert len(list(client.list_rooms())) == len(asked)

    with emulator_process(tmp_path / "rooms.db") as (_, client):
        for create in asked:
            assert create.room is not None
            assert create.room.valid_from == create.valid_from
            assert create.room.pstn_dial_out_enabled is create.pstn_dial_out_enabled
            assert client.get_room(create.room.id) == create.room
            assert list(client.list_participants(create.room.id)) == create.participants
