"""Bulk provisioning reports invalid rows, slows down all workers together, and creates one room per meeting."""

import csv
import logging
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import distributed
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import ReceivedRequest, RoomsEmulator
from samples import provision_rooms
from samples.provision_rooms import Entry, Journal, Meeting, Outcome, Pace, create_room, provision, read_rows

from ..support.waiting import wait_for

SCRIPT = Path(provision_rooms.__file__)
HEADER = "subject,start,end,participants\n"
GOOD = "2027-01-11T09:00Z,2027-01-11T10:00Z"
START = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=1)


stable = settings(deadline=None, derandomize=True, database=None)


def meeting(number: int) -> Meeting:
    start = START + timedelta(minutes=number)
    return Meeting(
        number + 1, f"meeting {number}", start, start + timedelta(hours=1), [(f"8:acs:{number}", "Attendee")]
    )


def subjects_of(rooms: list[datetime]) -> list[str]:
    """Return the subjects of the meetings that start at these times."""
    return sorted(f"meeting {(start - START) // timedelta(minutes=1)}" for start in rooms)


# Input


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes | str], list[Meeting | Outcome]]:
    def read_text(text: bytes | str) -> list[Meeting | Outcome]:
        path = tmp_path / "meetings.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return list(read_rows(path))

    return read_text


Read = Callable[[bytes | str], list[Meeting | Outcome]]


def test_good_row(read: Read) -> None:
    text = "subject,notes,participants,end,start\n"
    text += "Check-up,any,8:acs:a=presenter; 4:+1425 ;,2027-01-11T10:00+01:00,2027-01-11 08:30:00Z\n"
    start = datetime(2027, 1, 11, 8, 30, tzinfo=timezone.utc)
    participants = [("8:acs:a", "Presenter"), ("4:+1425", "Attendee")]
    assert read(text) == [Meeting(2, "Check-up", start, start + timedelta(minutes=30), participants)]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"a,{GOOD},8:acs:x=Boss", "unknown role 'Boss'; the roles are Presenter, Attendee, Consumer, Collaborator"),
        (f"a,{GOOD},8:acs:x=", "unknown role ''; the roles are Presenter, Attendee, Consumer, Collaborator"),
        (f"a,{GOOD},bob", "malformed raw ID 'bob'"),
        (f"a,{GOOD},8:acs:", "malformed raw ID '8:acs:'"),
        (f"a,{GOOD},=Attendee", "malformed raw ID ''"),
        (f"a,{GOOD},8:acs:x;8:acs:x=Consumer", "8:acs:x is listed twice"),
        (f" ,{GOOD},", "the subject is missing"),
        (f"used,{GOOD},", "line 2 has the same subject"),
        ("a,2027-01-11T09:00Z,2027-01-11T08:00Z,", "the end is not after the start"),
        ("a,2027-01-11T09:00Z,2027-01-11T10:00+01:00,", "the end is not after the start"),
        ("a,tomorrow,2027-01-11T08:00Z,", "the start is not a time: 'tomorrow'"),
        ("a,2027-01-11T08:00Z,,", "the end is not a time: ''"),
        ("a,0001-01-01T00:00+14:00,2027-01-11T08:00Z,", "the start is not a time: '0001-01-01T00:00+14:00'"),
        (f"a,{GOOD}", "the row has 3 fields, but the header has 4"),
        (f"a,{GOOD},,", "the row has 5 fields, but the header has 4"),
        (f'a,{GOOD},"8:acs:x"y', "',' expected after '\"'"),
    ],
)
def test_bad_row(read: Read, row: str, message: str) -> None:
    first, bad, last = read(f"{HEADER}used,{GOOD},\n{row}\nlast,{GOOD},\n")
    assert isinstance(bad, Outcome)
    assert (bad.line, bad.message) == (3, message)
    assert isinstance(first, Meeting)
    assert isinstance(last, Meeting)


def test_missing_time_zone(read: Read) -> None:
    (bad,) = read(f"{HEADER}a,2027-01-11T09:00Z,2027-01-11T10:00,\n")
    assert isinstance(bad, Outcome)
    assert bad.message.startswith("the end has no time zone: '2027-01-11T10:00'; ")


