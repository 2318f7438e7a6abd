"""Measure this checkout beside the released client: ``python tests/perf/run.py [--quick] [--json]``.

Both are installed from the package index into throwaway environments of their own, with the same dependencies, and
call one canned server by turns: released, ours, released, ours. A figure is the median of all turns, a ratio the median
of the ratios of the pairs. Nothing here passes or fails by a time. Only the standard library is needed.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
RELEASED = "azure-communication-rooms==1.2.0"

Figures = dict[str, float]
FACTORS = {"µs": 1e6, "ms": 1e3, "MB": 1e-6}


@dataclass(frozen=True)
class Sizes:
    """How much is done. A turn is so many calls of one client; the other's follow."""

    turns: int = 61
    calls: int = 40
    listing_turns: int = 5
    listed: int = 10_000
    import_turns: int = 15
    thread_turns: int = 3
    threads: int = 64
    thread_calls: int = 3_000
    iterated: int = 100_000
    load_turns: int = 5
    load_seconds: float = 1.0


QUICK = Sizes(turns=7, calls=20, listing_turns=3, import_turns=5, thread_turns=1, iterated=20_000, load_turns=2)


class Target(NamedTuple):
    """What a figure is to be: ``of`` names the figure in the row's summary."""

    sign: str
    bound: float
    of: tuple[str, str] = ("ratio", "value")

    def is_met(self, figure: float) -> bool:
        return figure <= self.bound if self.sign == "≤" else figure >= self.bound


@dataclass
class Row:
    """A line of the table: figures of each turn, in seconds or bytes where the unit is one of those of FACTORS."""

    measure: str
    unit: str
    released: list[Figures]
    ours: list[Figures]
    target: Target | None = None


def medians(turns: list[Figures], factor: float = 1) -> Figures:
    return {kind: median(turn[kind] for turn in turns) * factor for kind in (turns[0] if turns else ())}


def ratios(ours: list[Figures], released: list[Figures]) -> list[Figures]:
    """Ours to the released client's, pair by pair; none where that grew by nothing."""
    pairs = zip(ours, released, strict=True) if released else ()
    return [{kind: one[kind] / other[kind] for kind in one if other[kind] > 0} for one, other in pairs]


def summary(row: Row) -> dict[str, Any]:
    factor = FACTORS.get(row.unit, 1)
    figures = {
        "released": medians(row.released, factor),
        "ours": medians(row.ours, factor),
        "ratio": medians(ratios(row.ours, row.released)),
    }
    target: dict[str, object] | None = None
    if row.target:
        column, kind = row.target.of
        target = {**row.target._asdict(), "met": row.target.is_met(figures[column][kind])}
    return {"measure": row.measure, "unit": row.unit, **figures, "target": target}


def table(summaries: list[dict[str, Any]]) -> str:
    lines = [["", "", "released", "CPU", "ours", "CPU", "ratio", "CPU", "target"]]
    for row in summaries:
        figures = [
            number(row[column].get(kind), is_ratio=column == "ratio")
            for column in ("released", "ours", "ratio")
            for kind in ("value", "cpu")
        ]
        lines.append([row["measure"], row["unit"], *figures, target_text(row["target"])])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 1, 8) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def number(figure: float | None, *, is_ratio: bool) -> str:
    if figure is None:
        return ""
    if is_ratio or abs(figure) < 10:
        return f"{figure:.2f}"
    return f"{figure:,.1f}" if abs(figure) < 100 else f"{figure:,.0f}"


def target_text(target: dict[str, Any] | None) -> str:
    if target is None:
        return ""
    of = "" if target["of"][0] == "ratio" else "ours "
    return f"{of}{target['sign']} {target['bound']:,}: {'met' if target['met'] else 'missed'}"


