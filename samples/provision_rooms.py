"""Create a room for each meeting in a CSV file: many rooms at a time, but never two for one meeting.

Try it with the emulator, in two terminals. To use a resource in Azure, set its connection string instead::

    pip install -e ".[bulk,emulator]"
    python -m azure.communication.rooms.emulator --database rooms.db

    export COMMUNICATION_SAMPLES_CONNECTION_STRING='<the line that the emulator printed>'
    python samples/provision_rooms.py meetings.csv --example 100
    python samples/provision_rooms.py meetings.csv

**Input.** The file is UTF-8, with or without a byte-order mark. It has these four columns; others are ignored::

    subject,start,end,participants
    Check-up Ms Smith,2027-01-11T09:00+01:00,2027-01-11T09:30+01:00,8:acs:doctor=Presenter; 4:+14255550123
    Legal advice,2027-01-11T09:00Z,2027-01-11T10:00Z,

A participant is a raw ID and a role. The default role is Attendee. The subject identifies the meeting, so it must be
unique.

**Output.** When the program ends, it writes the room ID or the error of each row to ``meetings-rooms.csv``.

**Continuing.** After Ctrl-C, a crash or a kill, run the same command again. (The first Ctrl-C waits for the requests in
progress; a second one does not.) Before the program sends a row, it writes a repeatability ID and a first-sent date to
the journal, ``meetings.journal``, which is an SQLite database. All attempts to send the row use these two values, so
the service creates one room, however many attempts it receives. This works as long as the service remembers the ID, and
*it is not known how long that is*. So continue soon. The program sends rows with an unknown outcome first. If hours
have passed, check ``client.list_rooms()`` before you continue. The journal has separate entries for each endpoint, so
you can use the same file for a test resource and the real one.

**Changed rows.** If you change a row after it was sent, the program reports the row and does not send it again, because
a room may exist with the old values. Undo the change, or give the meeting a new subject to get another room. You can
change a row that the service refused, unless an earlier attempt may have created its room.

**Throttling.** After a 429, a 5xx or a broken connection, all workers wait: as long as ``Retry-After`` says, or 1, 2, 4
... 60 seconds without it. Then one request goes ahead, and each success lets one more worker join. The program stops
after 12 such waits without a success, and at once if the service refuses the credential.

**Dask.** With ``--scheduler tcp://host:8786``, the workers of a Dask cluster send the requests. They need this package.
The journal stays on this machine. If a worker dies, Dask gives its rows to another one, with the same repeatability
IDs. If the scheduler dies, this program ends with Dask's error: run it again. The program sends the access key to the
workers, so use a ``tls://`` cluster unless you trust the network.

**Speed.** Measured with 10,000 meetings and the emulator in another process, on 2 processors, with CPython 3.11.7::

                                                    16 threads             1 thread
    each response delayed by 50 ms, like a network  37 s (272 rooms/s)     576 s (17 rooms/s)
    no delay; both processors always busy           8.0 s (1,256 rooms/s)  13.0 s (772 rooms/s)
"""

import argparse
import csv
import json
import math
import os
import re
import signal
import sqlite3
import sys
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.rest import HttpResponse
from tqdm import tqdm

from azure.communication.rooms import ParticipantRole, RoomParticipant, RoomsClient, identifier_from_raw_id

CONNECTION_STRING = "COMMUNICATION_SAMPLES_CONNECTION_STRING"
COLUMNS = ("subject", "start", "end", "participants")
ROLES = {role.value.lower(): role.value for role in list(ParticipantRole)}
ATTEMPTS_OF_A_ROW = 8
WAITS_WITHOUT_SUCCESS = 12
LONGEST_WAIT = 60.0
EXIT_CODES = """exit codes:
  0    every row has a room
  1    some rows are invalid, refused or unfinished: see the output
  2    nothing was sent: the arguments are wrong, or a file or the cluster is unusable
  130  interrupted by Ctrl-C: run the same command again to continue"""


class Meeting(NamedTuple):
    """A valid row of the input."""

    line: int
    subject: str
    start: datetime
    end: datetime
    participants: list[tuple[str, str]]  # raw IDs and roles


