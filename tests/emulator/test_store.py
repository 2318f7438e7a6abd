import os
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from azure.communication.rooms import RoomParticipant, RoomsClient, UnknownIdentifier
from azure.communication.rooms.emulator import RoomsEmulator, _store
from azure.communication.rooms.emulator._store import Store

from ..support.waiting import wait_for
from .calls import ALICE, new_client

STATEMENTS = {
    "rollback journal": ("CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('mine')"),
    "write-ahead log": ("PRAGMA journal_mode = WAL", "CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('mine')"),
    "no tables": ("PRAGMA user_version = 1",),
    "tables of the same names": ("CREATE TABLE rooms (id)", "CREATE TABLE participants (id)"),
}


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}


def test_rooms_in_file_survive_restart(tmp_path: Path) -> None:
    emulator = RoomsEmulator(database=str(tmp_path / "rooms.db"))
    with emulator:
        client = new_client(emulator)
        room = client.create_room(participants=[RoomParticipant(UnknownIdentifier("8:acs:r_u"), "Consumer")])
    with emulator:
        client = new_client(emulator)
        assert client.get_room(room.id) == room
        assert [participant.role for participant in client.list_participants(room.id)] == ["Consumer"]


def test_file_has_id_and_version(tmp_path: Path) -> None:
    path = tmp_path / "rooms.db"
    with RoomsEmulator(database=str(path)):
        pass
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA application_id").fetchone() == (_store._APPLICATION_ID,)
    assert connection.execute("PRAGMA user_version").fetchone() == (_store._SCHEMA_VERSION,)
    connection.close()


def test_empty_file_is_used(tmp_path: Path) -> None:
    path = tmp_path / "rooms.db"
    path.touch()
    with RoomsEmulator(database=str(path)) as emulator:
        assert new_client(emulator).create_room().id
    assert path.stat().st_size > 0


@pytest.mark.parametrize("statements", STATEMENTS.values(), ids=STATEMENTS)
def test_foreign_database_is_unchanged(tmp_path: Path, statements: tuple[str, ...]) -> None:
    path = tmp_path / "notes.db"
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()
    before = snapshot(tmp_path)
    with pytest.raises(sqlite3.DatabaseError, match="the file belongs to another program"):
        RoomsEmulator(database=str(path)).start()
    assert snapshot(tmp_path) == before


def test_foreign_database_in_use(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in STATEMENTS["write-ahead log"]:
        connection.execute(statement)
    before = snapshot(tmp_path)
    assert len(before) == 3  # includes the write-ahead log and its index
    with pytest.raises(sqlite3.DatabaseError, match="the file belongs to another program"):
        RoomsEmulator(database=str(path)).start()
    assert snapshot(tmp_path) == before
    connection.close()


def test_incompatible_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rooms.db"
    with monkeypatch.context() as patch:
        patch.setattr(_store, "_SCHEMA_VERSION", 1)
        with RoomsEmulator(database=str(path)) as emulator:
            new_client(emulator).create_room()
    before = snapshot(tmp_path)
    with pytest.raises(sqlite3.DatabaseError, match="written by an incompatible version of the emulator"):
        RoomsEmulator(database=str(path)).start()
    assert snapshot(tmp_path) == before


def test_new_column_changes_version() -> None:
    program = (
        "import azure.communication.rooms.emulator._store as store; version = store._SCHEMA_VERSION\n"
        "flag = 'is_deleted: bool = False\\n'\n"
        "source = open(store.__file__).read().replace(flag, f'{flag}    lobby_{flag}')\n"
        "namespace = {'__name__': store.__name__}; exec(source, namespace)\n"
        "assert namespace['_SCHEMA_VERSION'] != version\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"This is a text." * 100, "not a database"), (b"x", "not a database"), (b"x" * 511, "not a database")],
)
def test_file_that_is_not_a_database(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "text").write_bytes(content)
    before = snapshot(tmp_path)
    with pytest.raises(sqlite3.DatabaseError, match=message):
        RoomsEmulator(database=str(tmp_path / "text")).start()
    assert snapshot(tmp_path) == before


def test_file_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "no" / "folder" / "rooms.db", tmp_path):
        with pytest.raises(sqlite3.OperationalError, match="unable to open"):
            RoomsEmulator(database=str(path)).start()


