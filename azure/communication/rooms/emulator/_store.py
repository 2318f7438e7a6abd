"""The rooms, in SQLite."""

import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

_SCHEMA = """
CREATE TABLE IF NOT EXISTS rooms (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_until INTEGER NOT NULL,
    pstn_dial_out_enabled INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS participants (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    room_id TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    raw_id TEXT NOT NULL,
    role TEXT NOT NULL,
    UNIQUE (room_id, raw_id)
);
CREATE TABLE IF NOT EXISTS repeatable_requests (
    request_id TEXT NOT NULL,
    first_sent TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (request_id, first_sent)
);
"""
_ROOM = "position, id, created_at, valid_from, valid_until, pstn_dial_out_enabled"


@dataclass
class Room:
    """A row of the table; times are in ticks."""

    position: int
    id: str
    created_at: int
    valid_from: int
    valid_until: int
    pstn_dial_out_enabled: bool


class Store:
    """The database, in memory or in a file.

    Every change is committed before its request is answered, so that a file survives a kill of the process after any
    answer. Emulators that share a file wait for each other, five seconds at most. One connection serves the server's
    thread and the callers of ``clear``; a lock keeps their transactions apart.
    """

    def __init__(self, database: str) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        try:
            # What was written survives the process, though perhaps not the machine: no wait for the disk.
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error:
            self._connection.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite rolls back by itself after some errors
                    self._connection.execute("ROLLBACK")
                raise

    def add_room(self, created_at: int, valid_from: int, valid_until: int, pstn_dial_out_enabled: bool) -> Room:
        room_id = f"99{secrets.randbelow(10**15):015}"
        values = (room_id, created_at, valid_from, valid_until, pstn_dial_out_enabled)
        insert = "INSERT INTO rooms (id, created_at, valid_from, valid_until, pstn_dial_out_enabled)"
        cursor = self._connection.execute(f"{insert} VALUES (?, ?, ?, ?, ?)", values)
        return Room(cursor.lastrowid or 0, *values)

    def room(self, room_id: str, now: int) -> Room | None:
        """The room, unless it is not there or no longer valid."""
        where = "WHERE id = ? AND valid_until > ?"
        row = self._connection.execute(f"SELECT {_ROOM} FROM rooms {where}", (room_id, now)).fetchone()
        return None if row is None else Room(*row)

    def rooms(self, now: int, before: int | None, limit: int) -> list[Room]:
        """The valid rooms, newest first, from the one before ``before`` on."""
        where = "WHERE valid_until > ? AND position < ? ORDER BY position DESC LIMIT ?"
        values = (now, 2**63 - 1 if before is None else before, limit)
        return [Room(*row) for row in self._connection.execute(f"SELECT {_ROOM} FROM rooms {where}", values)]

    def change_room(self, room: Room) -> None:
        self._connection.execute(
            "UPDATE rooms SET valid_from = ?, valid_until = ?, pstn_dial_out_enabled = ? WHERE id = ?",
            (room.valid_from, room.valid_until, room.pstn_dial_out_enabled, room.id),
        )

    def delete_room(self, room_id: str) -> None:
        self._connection.execute("DELETE FROM rooms WHERE id = ?", (room_id,))

    def participants(self, room_id: str, after: int, limit: int) -> list[tuple[int, str, str]]:
        """Position, raw ID and role of the room's participants, in the order in which they were added."""
        where = "WHERE room_id = ? AND position > ? ORDER BY position LIMIT ?"
        select = f"SELECT position, raw_id, role FROM participants {where}"
        return self._connection.execute(select, (room_id, after, limit)).fetchall()

    def put_participants(self, room_id: str, roles: Mapping[str, str]) -> None:
        self._connection.executemany(
            "INSERT INTO participants (room_id, raw_id, role) VALUES (?, ?, ?) "
            "ON CONFLICT (room_id, raw_id) DO UPDATE SET role = excluded.role",
            [(room_id, raw_id, role) for raw_id, role in roles.items()],
        )

    def remove_participants(self, room_id: str, raw_ids: Iterable[str]) -> None:
        self._connection.executemany(
            "DELETE FROM participants WHERE room_id = ? AND raw_id = ?", [(room_id, raw_id) for raw_id in raw_ids]
        )

    def answer_to(self, request_id: str, first_sent: str) -> str | None:
        """What the repeatable request was answered, if it was executed."""
        where = "WHERE request_id = ? AND first_sent = ?"
        select = f"SELECT answer FROM repeatable_requests {where}"
        row: tuple[str] | None = self._connection.execute(select, (request_id, first_sent)).fetchone()
        return None if row is None else row[0]

    def keep_answer(self, request_id: str, first_sent: str, answer: str) -> None:
        self._connection.execute("INSERT INTO repeatable_requests VALUES (?, ?, ?)", (request_id, first_sent, answer))

    def clear(self) -> None:
        with self.transaction():
            for table in ("participants", "rooms", "repeatable_requests"):
                self._connection.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        with self._lock:
            self._connection.close()