class Outcome(NamedTuple):
    """The result of a row of the input: a row of the output."""

    line: int
    subject: str
    room_id: str = ""
    status: int | None = None
    code: str = ""
    message: str = ""
    details: str = ""

    @property
    def error(self) -> str:
        return " ".join(str(part) for part in self[3:] if part)


def read_rows(path: Path) -> Iterator[Meeting | Outcome]:
    """Yield a Meeting for each valid row, and an Outcome with an error for each other row.

    Raises ValueError if the header is wrong.
    """
    # Bytes that are not UTF-8 become lone surrogates, so that only their own row is invalid.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = [name.strip().lower() for name in next(reader, [])]
        except csv.Error as error:
            raise ValueError(f"{path}:1: the header is not CSV in UTF-8: {error}") from None
        for column in COLUMNS:
            if header.count(column) != 1:
                raise ValueError(f"{path}:1: the header must have one column {column!r}, in UTF-8, but is {header}")
        lines: dict[str, int] = {}
        while True:
            line, subject = reader.line_num + 1, ""
            try:
                fields = next(reader)
                if not fields:
                    continue  # an empty line
                row = read_fields(header, fields)
                subject = row["subject"]
                yield read_meeting(line, row, lines.setdefault(subject, line))
            except StopIteration:
                return
            except (ValueError, csv.Error) as error:
                more = f" (the row ends in line {reader.line_num})" if reader.line_num > line else ""
                yield Outcome(line, subject, message=f"{error}{more}")


def read_fields(header: list[str], fields: list[str]) -> dict[str, str]:
    """Return the fields by column name."""
    if len(fields) != len(header):
        raise ValueError(f"the row has {len(fields)} fields, but the header has {len(header)}")
    if any("\udc80" <= character <= "\udcff" for character in "".join(fields)):
        raise ValueError("the row is not UTF-8")
    return dict(zip(header, map(str.strip, fields), strict=True))


def read_meeting(line: int, row: dict[str, str], first_line: int) -> Meeting:
    """Check what can be checked here. The service checks the rest."""
    if not row["subject"]:
        raise ValueError("the subject is missing")
    if first_line != line:
        raise ValueError(f"line {first_line} has the same subject")
    start, end = read_time("start", row["start"]), read_time("end", row["end"])
    if end <= start:
        raise ValueError("the end is not after the start")
    return Meeting(line, row["subject"], start, end, read_participants(row["participants"]))


def read_time(name: str, text: str) -> datetime:
    """Read an ISO 8601 time with a time zone, and convert it to UTC."""
    try:
        moment = datetime.fromisoformat(re.sub("[Zz]$", "+00:00", text))  # Python 3.10 does not accept Z
        utc = moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise ValueError(f"the {name} is not a time: {text!r}") from None
    if moment.tzinfo is None:
        raise ValueError(f"the {name} has no time zone: {text!r}; write it as 2027-01-11T09:00+01:00")
    return utc


def read_participants(text: str) -> list[tuple[str, str]]:
    """Read ``raw ID=role; raw ID``."""
    participants: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        raw_id, equals, role = (piece.strip() for piece in part.partition("="))
        if identifier_from_raw_id(raw_id).kind == "unknown" or raw_id.endswith(":"):
            raise ValueError(f"malformed raw ID {raw_id!r}")
        if equals and role.lower() not in ROLES:
            raise ValueError(f"unknown role {role!r}; the roles are {', '.join(ROLES.values())}")
        if raw_id in participants:
            raise ValueError(f"{raw_id} is listed twice")
        participants[raw_id] = ROLES[role.lower() or "attendee"]
    return list(participants.items())


def write_example(path: Path, count: int) -> None:
    """Write an input with this many meetings, which start tomorrow. Never overwrite a file."""
    tomorrow = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=1)
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(1, count + 1):
            start = tomorrow + timedelta(minutes=number)
            people = f"8:acs:contoso_doctor-{number}=Presenter; 8:acs:contoso_patient-{number}"
            writer.writerow([f"Check-up {number}", start, start + timedelta(minutes=30), people])


class Entry(NamedTuple):
    """The journal's entry for a row that was sent or is about to be sent."""

    subject: str
    content: str
    request_id: str
    first_sent: str
    room_id: str = ""