def test_locked_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rooms.db"
    Store(str(path)).close()
    monkeypatch.setattr(_store, "BUSY_TIMEOUT", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
        Store(str(path))
    other.close()
    Store(str(path)).close()


def test_write_ahead_log_waits_for_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rooms.db"
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("CREATE TABLE rooms (id)")
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM rooms").fetchall()
    connection = sqlite3.connect(path, timeout=0)

    def turn_on() -> None:
        _store._retry_while_locked(lambda: connection.execute("PRAGMA journal_mode = WAL"))

    with monkeypatch.context() as patch:
        patch.setattr(_store, "BUSY_TIMEOUT", 0.05)
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            turn_on()
    monkeypatch.setattr(time, "sleep", lambda _: reader.execute("COMMIT"))
    turn_on()
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    reader.close()


def test_locked_file_delays_only_changes(tmp_path: Path) -> None:
    database = tmp_path / "rooms.db"
    with RoomsEmulator(database=str(database)) as emulator, ThreadPoolExecutor() as executor:
        client = new_client(emulator)
        room = client.create_room()
        other = sqlite3.connect(database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        created = executor.submit(client.create_room)
        wait_for(lambda: len(emulator.requests) == 2)
        assert client.get_room(room.id) == room
        assert not created.done()
        other.execute("COMMIT")
        assert created.result().id
        other.execute("BEGIN IMMEDIATE")
        interrupted = executor.submit(client.create_room)
        wait_for(lambda: len(emulator.requests) == 4)
        emulator.stop()
        assert "The database failed: database is locked" in str(interrupted.exception())
        other.close()


def test_reset_waits_for_locked_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "rooms.db"
    with RoomsEmulator(database=str(database)) as emulator:
        client = new_client(emulator)
        client.create_room()
        other = sqlite3.connect(database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with monkeypatch.context() as patch:
            patch.setattr(_store, "BUSY_TIMEOUT", 0.05)
            with pytest.raises(sqlite3.OperationalError, match="database is locked"):
                emulator.reset()
        monkeypatch.setattr(time, "sleep", lambda _: other.execute("COMMIT"))
        emulator.reset()
        assert list(client.list_rooms()) == []
        other.close()


def test_emulators_share_file(tmp_path: Path) -> None:
    database = str(tmp_path / "rooms.db")
    with RoomsEmulator(database=database) as one, RoomsEmulator(database=database) as other:
        clients = [new_client(one), new_client(other)]
        with ThreadPoolExecutor(8) as executor:
            ids = set(executor.map(lambda number: clients[number % 2].create_room().id, range(80)))
        assert all({room.id for room in client.list_rooms()} == ids for client in clients)
        assert len(ids) == 80


OPEN = """
import sys
import time
from azure.communication.rooms.emulator._store import Store, _retry_while_locked

def add_room():
    with store.transaction():
        store.add_room(created_at=0, valid_from=0, valid_until=0)

print("ready", flush=True)
for line in sys.stdin:
    store = Store(line.rstrip("\\n"))
    _retry_while_locked(add_room)
    print("opened", flush=True)
    store.close()
"""


def test_opening_file_keeps_its_locks(tmp_path: Path) -> None:
    database = tmp_path / "rooms.db"
    with RoomsEmulator(database=str(database)) as one:
        new_client(one).create_room()
        with RoomsEmulator(database=str(database)):
            subprocess.run([sys.executable, "-c", OPEN], input=f"{database}\n", text=True, check=True, timeout=30)
            # If the other process got an exclusive lock, it has deleted the write-ahead log, which these emulators
            # still use.
            assert database.with_name("rooms.db-wal").exists()
        assert len(list(new_client(one).list_rooms())) == 2


def test_processes_share_new_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        for _ in range(6)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for number in range(25):
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(f"{tmp_path / str(number)}.db\n")
                process.stdin.flush()
            for process in processes:
                assert process.stdout is not None
                assert process.stdout.readline() == "opened\n"
    finally:
        for process in processes:
            process.communicate(timeout=30)
    for number in range(25):
        connection = sqlite3.connect(tmp_path / f"{number}.db")
        assert connection.execute("SELECT count(*) FROM rooms").fetchone() == (6,)
        connection.close()


def test_participants_are_deleted_with_room(client: RoomsClient, running_emulator: RoomsEmulator) -> None:
    client.delete_room(client.create_room(participants=[RoomParticipant(UnknownIdentifier(ALICE))]).id)
    store = running_emulator._started().store
    assert store._connection.execute("SELECT count(*) FROM participants").fetchone() == (0,)
