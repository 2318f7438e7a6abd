"""The rooms, in SQLite."""

import sqlite3
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from operator import attrgetter

from ._clock import real_time


@dataclass
class Room:
    """A row of the table ``rooms``. Times are in ticks."""

    id: str
    created_at: int
    valid_from: int
    valid_until: int
    is_deleted: bool = False
    pstn_dial_out_enabled: bool = False
    participants: str = "{}"
    """The role of each raw ID, in the order in which they were added, as JSON."""
    position: int | None = None
    """Newer rooms have higher positions, which SQLite assigns."""


_COLUMNS = [field.name for field in fields(Room)]
_STORED = _COLUMNS[:-1]
_values = attrgetter(*_STORED)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM rooms"
_INSERT = f"INSERT INTO rooms ({', '.join(_STORED)}) VALUES ({', '.join('?' * len(_STORED))})"
_UPDATE = f"UPDATE rooms SET ({', '.join(_STORED)}) = ({', '.join('?' * len(_STORED))}) WHERE position = ?"

ROOM_STATES = ("upcoming", "open", "ended")
_STATE = "CASE WHEN valid_until <= :now THEN 'ended' WHEN valid_from > :now THEN 'upcoming' ELSE 'open' END"
_FOUND = "NOT is_deleted AND (:search = '' OR instr(id, :search) OR instr(participants, :search))"

_SCHEMA = (
    f"""
    CREATE TABLE rooms (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        {", ".join(f"{name} NOT NULL" for name in _STORED[1:])}
    )
    """,
    """
    CREATE TABLE repeatable_requests (
        request_id TEXT NOT NULL,
        first_sent TEXT NOT NULL,
        response TEXT NOT NULL,
        PRIMARY KEY (request_id, first_sent)
    )
    """,
)
_APPLICATION_ID = 0x41435352
# A checksum, so that every change of the schema changes the version.
_SCHEMA_VERSION = zlib.crc32("".join(_SCHEMA).encode()) >> 1
_BUSY_TIMEOUT = 5.0  # how long SQLite waits while another program uses the file, in seconds


class Store:
    """The database, in memory or in a file. Several emulators can share a file.

    Every change is committed before its response is sent, so it survives even if the process is killed. A file of
    another program, or of an incompatible version of the emulator, is an error and not changed.
    """

    def __init__(self, database: str) -> None:
        self._lock = threading.Lock()  # threads share the connection
        self._closing = threading.Event()
        try:
            self._connection = sqlite3.connect(database, timeout=0.005, isolation_level=None, check_same_thread=False)
            try:
                self._create_tables()
                with self._locked("PRAGMA journal_mode = WAL"):  # readers need not wait for writers of other programs
                    pass
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.Error as error:
            hint = "; is there such a folder?" if "unable to open" in str(error) else ""
            raise type(error)(f"the database {database} cannot be opened: {error}{hint}") from error

    def _create_tables(self) -> None:
        """Create the tables if the database is new."""
        execute = self._connection.execute
        # Commits must survive if the process is killed, but not if the power fails, so don't wait for the disk.
        with self._locked("PRAGMA synchronous = OFF"):
            pass
        with self.transaction():
            [application_id] = execute("PRAGMA application_id").fetchone()
            [version] = execute("PRAGMA user_version").fetchone()
            [tables] = execute("SELECT count(*) FROM sqlite_master").fetchone()
            if application_id == version == tables == 0:
                for statement in _SCHEMA:
                    execute(statement)
                execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            elif application_id != _APPLICATION_ID:
                raise sqlite3.DatabaseError("the file belongs to another program")
            elif version != _SCHEMA_VERSION:
                raise sqlite3.DatabaseError("the file was written by an incompatible version of the emulator")

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[None]:
        with self._locked("BEGIN" if read_only else "BEGIN IMMEDIATE"), self._connection:
            yield  # leaving the connection's block commits, or rolls back after an exception

    @contextmanager
    def _locked(self, statement: str) -> Iterator[None]:
        """Execute the statement and run the block, with the lock. Wait for other programs without the lock."""
        end = real_time.monotonic() + _BUSY_TIMEOUT
        while True:
            with self._lock:
                try:
                    self._connection.execute(statement)
                except sqlite3.OperationalError:  # another program has locked the database
                    if real_time.monotonic() > end or self._closing.is_set():
                        raise
                else:
                    yield
                    return
            self._closing.wait(0.01)

    def add_room(self, room: Room) -> None:
        self._connection.execute(_INSERT, _values(room))

    def room(self, room_id: str) -> Room | None:
        """The room, even if it was deleted. None if there never was a room with this ID."""
        row = self._connection.execute(f"{_SELECT} WHERE id = ?", (room_id,)).fetchone()
        return None if row is None else Room(*row)

    def rooms(self, *, before: int | None, limit: int) -> list[Room]:
        """Rooms at positions lower than ``before``, newest first, including deleted ones."""
        where = "WHERE position < ? ORDER BY position DESC LIMIT ?"
        values = (2**63 - 1 if before is None else before, limit)
        return [Room(*row) for row in self._connection.execute(f"{_SELECT} {where}", values)]

    def count_rooms(self, now: int, search: str) -> dict[str, int]:
        """The number of rooms in each state, without deleted ones. ``search`` is a part of a room ID or raw ID."""
        select = f"SELECT {_STATE}, count(*) FROM rooms WHERE {_FOUND} GROUP BY 1"
        rows = self._connection.execute(select, {"now": now, "search": search})
        return dict.fromkeys(ROOM_STATES, 0) | dict(rows)

    def find_rooms(
        self, now: int, search: str, state: str | None, limit: int, offset: int = 0, *, by_opening: bool
    ) -> list[tuple[Room, str]]:
        """Rooms and their states, newest or earliest opening first, without deleted ones."""
        select = f"SELECT {_STATE}, {', '.join(_COLUMNS)} FROM rooms WHERE {_FOUND}"
        order = "valid_from, position" if by_opening else "position DESC"
        where = f"AND (:state IS NULL OR {_STATE} = :state) ORDER BY {order} LIMIT :limit OFFSET :offset"
        values = {"now": now, "search": search, "state": state, "offset": offset, "limit": limit}
        return [(Room(*row), room_state) for room_state, *row in self._connection.execute(f"{select} {where}", values)]

    def change_room(self, room: Room) -> None:
        self._connection.execute(_UPDATE, (*_values(room), room.position))

    def stored_response(self, request_id: str, first_sent: str) -> str | None:
        """The body of the response to the repeatable request. None if it has not been executed."""
        where = "WHERE request_id = ? AND first_sent = ?"
        select = f"SELECT response FROM repeatable_requests {where}"
        row: tuple[str] | None = self._connection.execute(select, (request_id, first_sent)).fetchone()
        return None if row is None else row[0]

    def store_response(self, request_id: str, first_sent: str, response: str) -> None:
        self._connection.execute("INSERT INTO repeatable_requests VALUES (?, ?, ?)", (request_id, first_sent, response))

    def clear(self) -> None:
        """Remove everything."""
        with self.transaction():
            for table in ("rooms", "repeatable_requests"):
                self._connection.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        """Close the database. Transactions that are waiting fail."""
        self._closing.set()
        with self._lock:
            self._connection.close()