class Journal:
    """The entries of one resource in an SQLite database, which survives a crash at any moment."""

    def __init__(self, database: sqlite3.Connection, resource: str) -> None:
        self._database = database
        self._resource = resource
        database.executescript("""
            PRAGMA locking_mode = EXCLUSIVE;  -- a second run gets an error
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;  -- an fsync at each commit
            BEGIN EXCLUSIVE;
            CREATE TABLE IF NOT EXISTS entries (
                resource TEXT, subject TEXT, content TEXT, request_id TEXT, first_sent TEXT, room_id TEXT,
                PRIMARY KEY (resource, subject)
            );
            COMMIT;
        """)
        query = "SELECT subject, content, request_id, first_sent, room_id FROM entries WHERE resource = ?"
        self.entries = {row[0]: Entry(*row) for row in database.execute(query, (resource,))}

    def put(self, entry: Entry) -> None:
        """Add or replace an entry."""
        self.entries[entry.subject] = entry
        self._database.execute("REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?)", (self._resource, *entry))

    def remove(self, subject: str) -> None:
        """Remove the entry of a row."""
        del self.entries[subject]
        self._database.execute("DELETE FROM entries WHERE resource = ? AND subject = ?", (self._resource, subject))

    def commit(self) -> None:
        """Write all changes to disk."""
        self._database.commit()


def content(meeting: Meeting) -> str:
    """Return the values of the room as text. A different text shows that the row changed."""
    return json.dumps([str(meeting.start), str(meeting.end), dict(meeting.participants)], sort_keys=True)


def earlier_outcome(meeting: Meeting, entry: Entry | None) -> Outcome | None:
    """Return the outcome of a row that must not be sent again, or None for a row to send."""
    outcome = Outcome(meeting.line, meeting.subject, entry.room_id if entry else "")
    if entry and entry.content != content(meeting):
        state = "its room was created" if entry.room_id else "it was sent, and it may have a room"
        message = f"the row changed after {state}: undo the change, or use a new subject; it was {entry.content}"
        return outcome._replace(message=message)
    return outcome if outcome.room_id else None


def create_room(client: RoomsClient, meeting: Meeting, entry: Entry) -> tuple[Outcome, float]:
    """Send a row, in a thread or on a Dask worker. Return the outcome and the seconds of ``Retry-After``."""
    outcome = Outcome(meeting.line, meeting.subject)
    try:
        room = client.create_room(
            valid_from=meeting.start,
            valid_until=meeting.end,
            participants=[RoomParticipant({"rawId": raw_id, "role": role}) for raw_id, role in meeting.participants],
            repeatability_request_id=entry.request_id,
            repeatability_first_sent=datetime.fromisoformat(entry.first_sent),
            retry_status=0,  # provision() makes all workers wait, not only this one
            read_timeout=60,
        )
    except HttpResponseError as error:
        code, message, details = "", error.message, ""
        if error.error:
            code, message = error.error.code or "", error.error.message or ""
            details = "; ".join(f"{detail.target}: {detail.message}" for detail in error.error.details)
        headers = error.response.headers if isinstance(error.response, HttpResponse) else {}
        wait_for = seconds(headers.get("Retry-After", ""))
        return outcome._replace(status=error.status_code, code=code, message=message, details=details), wait_for
    except AzureError as error:
        return outcome._replace(message=f"{type(error).__name__}: {error.message}"), 0
    return outcome._replace(room_id=room.id), 0


def seconds(retry_after: str) -> float:
    """Return the seconds to wait for ``Retry-After``, which is a number or a date, or 0 if it is neither."""
    try:
        value = float(retry_after)
    except ValueError:
        try:
            value = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            return 0
    return max(value, 0) if math.isfinite(value) else 0


Submit = Callable[[Meeting, Entry], "Future[tuple[Outcome, float]]"]


class Pace:
    """Limits the number of requests in progress. All workers share it: if the service throttles one, all slow down."""

    def __init__(self, workers: int) -> None:
        self.workers = self.limit = workers
        self.waits = 0
        self.resume_at = 0.0

    def remaining(self) -> float:
        """Seconds until the next request may be sent."""
        return max(0.0, self.resume_at - time.monotonic())

    def speed_up(self) -> None:
        """Allow one more request after a success. Ignore one during a wait: its request was sent before the wait."""
        if not self.remaining():
            self.limit, self.waits = min(self.limit + 1, self.workers), 0

    def slow_down(self, retry_after: float) -> None:
        """Wait after a temporary failure. Failures during the wait have the same cause, and can only prolong it."""
        if not self.remaining():
            self.limit, self.waits = 1, self.waits + 1
            retry_after = retry_after or min(2.0 ** (self.waits - 1), LONGEST_WAIT)
        self.resume_at = max(self.resume_at, time.monotonic() + retry_after)


