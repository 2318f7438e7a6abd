"""Bulk provisioning creates exactly one room for each row, and has a clear line for each row that is wrong."""

import csv
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import distributed
import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import ReceivedRequest, RoomsEmulator

from ..support import ROOT
from ..support.waiting import wait_for
from .running import VARIABLE, environment, run_sample

SAMPLE = "provision_rooms.py"
START = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=1)


def row(number: int, participants: str = "") -> tuple[str, str, str, str]:
    start = START + timedelta(minutes=number)
    return f"meeting {number}", start.isoformat(), (start + timedelta(hours=1)).isoformat(), participants


def write(path: Path, rows: Iterable[tuple[str, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("subject", "valid_from", "valid_until", "participants"), *rows])
    return path


def creates(emulator: RoomsEmulator) -> list[ReceivedRequest]:
    return [request for request in emulator.requests if request.method == "POST"]


def kill_at(number: int, path: Path, emulator: RoomsEmulator, *options: str) -> None:
    """Run the program, and kill it when it has sent this many creates, or soon after."""
    command = [sys.executable, f"samples/{SAMPLE}", str(path), *options]
    variables = environment({VARIABLE: emulator.connection_string})
    with subprocess.Popen(command, cwd=ROOT, env=variables, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: len(creates(emulator)) >= number)
        process.kill()


def assert_one_room_a_row(path: Path, count: int, emulator: RoomsEmulator, client: RoomsClient) -> None:
    result = run_sample(SAMPLE, path, **{VARIABLE: emulator.connection_string})
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{count} of {count} rows have a room. See ")
    created = {f"meeting {(room.valid_from - START) // timedelta(minutes=1)}": room.id for room in client.list_rooms()}
    with path.with_suffix(".rooms.csv").open(encoding="utf-8", newline="") as file:
        assert {line["subject"]: line["room_id"] for line in csv.DictReader(file)} == created
    assert len(created) == len(list(client.list_rooms())) == count


def test_each_row_gets_its_room(tmp_path: Path, emulator: RoomsEmulator, client: RoomsClient) -> None:
    users = [emulator.create_user().raw_id for _ in range(2)]
    rows = [row(1, f"{users[0]}=Presenter; {users[1]}"), row(2)]
    path = write(tmp_path / "meetings.csv", rows)
    assert_one_room_a_row(path, 2, emulator, client)
    participants = [
        [(str(p.communication_identifier.raw_id), str(p.role)) for p in client.list_participants(room.id)]
        for room in client.list_rooms()
    ]
    assert sorted(participants) == [[], [(users[0], "Presenter"), (users[1], "Attendee")]]


def test_bad_rows(tmp_path: Path, emulator: RoomsEmulator, client: RoomsClient) -> None:
    """When they are corrected, they get their rooms. No other row is sent again."""
    variables = {VARIABLE: emulator.connection_string}
    bad = [
        ("meeting 1", *row(2)[1:]),
        ("", *row(3)[1:]),
        ("meeting 4", "tomorrow"),
        ("meeting 5", "tomorrow", *row(5)[2:]),
        row(6, "bob"),
        row(7, f"{emulator.create_user().raw_id}=Boss"),
        ("meeting 8", "2020-01-01T09:00Z", "2020-01-01T10:00Z", ""),
    ]
    path = write(tmp_path / "meetings.csv", [row(0), row(1), *bad])
    result = run_sample(SAMPLE, path, **variables)
    assert (result.returncode, result.stdout.partition(".")[0]) == (1, "2 of 9 rows have a room")
    lines = dict(line.removeprefix(f"{path}:").split(": ", 1) for line in result.stderr.splitlines())
    assert lines.pop("7").startswith("valid_from must be an ISO 8601 ")
    assert lines.pop("9").startswith("(BadArgument) Invalid participant role. The valid roles are: ")
    assert lines == {
        "4": "the subject is missing, or an earlier row has the same",
        "5": "the subject is missing, or an earlier row has the same",
        "6": "the row has too many or too few fields",
        "8": "(BadRequest) Invalid format for communication identifier.",
        "10": "(BadArgument) The time range end is in the past. Target: ValidUntil",
    }
    emulator_requests = len(creates(emulator))
    assert_one_room_a_row(write(path, map(row, range(9))), 9, emulator, client)
    assert len(creates(emulator)) == emulator_requests + 7


def test_row_that_changes_after_its_room_was_created(tmp_path: Path, emulator: RoomsEmulator) -> None:
    path = write(tmp_path / "meetings.csv", [row(1)])
    variables = {VARIABLE: emulator.connection_string}
    assert run_sample(SAMPLE, path, **variables).returncode == 0
    result = run_sample(SAMPLE, write(path, [("meeting 1", *row(2)[1:])]), **variables)
    assert result.returncode == 1
    assert result.stderr == f"{path}:2: the row changed after it was sent; undo that, or use another subject\n"
    assert len(creates(emulator)) == 1


def test_another_resource_gets_its_own_rooms(tmp_path: Path, emulator: RoomsEmulator, client: RoomsClient) -> None:
    path = write(tmp_path / "meetings.csv", [row(1)])
    assert run_sample(SAMPLE, path).returncode == 0
    assert_one_room_a_row(path, 1, emulator, client)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "Cannot read {} as CSV in UTF-8: [Errno 2] No such file or directory: '{}'"),
        (b"subject\nJ\xfcrgen", "Cannot read {} as CSV in UTF-8: 'utf-8' codec can't decode byte 0xfc in position 9: "),
        (b"subject,valid_from", "{} lacks the columns participants, valid_until. Separate columns with commas.\n"),
        (b"subject;valid_from", "{} lacks the columns participants, subject, valid_from, valid_until. Separate "),
    ],
    ids=["missing file", "Latin-1", "missing columns", "semicolons"],
)
def test_input_that_cannot_be_read(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "meetings.csv"
    if content:
        path.write_bytes(content)
    result = run_sample(SAMPLE, path)
    assert (result.returncode, result.stdout) == (1, "")
    [line] = result.stderr.splitlines(keepends=True)
    assert line.startswith(message.format(path, path))


def test_kill_and_run_again(tmp_path: Path, emulator: RoomsEmulator, client: RoomsClient) -> None:
    path = write(tmp_path / "meetings.csv", map(row, range(60)))
    path.with_suffix(".journal").write_text('\n["http')  # a kill can cut a line off
    # The responses to the first four creates get lost, and then the program waits for those to their retries.
    emulator.inject(drop="after", method="POST", times=4)
    emulator.inject(delay=60, method="POST", times=4)
    kill_at(8, path, emulator, "--workers", "4")
    for number in (9, 30):
        kill_at(number, path, emulator)
    assert_one_room_a_row(path, 60, emulator, client)
    assert len({request.headers["repeatability-request-id"] for request in creates(emulator)}) == 60


@pytest.fixture
def dask_cluster() -> Any:
    cluster: Any = distributed.LocalCluster  # its types are incomplete
    with cluster(
        n_workers=1, threads_per_worker=4, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp"
    ) as running:
        yield running


def test_dask(tmp_path: Path, emulator: RoomsEmulator, client: RoomsClient, dask_cluster: Any) -> None:
    """A cluster and this machine can share the work, even after a kill. A task creates several rooms."""
    path = write(tmp_path / "meetings.csv", map(row, range(40)))
    kill_at(20, path, emulator, "--scheduler", dask_cluster.scheduler_address)
    assert_one_room_a_row(path, 40, emulator, client)
    tasks = {task for task, *_ in dask_cluster.scheduler.transition_log}
    assert 0 < len(tasks) <= 14, tasks
