"""Compare this checkout with the released client: ``python tests/perf/run.py [--quick] [--json]``.

The two clients are installed into temporary virtual environments with the same dependencies. They call the same canned
server in alternating rounds: released, ours, released, ours. Each figure is the median of all rounds. A ratio is the
median of the ratios of the pairs. A missed target is only reported: the exit status does not depend on it. This script
needs only the standard library.
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
    """How much to measure. In each round, first one client makes its calls, and then the other."""

    rounds: int = 61
    calls: int = 40
    listing_rounds: int = 5
    listed_rooms: int = 10_000
    import_rounds: int = 15
    thread_rounds: int = 3
    threads: int = 64
    thread_calls: int = 3_000
    memory_rooms: int = 100_000
    load_rounds: int = 5
    load_seconds: float = 1.0


QUICK = Sizes(
    rounds=7, calls=20, listing_rounds=3, import_rounds=5, thread_rounds=1, memory_rooms=20_000, load_rounds=2
)


class Target(NamedTuple):
    """A bound for a figure. ``of`` names the figure in the row's summary."""

    sign: str
    bound: float
    of: tuple[str, str] = ("ratio", "value")

    def is_met(self, figure: float) -> bool:
        return figure <= self.bound if self.sign == "≤" else figure >= self.bound


@dataclass
class Row:
    """A row of the table, with the figures of each round. If ``FACTORS`` has the unit, they are in seconds or bytes."""

    measure: str
    unit: str
    released: list[Figures]
    ours: list[Figures]
    target: Target | None = None


def medians(rounds: list[Figures], factor: float = 1) -> Figures:
    return {kind: median(figures[kind] for figures in rounds) * factor for kind in (rounds[0] if rounds else ())}