def provision(
    meetings: list[Meeting], journal: Journal, submit: Submit, pace: Pace, interrupted: Callable[[], bool]
) -> Iterator[Outcome]:
    """Send the meetings, and yield the outcome of each attempt. A failed attempt may be repeated.

    Only this generator decides what to send and when, for threads and for Dask. Only it writes to the journal.
    """
    uncertain = set(journal.entries)  # these rows may have a room, even if the next response is an error
    waiting = deque(sorted(meetings, key=lambda meeting: meeting.subject not in uncertain))
    running: dict[Future[tuple[Outcome, float]], Meeting] = {}
    attempts: Counter[str] = Counter()
    stopped = False
    while running or (waiting and not stopped):
        stopped = stopped or interrupted() or pace.waits >= WAITS_WITHOUT_SUCCESS
        free = 0 if stopped or pace.remaining() else pace.limit - len(running)
        batch = [waiting.popleft() for _ in range(min(free, len(waiting)))]
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        for meeting in batch:
            if meeting.subject not in journal.entries:
                journal.put(Entry(meeting.subject, content(meeting), str(uuid.uuid4()), now))
        journal.commit()  # before anything is sent
        running |= {submit(meeting, journal.entries[meeting.subject]): meeting for meeting in batch}
        if not running:
            time.sleep(min(0.2, pace.remaining()))
        for future in wait(running, timeout=0.2, return_when=FIRST_COMPLETED).done if running else ():
            meeting = running.pop(future)
            outcome, retry_after = result(future, meeting)
            status = outcome.status or 0
            if outcome.room_id:
                journal.put(journal.entries[meeting.subject]._replace(room_id=outcome.room_id))
                pace.speed_up()
            elif status in (401, 403):
                stopped = True
            elif 400 <= status < 500 and status not in (408, 429):  # refused
                if meeting.subject not in uncertain:
                    journal.remove(meeting.subject)
                pace.speed_up()
            else:
                if status != 429:
                    uncertain.add(meeting.subject)
                attempts[meeting.subject] += 1
                if attempts[meeting.subject] < ATTEMPTS_OF_A_ROW:
                    waiting.appendleft(meeting)
                pace.slow_down(retry_after)
            yield outcome
    journal.commit()


def result(future: "Future[tuple[Outcome, float]]", meeting: Meeting) -> tuple[Outcome, float]:
    """Return a worker's result. If Dask gave up on a row because several workers died, the row may be sent again."""
    if future.cancelled() or type(future.exception()).__name__ == "KilledWorker":
        return Outcome(meeting.line, meeting.subject, message="the Dask cluster gave up on the row"), 0
    return future.result()


@contextmanager
def dask_cluster(scheduler: str, connection_string: str) -> Iterator[tuple[Submit, int]]:
    """Yield a function that sends a row from the cluster, and how many rows the cluster can send at a time."""
    import distributed  # noqa: PLC0415 - slow to import

    name = f"rooms-{uuid.uuid4()}"

    class ClientPlugin(distributed.WorkerPlugin):
        """Keeps a client in each worker process, including those that join later."""

        def setup(self, worker: distributed.Worker) -> None:
            self.client = RoomsClient.from_connection_string(connection_string)

        def teardown(self, worker: distributed.Worker) -> None:
            self.client.close()

    def create_on_worker(meeting: Meeting, entry: Entry) -> tuple[Outcome, float]:
        plugin: Any = distributed.get_worker().plugins[name]
        return create_room(plugin.client, meeting, entry)

    cluster: Any = distributed.Client(scheduler, set_as_default=False)  # type: ignore[no-untyped-call]
    with cluster:
        threads = sum(cluster.nthreads().values())
        if not threads:
            raise ValueError(f"the Dask cluster at {scheduler} has no workers")
        cluster.register_plugin(ClientPlugin(), name=name)
        executor = cluster.get_executor(pure=False)  # if pure, a row that is sent again would get its earlier result
        yield lambda meeting, entry: executor.submit(create_on_worker, meeting, entry), threads
        cluster.unregister_worker_plugin(name)