class Process:
    """A child that is asked with a line of JSON and answers with one. It ends when closed, or when this one dies."""

    def __init__(self, python: str, script: str) -> None:
        # No proxy stands between the clients and the loopback address.
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self.python = python
        self._name = script
        # In a session of its own, so that Ctrl-C is left to this process.
        self._process = subprocess.Popen(
            [python, "-I", str(HERE / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=environment,
            start_new_session=True,
        )

    def ask(self, do: str, **arguments: object) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._name} ended while it was asked to {do}")
        return json.loads(line)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass
class Benchmark:
    """The measurements; each answers the rows that it fills."""

    released: Process
    ours: Process
    server: Process
    sizes: Sizes

    def run(self) -> Iterator[Row]:
        for measurement in (self.calls, self.listings, self.imports, self.threads, self.memory, self.emulator):
            progress(f"measuring {measurement.__name__}")
            yield from measurement()

    def listen(self, rooms: int = 30, page: int = 30, delay: float = 0.0) -> str:
        return str(self.server.ask("listen", rooms=rooms, page=page, delay=delay))

    def pairs(self, turns: int, do: str, **arguments: object) -> list[list[Figures]]:
        return by_turns(turns, *(partial(process.ask, do, **arguments) for process in (self.released, self.ours)))

    def calls(self) -> Iterator[Row]:
        arguments = {"endpoint": self.listen(), "times": self.sizes.calls}
        targets = {"create_room": 0.5, "get_room": 0.5, "list_rooms": 0.6, "update_room": 0.5}
        for name, text in self.ours.ask("titles").items():
            released, ours = self.pairs(self.sizes.turns, "call", name=name, **arguments)
            yield Row(text, "µs", released, ours, Target("≤", targets[name]) if name in targets else None)
        subjects = [partial(self.released.ask, "call", name="get_room", **arguments)]
        subjects += [partial(self.ours.ask, "call", name=name, **arguments) for name in REFERENCES]
        released, *others = by_turns(self.sizes.turns, *subjects)
        for text, other in zip(REFERENCES.values(), others, strict=True):
            yield Row(text, "µs", released, other)

    def listings(self) -> Iterator[Row]:
        rooms = self.sizes.listed
        for page in (30, 1_000):
            endpoint = self.listen(rooms, page)
            released, ours = self.pairs(self.sizes.listing_turns, "listing", endpoint=endpoint, rooms=rooms)
            yield Row(f"list {rooms:,} rooms, {page:,} to a page", "ms", released, ours, Target("≤", 0.7))

    def imports(self) -> Iterator[Row]:
        pythons = (self.released.python, self.ours.python)
        for text, code, target in (("import", IMPORT, Target("≤", 0.8)), ("import and make a client", CLIENT, None)):
            subjects = [partial(fresh, python, *TIMED, code) for python in pythons]
            released, ours = by_turns(self.sizes.import_turns, *subjects)
            yield Row(text, "ms", released, ours, target)
            released, ours = ([fresh(python, *TRACED, code)] for python in pythons)
            yield Row(f"{text}: memory", "MB", released, ours)

    def threads(self) -> Iterator[Row]:
        count, calls, endpoint = self.sizes.threads, self.sizes.thread_calls, self.listen(delay=0.05)

        def turn(process: Process) -> Figures:
            seconds = process.ask("threads", endpoint=endpoint, count=count, calls=calls)["value"]
            return {"rate": calls / seconds, "opened": self.server.ask("opened", endpoint=endpoint)}

        released, ours = by_turns(self.sizes.thread_turns, partial(turn, self.released), partial(turn, self.ours))
        for kind, unit, target in (
            ("rate", "calls/s", Target("≥", 1.5)),
            ("opened", "connections", Target("≤", count, ("ours", "value"))),
        ):
            columns = [[{"value": figures[kind]} for figures in column] for column in (released, ours)]
            yield Row(f"{count} threads, {calls:,} gets, 50 ms latency", unit, columns[0], columns[1], target)

    def memory(self) -> Iterator[Row]:
        few, many = 1_000, self.sizes.iterated
        endpoints = {rooms: self.listen(rooms) for rooms in (few, many)}

        def growth(process: Process) -> Figures:
            peaks = {rooms: process.ask("peak_memory", endpoint=at, rooms=rooms) for rooms, at in endpoints.items()}
            return {"value": peaks[many] - peaks[few]}

        released, ours = [growth(self.released)], [growth(self.ours)]
        target = Target("≤", 5, ("ours", "value"))
        yield Row(f"peak memory, {many:,} rooms above {few:,}", "MB", released, ours, target)

    def emulator(self) -> Iterator[Row]:
        with closing(Process(self.ours.python, "worker.py")) as process:
            endpoint, titles = process.ask("emulator"), process.ask("titles")

            def turn(name: str) -> Figures:
                before = process.ask("process_time")
                load = self.ours.ask("load", endpoint=endpoint, name=name, seconds=self.sizes.load_seconds)
                used = process.ask("process_time") - before
                return {"value": load["responses"] / load["seconds"], "cpu": load["responses"] / used}

            for name in ("create_room", "get_room", "list_rooms"):
                (ours,) = by_turns(self.sizes.load_turns, partial(turn, name))
                target = Target("≥", 1_500, ("ours", "cpu"))
                yield Row(f"emulator: {titles[name]}", "requests/s", [], ours, target)


REFERENCES = {
    "pipeline": "get: azure-core pipeline, no policies",
    "pipeline_without_env": "get: the same, trust_env off",
    "urllib3": "get: urllib3, signed by hand",
}
IMPORT = "import azure.communication.rooms"
CLIENT = """\
from azure.core.credentials import AzureKeyCredential
from azure.communication.rooms import RoomsClient
RoomsClient("http://127.0.0.1", AzureKeyCredential("a2V5"))"""
# What a fresh interpreter does before the code to be measured, and what it prints after it.
TIMED = (
    "import time; wall, cpu = time.perf_counter(), time.process_time()",
    "{'value': time.perf_counter() - wall, 'cpu': time.process_time() - cpu}",
)
TRACED = ("import tracemalloc; tracemalloc.start()", "{'value': tracemalloc.get_traced_memory()[0]}")
NOTES = """\
released and ours: medians of wall time, or of what the unit says; CPU: of the process's CPU time.
ratio: ours to released, the median of the pairs; for the reference rows, the figure under "ours" to the released get.
Times in the answers: the released client leaves them strings, ours makes datetimes of them, in every row.
import: in a fresh interpreter, without its start; memory: what tracemalloc counts.
emulator: eight connections that always have a request waiting; CPU: requests per second of its CPU time.
"""


def by_turns(turns: int, *subjects: Callable[[], Figures]) -> list[list[Figures]]:
    """The figures of each subject, after a round to warm up: A B A B ..."""
    for subject in subjects:
        subject()
    rounds = [[subject() for subject in subjects] for _ in range(turns)]
    return [list(column) for column in zip(*rounds, strict=True)]


def fresh(python: str, before: str, after: str, code: str) -> Figures:
    script = f"{before}\n{code}\nfigures = {after}\nimport json; print(json.dumps(figures))"
    result: Figures = json.loads(quietly(python, "-I", "-c", script))
    return result


def progress(text: str) -> None:
    print(f"{text} ...", file=sys.stderr, flush=True)


def quietly(*command: str) -> str:
    """What the command printed; what it said besides is shown only if it failed."""
    done = subprocess.run(command, capture_output=True, check=False, encoding="utf-8")
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise RuntimeError(f"failed: {' '.join(command)}")
    return done.stdout


def environment(folder: Path, *requirements: str) -> str:
    """Make a virtual environment and tell its interpreter."""
    progress(f"installing {requirements[0]}")
    quietly(sys.executable, "-m", "venv", str(folder))
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    quietly(python, "-m", "pip", "install", "--quiet", *requirements)
    return python


def environments(folder: Path) -> tuple[str, str]:
    """The interpreters of the released client and of ours, with the same versions of all that both need."""
    ours = environment(folder / "ours", f"{CHECKOUT}[emulator]")
    constraints = folder / "constraints.txt"
    constraints.write_text(quietly(ours, "-m", "pip", "freeze", "--exclude", "azure-communication-rooms"))
    return environment(folder / "released", RELEASED, "--constraint", str(constraints)), ours


def conditions(released: Process, ours: Process) -> dict[str, Any]:
    versions, released_versions = ours.ask("versions"), released.ask("versions")
    clients = [found.pop("azure-communication-rooms") for found in (released_versions, versions)]
    if versions != released_versions:
        raise RuntimeError(f"the environments differ: {versions}, {released_versions}")
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "released": clients[0],
        "ours": clients[1],
        "dependencies": versions,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer turns, and a listing of fewer rooms")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the children are ended
    with tempfile.TemporaryDirectory() as folder:
        pythons = environments(Path(folder))
        with (
            closing(Process(pythons[0], "worker.py")) as released,
            closing(Process(pythons[1], "worker.py")) as ours,
            closing(Process(sys.executable, "canned_server.py")) as server,
        ):
            where = conditions(released, ours)
            rows = Benchmark(released, ours, server, QUICK if options.quick else Sizes()).run()
            summaries = [summary(row) for row in rows]
    if options.json:
        print(json.dumps({**where, "rows": summaries}, indent=2))
    else:
        dependencies = ", ".join(f"{name} {version}" for name, version in where["dependencies"].items())
        print(f"{where['date']}, {where['python']} on {where['system']}, {where['processors']} processors")
        print(f"released {where['released']}, ours {where['ours']}; {dependencies}\n")
        print(f"{table(summaries)}\n\n{NOTES}", end="")


if __name__ == "__main__":
    main()
