"""The database file: what survives, what is refused, and how emulators share it."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from azure.core.exceptions import AzureError, HttpResponseError

from azure.communication.rooms import RoomParticipant, UnknownIdentifier
from azure.communication.rooms.emulator import RoomsEmulator

from ..support.waiting import wait_for
from .calls import ALICE, new_client


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}


def execute(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def write_another_version(path: Path) -> None:
    RoomsEmulator(database=str(path)).start().stop()
    execute(path, "PRAGMA user_version = 1")


ANOTHER = "the file belongs to another program"
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "tables": (lambda path: execute(path, "CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('mine')"), ANOTHER),
    "no tables": (lambda path: execute(path, "PRAGMA user_version = 1"), ANOTHER),
    "same names": (lambda path: execute(path, "CREATE TABLE rooms (id)", "CREATE TABLE participants (id)"), ANOTHER),
    "another version": (write_another_version, "the file was written by an incompatible version"),
    "no database": (lambda path: path.write_bytes(b"This is a text." * 10), "file is not a database"),
}


def test_rooms_in_file_survive_restart(tmp_path: Path) -> None:
    (tmp_path / "rooms.db").touch()
    emulator = RoomsEmulator(database=str(tmp_path / "rooms.db"))
    with emulator:
        room = new_client(emulator).create_room(participants=[RoomParticipant(UnknownIdentifier(ALICE), "Consumer")])
    with emulator:
        client = new_client(emulator)
        assert client.get_room(room.id) == room
        assert [participant.role for participant in client.list_participants(room.id)] == ["Consumer"]


@pytest.mark.parametrize(("write", "message"), REFUSED.values(), ids=REFUSED)
def test_file_that_is_refused_is_unchanged(tmp_path: Path, write: Callable[[Path], object], message: str) -> None:
    path = tmp_path / "a.db"
    write(path)
    before = snapshot(tmp_path)
    with pytest.raises(sqlite3.DatabaseError, match=rf"the database .*a\.db cannot be opened: {message}"):
        RoomsEmulator(database=str(path)).start()
    assert snapshot(tmp_path) == before


def test_file_that_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path / "no" / "folder" / "rooms.db", tmp_path):
        with pytest.raises(sqlite3.OperationalError, match=f"the database {path} cannot be opened: unable to open"):
            RoomsEmulator(database=str(path)).start()


def test_requests_wait_for_other_writers(tmp_path: Path) -> None:
    path = tmp_path / "rooms.db"
    with RoomsEmulator(database=str(path)) as emulator, ThreadPoolExecutor() as executor:
        client = new_client(emulator)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        created = executor.submit(client.create_room)
        wait_for(lambda: emulator.requests)
        assert not created.done()
        other.execute("COMMIT")
        other.close()
        assert client.get_room(created.result().id)


def test_locked_file_blocks_neither_readers_nor_stop(tmp_path: Path) -> None:
    path = tmp_path / "rooms.db"
    with RoomsEmulator(database=str(path)) as emulator, ThreadPoolExecutor() as executor:
        client = new_client(emulator)
        room = client.create_room()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            deletion = executor.submit(client.delete_room, room.id)
            wait_for(lambda: emulator.requests[-1].method == "DELETE")
            assert client.get_room(room.id) == room
            assert not deletion.done()
            emulator.stop()
            assert isinstance(deletion.exception(), AzureError)


def test_locked_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure.communication.rooms.emulator._store._BUSY_TIMEOUT", 0.05)
    path = tmp_path / "rooms.db"
    with RoomsEmulator(database=str(path)) as emulator:
        client = new_client(emulator)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HttpResponseError, match=r"\(ServiceUnavailable\) The database failed: database is locked"):
            client.create_room()
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            emulator.reset()
        with pytest.raises(sqlite3.OperationalError, match="rooms.db cannot be opened: database is locked"):
            RoomsEmulator(database=str(path)).start()
        other.close()
        emulator.reset()
        assert client.create_room().id


def test_emulators_share_file(tmp_path: Path) -> None:
    database = str(tmp_path / "rooms.db")
    with RoomsEmulator(database=database) as one, RoomsEmulator(database=database) as other:
        clients = [new_client(one), new_client(other)]
        with ThreadPoolExecutor(8) as executor:
            ids = set(executor.map(lambda number: clients[number % 2].create_room().id, range(80)))
        assert all({room.id for room in client.list_rooms()} == ids for client in clients)
        assert len(ids) == 80


def test_emulators_create_the_same_file(tmp_path: Path) -> None:
    for number in range(3):
        database = str(tmp_path / f"{number}.db")
        with ThreadPoolExecutor(4) as executor:
            for emulator in executor.map(lambda _: RoomsEmulator(database=database).start(), range(4)):  # noqa: B023
                emulator.stop()
