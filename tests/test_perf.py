"""The benchmark computes the right figures, and its clients make the right calls. No test depends on time."""

import dataclasses
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone

import pytest
from azure.core.credentials import AzureKeyCredential

from azure.communication.rooms import CommunicationRoom, CommunicationUserIdentifier, RoomParticipant, RoomsClient
from tests.perf import run, worker
from tests.support.operations import OPERATIONS

SMALL = run.Sizes(
    rounds=1,
    calls=1,
    listing_rounds=1,
    listed_rooms=100,
    import_rounds=1,
    thread_rounds=1,
    threads=4,
    thread_calls=8,
    memory_rooms=2_000,
    load_rounds=1,
    load_seconds=0.05,
)


@pytest.fixture
def server() -> Iterator[run.Process]:
    with closing(run.Process(sys.executable, "canned_server.py")) as server:
        yield server


@pytest.fixture
def canned_client(server: run.Process) -> Iterator[RoomsClient]:
    endpoint = server.execute("listen", rooms=70, page=30, delay=0)
    with RoomsClient(endpoint, AzureKeyCredential(worker.ACCESS_KEY)) as client:
        yield client


def test_ratio_is_the_median_of_pairs() -> None:
    released = [{"value": 1.0}, {"value": 2.0}, {"value": 30.0}]
    ours = [{"value": 4.0}, {"value": 1.0}, {"value": 3.0}]
    summary = run.summary(run.Row("get", "calls/s", released, ours))
    assert (summary["released"], summary["ours"], summary["ratio"]) == ({"value": 2}, {"value": 3}, {"value": 0.5})


def test_ratios_need_complete_pairs() -> None:
    with pytest.raises(ValueError, match="zip"):
        run.ratios([{"value": 1.0}], [{"value": 1.0}, {"value": 2.0}])


def test_no_ratio_to_zero() -> None:
    assert run.ratios([{"value": 1.0, "cpu": 1.0}], [{"value": 0.0, "cpu": 2.0}]) == [{"cpu": 0.5}]


def test_subjects_alternate_after_a_warm_up() -> None:
    called: list[str] = []

    def subject(name: str) -> run.Figures:
        called.append(name)
        return {"value": float(len(called))}

    columns = run.alternate(2, lambda: subject("released"), lambda: subject("ours"))
    assert called == ["released", "ours"] * 3
    assert columns == [[{"value": 3}, {"value": 5}], [{"value": 4}, {"value": 6}]]


@pytest.mark.parametrize(
    ("sign", "bound", "of", "met"),
    [
        ("≤", 0.5, ("ratio", "value"), True),
        ("≤", 0.49, ("ratio", "value"), False),
        ("≥", 0.6, ("ratio", "value"), False),
        ("≥", 0.25, ("ratio", "cpu"), True),
        ("≤", 1000, ("ours", "value"), True),
        ("≥", 1001, ("ours", "value"), False),
    ],
)
def test_target_checks_its_figure(sign: str, bound: float, of: tuple[str, str], *, met: bool) -> None:
    released, ours = [{"value": 2e-3, "cpu": 2e-3}], [{"value": 1e-3, "cpu": 5e-4}]
    summary = run.summary(run.Row("get", "µs", released, ours, run.Target(sign, bound, of)))
    assert summary["target"] == {"sign": sign, "bound": bound, "of": of, "met": met}


def test_table() -> None:
    rows = [
        run.Row(
            "get", "µs", [{"value": 0.0012, "cpu": 0.001}], [{"value": 0.0006, "cpu": 0.0004}], run.Target("≤", 0.4)
        ),
        run.Row("opened", "connections", [{"value": 187}], [{"value": 64}], run.Target("≤", 64, ("ours", "value"))),
        run.Row("import: memory", "MB", [{"value": 12_000_000}], [{"value": 9_000_000}]),
        run.Row("emulator", "requests/s", [], [{"value": 1_234, "cpu": 2_345}]),
    ]
    head, rule, *lines = run.table([run.summary(row) for row in rows]).splitlines()
    assert head.split() == ["released", "CPU", "ours", "CPU", "ratio", "CPU", "target"]
    assert set(rule) == {"-", " "}
    assert [line.split() for line in lines] == [
        ["get", "µs", "1,200", "1,000", "600", "400", "0.50", "0.40", "≤", "0.4:", "missed"],
        ["opened", "connections", "187", "64.0", "0.34", "ours", "≤", "64:", "met"],
        ["import:", "memory", "MB", "12.0", "9.00", "0.75"],
        ["emulator", "requests/s", "1,234", "2,345"],
    ]