def test_byte_order_mark(read: Read) -> None:
    (row,) = read(f"\ufeff{HEADER}a,{GOOD},\n")
    assert row.subject == "a"


def test_wrong_encoding(read: Read) -> None:
    bad, good = read(f"{HEADER}Müller,{GOOD},\n".encode("latin-1") + f"Müller,{GOOD},\n".encode())
    assert bad == Outcome(2, "", message="the row is not UTF-8")
    assert isinstance(good, Meeting)


def test_unclosed_quote(read: Read) -> None:
    first, bad = read(f'{HEADER}a,{GOOD},\n"b,{GOOD},\nc,{GOOD},\n')
    assert isinstance(first, Meeting)
    assert bad == Outcome(3, "", message="unexpected end of data (the row ends in line 4)")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "the header must have one column 'subject'"),
        (b"subject,start,participants\n", "the header must have one column 'end'"),
        (b"subject,start,start,end,participants\n", "the header must have one column 'start'"),
        (b"subject;start;end;participants\n", "the header must have one column 'subject'"),
        (HEADER.encode("utf-16"), "in UTF-8"),
        (b'"subject"x,start', "',' expected after"),
    ],
)
def test_bad_header(read: Read, text: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read(text)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
ROWS = st.lists(st.tuples(TEXT.map(str.strip).filter(bool), TEXT), unique_by=lambda row: row[0])


@stable
@given(rows=ROWS, line_end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_line_numbers(rows: list[tuple[str, str]], line_end: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "meetings.csv")
        lines = []
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator=line_end, quoting=csv.QUOTE_ALL)
            writer.writerow(("notes", *provision_rooms.COLUMNS))
            for subject, notes in rows:
                file.flush()
                lines.append(len(re.findall(b"\r\n|\r|\n", path.read_bytes())) + 1)
                writer.writerow((notes, subject, *GOOD.split(","), ""))
        found = list(read_rows(path))
    assert [(row.line, row.subject) for row in found] == [
        (line, subject) for line, (subject, _) in zip(lines, rows, strict=True)
    ]
    assert all(isinstance(row, Meeting) for row in found)


# Journal


@contextmanager
def opened(path: Path, resource: str = "contoso") -> Iterator[Journal]:
    with closing(sqlite3.connect(path, timeout=0)) as database:
        yield Journal(database, resource)


def test_journal_keeps_what_was_committed(tmp_path: Path) -> None:
    committed = Entry("a", "content", "id", "date")
    with opened(tmp_path / "journal") as journal:
        journal.put(committed)
        journal.commit()
        journal.put(Entry("b", "content", "id", "date"))
        journal.remove("a")
    with opened(tmp_path / "journal") as journal:
        assert journal.entries == {"a": committed}


def test_journal_of_another_resource(tmp_path: Path) -> None:
    with opened(tmp_path / "journal") as journal:
        journal.put(Entry("a", "content", "id", "date"))
        journal.commit()
    with opened(tmp_path / "journal", "fabrikam") as journal:
        assert journal.entries == {}


@stable
@given(tear=st.floats(0, 1), subjects=st.lists(st.integers(0, 5).map(str), min_size=1))
def test_torn_journal(tear: float, subjects: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path, torn = Path(folder, "journal"), Path(folder, "torn")
        states: list[dict[str, Entry]] = [{}]
        with opened(path) as journal:
            for number, subject in enumerate(subjects):
                journal.put(Entry(subject, "content", f"id {number}", "date"))
                journal.commit()
                states.append(dict(journal.entries))
            shutil.copy(path, torn)
            log = Path(folder, "journal-wal").read_bytes()
        Path(folder, "torn-wal").write_bytes(log[: int(len(log) * tear)])
        with opened(torn) as journal:
            assert journal.entries in states
            assert tear < 1 or journal.entries == states[-1]


@pytest.mark.parametrize(
    ("connection_string", "endpoint"),
    [
        ("endpoint=https://Contoso.communication.azure.com/;accesskey=x", "contoso.communication.azure.com"),
        ("accesskey=endpoint==; Endpoint = contoso.communication.azure.com", "contoso.communication.azure.com"),
        ("endpoint=http://127.0.0.1:8787/;accesskey=x", "http://127.0.0.1:8787"),
    ],
)
def test_endpoint(connection_string: str, endpoint: str) -> None:
    assert provision_rooms.endpoint(connection_string) == endpoint


# Provisioning, with a scripted service and a fake clock


class CrashError(Exception):
    """Stands for the end of the process."""


class Service:
    """A fake service and its clock. Each request consumes an event. Without events, each request creates a room."""

    def __init__(self, *events: object) -> None:
        self.events = list(events)
        self.rooms: dict[str, datetime] = {}
        self.sent: list[tuple[str, float]] = []
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def submit(self, meeting: Meeting, entry: Entry) -> "Future[tuple[Outcome, float]]":
        self.sent.append((entry.request_id, self.now))
        outcome = Outcome(meeting.line, meeting.subject)
        event: Any = self.events.pop(0) if self.events else "created"
        future: Future[tuple[Outcome, float]] = Future()
        if event == "crash before":
            raise CrashError
        if event in ("created", "crash after", "lost"):
            self.rooms.setdefault(entry.request_id, meeting.start)
        if event == "crash after":
            raise CrashError
        if event == "created":
            future.set_result((outcome._replace(room_id=entry.request_id), 0))
        elif event == "lost":
            future.set_result((outcome._replace(message="the connection broke"), 0))
        elif isinstance(event, tuple):
            future.set_result((outcome._replace(status=event[0]), event[1]))
        else:
            future.set_result((outcome._replace(status=event), 0))
        return future


def run(service: Service, journal: Journal, meetings: list[Meeting], workers: int = 1) -> list[Outcome]:
    unsent = [m for m in meetings if not provision_rooms.earlier_outcome(m, journal.entries.get(m.subject))]
    return list(provision(unsent, journal, service.submit, Pace(workers), lambda: False))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[Service], Service]:
    def use(service: Service) -> Service:
        monkeypatch.setattr(provision_rooms, "time", service)
        return service

    return use


Clock = Callable[[Service], Service]


def test_wait_for_retry_after(tmp_path: Path, clock: Clock) -> None:
    service = clock(Service((429, 30.0)))
    with opened(tmp_path / "journal") as journal:
        run(service, journal, [meeting(1), meeting(2)])
    (first, at_first), (again, at_again), (second, _) = service.sent
    assert first == again != second
    assert [at_first, at_again] == pytest.approx([0, 30])


def test_wait_grows_without_retry_after(tmp_path: Path, clock: Clock) -> None:
    service = clock(Service(*[429] * 7))
    with opened(tmp_path / "journal") as journal:
        run(service, journal, [meeting(1)])
    assert [at for _, at in service.sent] == pytest.approx([0, 1, 3, 7, 15, 31, 63, 123])


def test_one_worker_resumes_first(tmp_path: Path, clock: Clock) -> None:
    service, pace = clock(Service(429)), Pace(4)
    with opened(tmp_path / "journal") as journal:
        outcomes = provision([meeting(n) for n in range(9)], journal, service.submit, pace, lambda: False)
        limits = [pace.limit for _ in outcomes]
    assert limits[3:] == [1, 2, 3, 4, 4, 4, 4]  # after the first four, one of which was throttled


def test_stop_after_many_waits(tmp_path: Path, clock: Clock) -> None:
    service = clock(Service(*[503] * 99))
    with opened(tmp_path / "journal") as journal:
        outcomes = run(service, journal, [meeting(n) for n in range(99)])
    assert len(service.sent) == len(outcomes) == provision_rooms.WAITS_WITHOUT_SUCCESS


def test_stop_if_credential_is_refused(tmp_path: Path, clock: Clock) -> None:
    service = clock(Service(401))
    with opened(tmp_path / "journal") as journal:
        (outcome,) = run(service, journal, [meeting(1), meeting(2)])
    assert outcome.status == 401


def test_failing_row_does_not_stop_others(tmp_path: Path, clock: Clock) -> None:
    service = clock(Service(*[500] * provision_rooms.ATTEMPTS_OF_A_ROW))
    with opened(tmp_path / "journal") as journal:
        outcomes = run(service, journal, [meeting(1), meeting(2)])
        assert (outcomes[-1].subject, bool(outcomes[-1].room_id)) == ("meeting 2", True)
        assert journal.entries["meeting 1"].room_id == ""


def test_uncertain_rows_go_first(tmp_path: Path, clock: Clock) -> None:
    service = clock(Service("created", "crash after"))
    with pytest.raises(CrashError), opened(tmp_path / "journal") as journal:
        run(service, journal, [meeting(1), meeting(2)])
    with opened(tmp_path / "journal") as journal:
        outcomes = run(service, journal, [meeting(n) for n in range(4)])
    assert [outcome.subject for outcome in outcomes] == ["meeting 2", "meeting 0", "meeting 3"]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (["created"], "the row changed after its room was created"),
        (["crash after"], "the row changed after it was sent, and it may have a room"),
        ([429, "crash before"], "the row changed after it was sent, and it may have a room"),
        ([500, 400], "the row changed after it was sent, and it may have a room"),
        ([400], None),
        ([429, 400], None),
    ],
)
def test_changed_row(tmp_path: Path, clock: Clock, events: list[object], message: str | None) -> None:
    service = clock(Service(*events))
    with opened(tmp_path / "journal") as journal, suppress(CrashError):
        run(service, journal, [meeting(1)])
    changed = meeting(1)._replace(participants=[("8:acs:other", "Presenter")])
    with opened(tmp_path / "journal") as journal:
        outcome = provision_rooms.earlier_outcome(changed, journal.entries.get(changed.subject))
    assert outcome is None if message is None else outcome and outcome.message.startswith(message)