def ratios(ours: list[Figures], released: list[Figures]) -> list[Figures]:
    """Divide our figures by the released client's, pair by pair. Leave out those where the divisor is not positive."""
    pairs = zip(ours, released, strict=True) if released else ()
    return [{kind: mine[kind] / theirs[kind] for kind in mine if theirs[kind] > 0} for mine, theirs in pairs]


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
    """A child process that runs commands. It ends when it is closed, or when this process dies."""

    def __init__(self, python: str, script: str) -> None:
        # A proxy must not come between the clients and the loopback address.
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self.python = python
        self._name = script
        # The child gets its own session, so that Ctrl-C interrupts only this process.
        self._process = subprocess.Popen(
            [python, "-I", str(HERE / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=environment,
            start_new_session=True,
        )

    def execute(self, command: str, **arguments: object) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._name} ended during the command {command!r}")
        return json.loads(line)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass
class Benchmark:
    """The measurements. Each method measures some rows and yields them."""

    released: Process
    ours: Process
    server: Process
    sizes: Sizes

    def run(self) -> Iterator[Row]:
        for measurement in (self.calls, self.listings, self.imports, self.threads, self.memory, self.emulator):
            progress(f"measuring {measurement.__name__}")
            yield from measurement()

    def listen(self, rooms: int = 30, page: int = 30, delay: float = 0.0) -> str:
        return str(self.server.execute("listen", rooms=rooms, page=page, delay=delay))

    def pairs(self, rounds: int, command: str, **arguments: object) -> list[list[Figures]]:
        return alternate(
            rounds, *(partial(process.execute, command, **arguments) for process in (self.released, self.ours))
        )

    def calls(self) -> Iterator[Row]:
        arguments = {"endpoint": self.listen(), "times": self.sizes.calls}
        for name, title in self.ours.execute("titles").items():
            released, ours = self.pairs(self.sizes.rounds, "call", name=name, **arguments)
            yield Row(title, "µs", released, ours, Target("≤", 0.45))
        subjects = [partial(self.released.execute, "call", name="get_room", **arguments)]
        subjects += [partial(self.ours.execute, "call", name=name, **arguments) for name in REFERENCES]
        released, *others = alternate(self.sizes.rounds, *subjects)
        for title, other in zip(REFERENCES.values(), others, strict=True):
            yield Row(title, "µs", released, other)

    def listings(self) -> Iterator[Row]:
        rooms = self.sizes.listed_rooms
        for page in (30, 1_000):
            endpoint = self.listen(rooms, page)
            released, ours = self.pairs(self.sizes.listing_rounds, "listing", endpoint=endpoint, rooms=rooms)
            yield Row(f"list {rooms:,} rooms, {page:,} to a page", "ms", released, ours, Target("≤", 0.7))

    def imports(self) -> Iterator[Row]:
        pythons = (self.released.python, self.ours.python)
        for title, code, target in (("import", IMPORT, Target("≤", 0.8)), ("import and create a client", CLIENT, None)):
            subjects = [partial(run_fresh, python, *TIMED, code) for python in pythons]
            released, ours = alternate(self.sizes.import_rounds, *subjects)
            yield Row(title, "ms", released, ours, target)
            released, ours = ([run_fresh(python, *TRACED, code)] for python in pythons)
            yield Row(f"{title}: memory", "MB", released, ours)

    def threads(self) -> Iterator[Row]:
        count, calls, endpoint = self.sizes.threads, self.sizes.thread_calls, self.listen(delay=0.05)

        def measure(process: Process) -> Figures:
            seconds = process.execute("threads", endpoint=endpoint, count=count, calls=calls)["value"]
            return {"rate": calls / seconds, "opened": self.server.execute("opened", endpoint=endpoint)}

        subjects = [partial(measure, process) for process in (self.released, self.ours)]
        released, ours = alternate(self.sizes.thread_rounds, *subjects)
        for kind, unit, target in (
            ("rate", "calls/s", Target("≥", 1.5)),
            ("opened", "connections", Target("≤", count, ("ours", "value"))),
        ):
            columns = [[{"value": figures[kind]} for figures in column] for column in (released, ours)]
            yield Row(f"{count} threads, {calls:,} gets, 50 ms latency", unit, columns[0], columns[1], target)

    def memory(self) -> Iterator[Row]:
        few, many = 1_000, self.sizes.memory_rooms
        endpoints = {rooms: self.listen(rooms) for rooms in (few, many)}

        def growth(process: Process) -> Figures:
            peaks = [
                process.execute("peak_memory", endpoint=endpoint, rooms=rooms) for rooms, endpoint in endpoints.items()
            ]
            return {"value": peaks[1] - peaks[0]}

        released, ours = [growth(self.released)], [growth(self.ours)]
        target = Target("≤", 5, ("ours", "value"))
        yield Row(f"growth of peak memory, {few:,} to {many:,} rooms", "MB", released, ours, target)

    def emulator(self) -> Iterator[Row]:
        with closing(Process(self.ours.python, "worker.py")) as process:
            endpoint, titles = process.execute("emulator"), process.execute("titles")

            def measure(name: str) -> Figures:
                before = process.execute("process_time")
                load = self.ours.execute("load", endpoint=endpoint, name=name, seconds=self.sizes.load_seconds)
                used = process.execute("process_time") - before
                return {"value": load["responses"] / load["seconds"], "cpu": load["responses"] / used}

            for name in ("create_room", "get_room", "list_rooms"):
                (ours,) = alternate(self.sizes.load_rounds, partial(measure, name))
                target = Target("≥", 1_500, ("ours", "cpu"))
                yield Row(f"emulator: {titles[name]}", "requests/s", [], ours, target)


REFERENCES = {
    "pipeline": "get: azure-core pipeline without policies",
    "pipeline_without_env": "get: the same, use_env_settings=False",
    "urllib3": "get: urllib3, signed by the benchmark",
}
IMPORT = "import azure.communication.rooms"
CLIENT = """\
from azure.core.credentials import AzureKeyCredential
from azure.communication.rooms import RoomsClient
RoomsClient("http://127.0.0.1", AzureKeyCredential("a2V5"))"""
# The code that a new interpreter runs before the measured code, and the figures that it prints after it.
TIMED = (
    "import time; wall, cpu = time.perf_counter(), time.process_time()",
    "{'value': time.perf_counter() - wall, 'cpu': time.process_time() - cpu}",
)
TRACED = ("import tracemalloc; tracemalloc.start()", "{'value': tracemalloc.get_traced_memory()[0]}")
NOTES = """\
released, ours: medians of wall time, or of what the unit says. CPU: the CPU time of the client's process.
ratio: ours divided by released, the median of the pairs. Each reference row is divided by the released client's get.
In all rows, our client converts the times in responses to datetimes; the released client leaves them strings.
import: in a new interpreter, after its startup. memory: what tracemalloc counts.
emulator: eight connections, each with one request at a time. CPU: requests per second of the emulator's CPU time.
"""


def alternate(rounds: int, *subjects: Callable[[], Figures]) -> list[list[Figures]]:
    """Measure the subjects in the order A B A B ..., after a round to warm up. Return the figures of each subject."""
    for subject in subjects:
        subject()
    figures = [[subject() for subject in subjects] for _ in range(rounds)]
    return [list(column) for column in zip(*figures, strict=True)]


def run_fresh(python: str, before: str, after: str, code: str) -> Figures:
    script = f"{before}\n{code}\nfigures = {after}\nimport json; print(json.dumps(figures))"
    result: Figures = json.loads(run_quietly(python, "-I", "-c", script))
    return result


def progress(text: str) -> None:
    print(f"{text} ...", file=sys.stderr, flush=True)


def run_quietly(*command: str) -> str:
    """Run a command, and return its standard output. Show its output only if it fails."""
    process = subprocess.run(command, capture_output=True, check=False, encoding="utf-8")
    if process.returncode:
        sys.stderr.write(process.stdout + process.stderr)
        raise RuntimeError(f"failed: {' '.join(command)}")
    return process.stdout


def environment(folder: Path, *requirements: str) -> str:
    """Create a virtual environment, and return the path of its interpreter."""
    progress(f"installing {requirements[0]}")
    run_quietly(sys.executable, "-m", "venv", str(folder))
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    run_quietly(python, "-m", "pip", "install", "--quiet", *requirements)
    return python


def environments(folder: Path) -> tuple[str, str]:
    """Create environments for the released client and for ours, with the same versions of their dependencies."""
    ours = environment(folder / "ours", f"{CHECKOUT}[emulator]")
    constraints = folder / "constraints.txt"
    constraints.write_text(run_quietly(ours, "-m", "pip", "freeze", "--exclude", "azure-communication-rooms"))
    return environment(folder / "released", RELEASED, "--constraint", str(constraints)), ours


def conditions(released: Process, ours: Process) -> dict[str, Any]:
    versions, released_versions = ours.execute("versions"), released.execute("versions")
    clients = [installed.pop("azure-communication-rooms") for installed in (released_versions, versions)]
    if versions != released_versions:
        raise RuntimeError(f"the dependencies have different versions: {versions}, {released_versions}")
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
    parser.add_argument("--quick", action="store_true", help="fewer rounds, calls and rooms")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # unwinds, which ends the children
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