def endpoint(connection_string: str) -> str:
    """Return the endpoint, which identifies the resource in the journal."""
    found = re.search(r"(?:^|;)\s*endpoint\s*=\s*(?:https://)?([^;]+)", connection_string, re.IGNORECASE)
    return found[1].strip().lower().rstrip("/") if found else ""


def work(path: Path, rows: list[Meeting | Outcome], journal: Journal, submit: Submit, workers: int) -> int:
    """Create the rooms, report, write the output, and return the exit code."""
    interrupted = threading.Event()

    def interrupt(number: int, frame: object) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C kills the program; the journal survives

    signal.signal(signal.SIGINT, interrupt)
    meetings = [row for row in rows if isinstance(row, Meeting)]
    outcomes = {row.line: row for row in rows if isinstance(row, Outcome)}
    known = (earlier_outcome(meeting, journal.entries.get(meeting.subject)) for meeting in meetings)
    outcomes |= {outcome.line: outcome for outcome in known if outcome}
    for outcome in outcomes.values():
        if outcome.message:
            print(f"{path}:{outcome.line}: {outcome.error}", file=sys.stderr)
    unsent = [meeting for meeting in meetings if meeting.line not in outcomes]

    pace = Pace(workers)
    with tqdm(total=len(rows), initial=len(outcomes), unit="row", disable=None) as bar:
        for outcome in provision(unsent, journal, submit, pace, interrupted.is_set):
            outcomes[outcome.line] = outcome
            waiting = pace.remaining() > 0
            bar.set_postfix_str("waiting" if waiting else f"{pace.limit} at a time", refresh=waiting)
            bar.update(len(outcomes) - bar.n)
            if outcome.error:
                tqdm.write(f"{path}:{outcome.line}: {outcome.error}", file=sys.stderr)
    outcomes |= {m.line: Outcome(m.line, m.subject, message="not sent") for m in unsent if m.line not in outcomes}

    output = path.with_name(f"{path.stem}-rooms.csv")
    part = output.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Outcome._fields)
        writer.writerows(outcomes[line] for line in sorted(outcomes))
    part.replace(output)
    failed = sum(1 for outcome in outcomes.values() if outcome.error)
    print(f"{len(outcomes) - failed} of {len(outcomes)} meetings have their rooms; details in {output}")
    return 130 if interrupted.is_set() else min(failed, 1)


def main() -> int:
    """Read the command line, and open the files and the connections."""
    parser = argparse.ArgumentParser(
        description="Create a room for each meeting in a CSV file. Run it again to continue.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("input", type=Path, help=f"CSV file with the columns {', '.join(COLUMNS)}")
    parser.add_argument("--workers", type=int, default=16, metavar="N", help="number of sending threads (default: 16)")
    parser.add_argument("--scheduler", metavar="URL", help="send from this Dask cluster, as in tcp://host:8786")
    parser.add_argument("--example", type=int, metavar="N", help="only write an example input with N meetings")
    options = parser.parse_args()
    connection_string = os.environ.get(CONNECTION_STRING, "")
    if not connection_string and options.example is None:
        parser.error(f"set {CONNECTION_STRING} to the connection string of the resource")
    with ExitStack() as stack:
        try:
            if options.example is not None:
                write_example(options.input, options.example)
                return 0
            rows = list(read_rows(options.input))
            client = stack.enter_context(RoomsClient.from_connection_string(connection_string))
            database = sqlite3.connect(options.input.with_suffix(".journal"), timeout=0)
            journal = Journal(stack.enter_context(closing(database)), endpoint(connection_string))
            if options.scheduler:
                submit, workers = stack.enter_context(dask_cluster(options.scheduler, connection_string))
            else:
                workers = options.workers
                threads = stack.enter_context(ThreadPoolExecutor(workers))
                submit = partial(threads.submit, partial(create_room, client))
        except (OSError, ValueError, sqlite3.Error) as error:
            hint = " (is another run using the journal?)" if isinstance(error, sqlite3.Error) else ""
            parser.exit(2, f"{parser.prog}: {error}{hint}\n")
        return work(options.input, rows, journal, submit, workers)


if __name__ == "__main__":
    sys.exit(main())