def test_canned_server_responses(canned_client: RoomsClient) -> None:
    room = CommunicationRoom(
        id="99445276259151407",
        created_at=datetime(2026, 11, 23, 9, 41, 5, 168885, tzinfo=timezone.utc),
        valid_from=datetime(2026, 12, 1, 9, 0, 0, 903276, tzinfo=timezone.utc),
        valid_until=datetime(2027, 5, 30, 9, tzinfo=timezone.utc),
        pstn_dial_out_enabled=False,
    )
    participants = [RoomParticipant(CommunicationUserIdentifier(f"8:acs:resource_user-{n:04}")) for n in range(30)]
    assert canned_client.create_room(participants=participants) == room
    assert canned_client.get_room(room.id) == room
    assert canned_client.update_room(room.id, pstn_dial_out_enabled=False) == room
    canned_client.add_or_update_participants(room.id, participants)
    canned_client.remove_participants(room.id, participants)
    assert list(canned_client.list_participants(room.id)) == participants
    assert list(canned_client.list_rooms()) == [room] * 70
    assert [len(list(page)) for page in canned_client.list_rooms().by_page()] == [30, 30, 10]
    canned_client.delete_room(room.id)


def test_canned_server_counts_connections(server: run.Process) -> None:
    endpoint = server.execute("listen", rooms=30, page=30, delay=0)
    for count in (1, 2):
        for _ in range(count):
            with RoomsClient(endpoint, AzureKeyCredential(worker.ACCESS_KEY)) as client:
                client.get_room(worker.ROOM_ID)
                client.get_room(worker.ROOM_ID)
        assert server.execute("opened", endpoint=endpoint) == count


def test_every_measurement_yields_rows(server: run.Process) -> None:
    with (
        closing(run.Process(sys.executable, "worker.py")) as first,
        closing(run.Process(sys.executable, "worker.py")) as second,
    ):
        summaries = [run.summary(row) for row in run.Benchmark(first, second, server, SMALL).run()]
    measures = {summary["measure"] for summary in summaries}
    assert {*worker.titles().values(), *run.REFERENCES.values(), "import", "import: memory"} <= measures
    assert {"list 100 rooms, 30 to a page", "emulator: get", "growth of peak memory, 1,000 to 2,000 rooms"} <= measures
    calls = [summary for summary in summaries if summary["measure"] in worker.titles().values()]
    assert [(row["target"]["sign"], row["target"]["bound"], row["target"]["of"]) for row in calls] == [
        ("≤", 0.45, ("ratio", "value"))
    ] * len(OPERATIONS)
    opened = next(summary for summary in summaries if summary["unit"] == "connections")
    assert 1 <= opened["ours"]["value"] <= SMALL.threads
    for summary in summaries:
        assert summary["ours"]["value"] > 0 or summary["measure"].startswith("growth of peak memory")
        assert bool(summary["released"]) is not summary["measure"].startswith("emulator")


def test_quick_run_is_smaller() -> None:
    quick, full = dataclasses.asdict(run.QUICK), dataclasses.asdict(run.Sizes())
    assert all(quick[name] <= full[name] for name in full)
    assert quick != full


def test_failed_process_raises_error(capfd: pytest.CaptureFixture[str]) -> None:
    with (
        closing(run.Process(sys.executable, "worker.py")) as process,
        pytest.raises(RuntimeError, match=r"worker\.py ended during the command 'fly'"),
    ):
        process.execute("fly")
    assert "KeyError: 'fly'" in capfd.readouterr().err