def test_equivalent_row_is_unchanged(tmp_path: Path) -> None:
    people = [("8:acs:a", "Attendee"), ("8:acs:b", "Presenter")]
    first = meeting(1)._replace(participants=people)
    same = first._replace(line=7, participants=people[::-1])
    entry = Entry(first.subject, provision_rooms.content(first), "id", "date", "994")
    assert provision_rooms.earlier_outcome(same, entry) == Outcome(7, first.subject, "994")


EVENTS = st.lists(
    st.sampled_from(["created", "lost", "crash before", "crash after", 400, 412, 429, (429, 5.0), 500, (503, 7.0)])
)


@stable
@given(events=EVENTS, workers=st.integers(1, 4))
def test_each_meeting_gets_one_room(events: list[object], workers: int) -> None:
    service = Service(*events)
    meetings = [meeting(number) for number in range(5)]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(provision_rooms, "time", service)
        while True:
            with opened(Path(folder, "journal")) as journal:
                try:
                    run(service, journal, meetings, workers)
                except CrashError:
                    continue
                if sum(1 for entry in journal.entries.values() if entry.room_id) == len(meetings):
                    break
    assert sorted(service.rooms.values()) == [each.start for each in meetings]


# With the emulator


@contextmanager
def at_request(number: int, act: Callable[[], None]) -> Iterator[None]:
    """Call ``act`` in the emulator's thread right after the response to this many creates."""
    logger = logging.getLogger("azure.communication.rooms.emulator")
    seen = 0

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            nonlocal seen
            if "POST" in record.getMessage():
                seen += 1
                if seen == number:
                    act()

    handler, level = Handler(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def write_meetings(path: Path, count: int) -> list[str]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(provision_rooms.COLUMNS)
        for each in map(meeting, range(count)):
            participants = "; ".join("=".join(pair) for pair in each.participants)
            writer.writerow((each.subject, each.start, each.end, participants))
    return sorted(f"meeting {number}" for number in range(count))


def start(path: Path, emulator: RoomsEmulator, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(SCRIPT), str(path), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, provision_rooms.CONNECTION_STRING: emulator.connection_string},
    )


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=60)
    return process.returncode, stdout, stderr


