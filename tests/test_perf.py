"""The benchmark computes the right figures, and measures every operation. No test depends on time."""

import sys
from pathlib import Path

import pytest

from tests.perf import run
from tests.support.operations import OPERATIONS

SMALL = run.Sizes(rounds=1, slow_rounds=1, calls=2, listed_rooms=70, threads=4)


def test_cells_of_a_row() -> None:
    rounds = [([1.0, 1000.0], [0.5, 900.0]), ([2.25, 2000.0], [0.75, 1000.0]), ([30.0, 3000.0], [60.0, 2400.0])]
    cells = run.Row("get", rounds, run.Target("ratio", "≤", 0.8)).cells()
    assert cells == ["get", "2.25 / 2,000", "0.75 / 1,000", "0.50 / 0.80", "ratio ≤ 0.8: met"]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (run.Target("ratio", "≤", 0.79), "ratio ≤ 0.79: **missed**"),
        (run.Target("ratio", "≥", 0.5), "ratio ≥ 0.5: met"),
        (run.Target("ratio", "≥", 0.51), "ratio ≥ 0.51: **missed**"),
        (run.Target("ours", "≤", 80), "ours ≤ 80: met"),
        (run.Target("ours", "≤", 79), "ours ≤ 79: **missed**"),
    ],
)
def test_a_target_bounds_every_figure(target: run.Target, text: str) -> None:
    assert run.Row("get", [([100.0, 100.0], [50.0, 80.0])], target).cells()[-1] == text


def test_every_measurement_yields_rows(tmp_path: Path) -> None:
    with run.benchmark(tmp_path, [sys.executable] * 2, SMALL) as benchmark:
        rows = list(benchmark.run())
    opened = [(row.what, row.rounds) for row in rows if "connections" in row.what]
    assert opened[:2] == [("… connections for 4 calls", [([1], [1])])] * 2
    [(_, [([released], [ours])])] = opened[2:]
    assert {released, ours} <= {1, 2, 3, 4}
    lines = run.table(rows).splitlines()
    assert lines[:2] == ["|  | released | ours | ratio | target |", "| --- | --- | --- | --- | --- |"]
    titles = [*(operation.title for operation in OPERATIONS.values()), "list 70 rooms"]
    titles += ["a client per call, closed", "… connections", "a client per call, never closed"]
    titles += ["… connections", "4 threads, TLS, 50 ms latency", "… connections"]
    assert [line.startswith(f"| {title}") for line, title in zip(lines[2:], titles, strict=True)] == [True] * len(rows)