def output_of(path: Path) -> list[dict[str, str]]:
    with path.with_name(f"{path.stem}-rooms.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rooms_of(client: RoomsClient) -> list[datetime]:
    return [room.valid_from for room in client.list_rooms()]


def creates(emulator: RoomsEmulator) -> list[ReceivedRequest]:
    return [request for request in emulator.requests if request.method == "POST"]


def request_ids(emulator: RoomsEmulator) -> Counter[str]:
    return Counter(request.headers["repeatability-request-id"] for request in creates(emulator))


def test_run(tmp_path: Path, emulator: RoomsEmulator, client: RoomsClient) -> None:
    path = tmp_path / "meetings.csv"
    subjects = write_meetings(path, 20)
    code, stdout, stderr = finish(start(path, emulator))
    assert (code, stderr) == (0, "")
    assert stdout.startswith("20 of 20 meetings have their rooms")
    assert subjects_of(rooms_of(client)) == subjects
    rows = output_of(path)
    assert [row["line"] for row in rows] == [str(line) for line in range(2, 22)]
    for row in rows:
        room = client.get_room(row["room_id"])
        assert subjects_of([room.valid_from]) == [row["subject"]]
        assert room.valid_until - room.valid_from == timedelta(hours=1)
    (participant,) = client.list_participants(rows[7]["room_id"])
    assert participant.communication_identifier.raw_id == "8:acs:7"


def test_nothing_is_sent_twice(tmp_path: Path, emulator: RoomsEmulator) -> None:
    path = tmp_path / "meetings.csv"
    write_meetings(path, 3)
    for _ in range(2):
        assert finish(start(path, emulator))[0] == 0
    assert len(creates(emulator)) == 3


def test_bad_rows_and_refused_rows(tmp_path: Path, emulator: RoomsEmulator) -> None:
    path = tmp_path / "meetings.csv"
    write_meetings(path, 1)
    with path.open("a") as file:
        file.write("boss,2027-01-11T09:00Z,2027-01-11T10:00Z,8:acs:x=Boss\n")
        file.write("past,2020-01-11T09:00Z,2020-01-11T10:00Z,\n")
    code, stdout, stderr = finish(start(path, emulator))
    assert code == 1
    assert stdout.startswith("1 of 3 meetings have their rooms")
    assert f"{path}:3: unknown role 'Boss'" in stderr
    assert f"{path}:4: 400 BadRequest" in stderr
    refused = output_of(path)[2]
    assert (refused["line"], refused["room_id"], refused["status"], refused["code"]) == ("4", "", "400", "BadRequest")
    assert refused["details"] == "ValidUntil: The time range end is in the past."
    assert refused["message"] == "The request could not be understood by the server due to malformed syntax."


def test_kill_and_continue(tmp_path: Path, emulator: RoomsEmulator, client: RoomsClient) -> None:
    path = tmp_path / "meetings.csv"
    subjects = write_meetings(path, 60)
    for number in (1, 10, 20):
        emulator.inject(drop="after")  # creates a room whose ID the program does not receive
        process = start(path, emulator, "--workers", "4")
        with at_request(number, process.kill):
            assert finish(process)[0] == -signal.SIGKILL
        assert not path.with_name("meetings-rooms.csv").exists()
    assert 0 < len(rooms_of(client)) < 60
    code, _, stderr = finish(start(path, emulator))
    assert (code, stderr) == (0, "")
    assert subjects_of(rooms_of(client)) == subjects
    assert len(request_ids(emulator)) == 60
    assert len(creates(emulator)) > 60


def test_interrupt_and_continue(tmp_path: Path, emulator: RoomsEmulator, client: RoomsClient) -> None:
    path = tmp_path / "meetings.csv"
    subjects = write_meetings(path, 60)
    process = start(path, emulator, "--workers", "4")

    def interrupt() -> None:
        emulator.inject(delay=0.5, times=8, method="POST")  # so that the program cannot finish before it is interrupted
        process.send_signal(signal.SIGINT)

    with at_request(20, interrupt):
        code, _, stderr = finish(process)
    assert (code, stderr) == (130, "")
    rows = output_of(path)
    created = [row["subject"] for row in rows if row["room_id"]]
    assert subjects_of(rooms_of(client)) == sorted(created)
    assert 20 <= len(created) < 60
    assert {row["message"] for row in rows if not row["room_id"]} == {"not sent"}
    assert finish(start(path, emulator))[0] == 0
    assert subjects_of(rooms_of(client)) == subjects
    assert len(creates(emulator)) == 60


def test_all_threads_wait(tmp_path: Path, emulator: RoomsEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    sent_before_sleep = []

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        sent_before_sleep.append(len(emulator.requests))

    monkeypatch.setattr(provision_rooms, "time", SimpleNamespace(monotonic=lambda: now, sleep=sleep))
    emulator.inject(status=429, retry_after=30)
    with (
        opened(tmp_path / "journal") as journal,
        RoomsClient.from_connection_string(emulator.connection_string) as client,
        ThreadPoolExecutor(4) as threads,
    ):
        submit = partial(threads.submit, partial(create_room, client))
        list(provision([meeting(n) for n in range(12)], journal, submit, Pace(4), lambda: False))
    assert now == pytest.approx(30)
    (sent,) = set(sent_before_sleep)  # nothing was sent during the wait
    throttled, again = emulator.requests[0], emulator.requests[sent]
    assert throttled.headers["repeatability-request-id"] == again.headers["repeatability-request-id"]
    assert len(emulator.requests) == 13


def test_connections_that_break(tmp_path: Path, emulator: RoomsEmulator, client: RoomsClient) -> None:
    path = tmp_path / "meetings.csv"
    subjects = write_meetings(path, 10)
    emulator.inject(drop="after")
    emulator.inject(truncate=True)
    emulator.inject(status=502, retry_after=0.1)
    assert finish(start(path, emulator, "--workers", "2"))[0] == 0
    assert subjects_of(rooms_of(client)) == subjects


def test_two_runs_at_once(tmp_path: Path, emulator: RoomsEmulator) -> None:
    path = tmp_path / "meetings.csv"
    write_meetings(path, 1)
    with opened(path.with_suffix(".journal")):
        code, _, stderr = finish(start(path, emulator))
    assert code == 2
    assert "database is locked (is another run using the journal?)" in stderr
    assert creates(emulator) == []


@pytest.mark.parametrize("name", ["missing.csv", "folder"])
def test_unreadable_input(tmp_path: Path, emulator: RoomsEmulator, name: str) -> None:
    (tmp_path / "folder").mkdir()
    code, stdout, stderr = finish(start(tmp_path / name, emulator))
    assert (code, stdout) == (2, "")
    assert stderr.startswith("provision_rooms.py: ")
    assert name in stderr


def test_no_workers(tmp_path: Path, emulator: RoomsEmulator) -> None:
    path = tmp_path / "meetings.csv"
    write_meetings(path, 1)
    code, _, stderr = finish(start(path, emulator, "--workers", "0"))
    assert (code, stderr) == (2, "provision_rooms.py: max_workers must be greater than 0\n")


def test_no_connection_string(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(provision_rooms.CONNECTION_STRING, raising=False)
    process = subprocess.run([sys.executable, SCRIPT, "x.csv"], capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert "set COMMUNICATION_SAMPLES_CONNECTION_STRING" in process.stderr


def test_example(tmp_path: Path, emulator: RoomsEmulator) -> None:
    path = tmp_path / "meetings.csv"
    assert finish(start(path, emulator, "--example", "3"))[0] == 0
    assert finish(start(path, emulator))[0] == 0
    assert len(creates(emulator)) == 3
    code, _, stderr = finish(start(path, emulator, "--example", "3"))
    assert code == 2
    assert "File exists" in stderr


def test_dask_worker_is_killed(tmp_path: Path, emulator: RoomsEmulator, client: RoomsClient) -> None:
    path = tmp_path / "meetings.csv"
    subjects = write_meetings(path, 60)
    local_cluster: Any = distributed.LocalCluster  # its types are incomplete
    cluster = local_cluster(
        n_workers=2, threads_per_worker=4, processes=True, dashboard_address="127.0.0.1:0", host="127.0.0.1"
    )
    with cluster:
        victim = next(iter(cluster.workers.values())).pid

        emulator.inject(status=429, retry_after=0.1)
        process = start(path, emulator, "--scheduler", cluster.scheduler_address)
        with at_request(20, lambda: emulator.inject(delay=3, times=8, method="POST")):
            wait_for(lambda: sum(request.status_code is None for request in creates(emulator)) == 8)
            os.kill(victim, signal.SIGKILL)  # now each thread of each worker has a request in progress
            assert finish(process)[0] == 0
    assert subjects_of(rooms_of(client)) == subjects
    assert len(request_ids(emulator)) == 60
    assert len(creates(emulator)) > 60
