"""Compare this checkout with the released client: ``python -m tests.perf.run [--quick]``, in the checkout's folder.

The two clients are installed into temporary virtual environments with the same dependencies. They call the same canned
server in alternating rounds: released, ours, released, ours. A figure is the median of all rounds. A ratio is ours
divided by the released client's, the median of the rounds. A missed target is only reported: the exit status does not
depend on it. The released client reads the environment in each call, so its figures depend on the number of variables.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import certifi

from tests.support import ROOT
from tests.support.certificates import Certificates
from tests.support.environments import Environment, run
from tests.support.operations import OPERATIONS

RELEASED = "azure-communication-rooms==1.2.0"

Figures = list[float]
Round = tuple[Figures, Figures]  # the released client's and ours


class Sizes(NamedTuple):
    """How much to measure. A slow round takes about a second."""

    rounds: int
    slow_rounds: int
    calls: int
    listed_rooms: int
    threads: int


FULL = Sizes(rounds=81, slow_rounds=9, calls=20, listed_rooms=10_000, threads=64)
QUICK = Sizes(rounds=21, slow_rounds=3, calls=10, listed_rooms=3_000, threads=64)


class Target(NamedTuple):
    """A bound for all figures of a column."""

    column: str
    sign: str
    bound: float

    def verdict(self, figures: Figures) -> str:
        is_met = all(figure <= self.bound if self.sign == "≤" else figure >= self.bound for figure in figures)
        return f"{self.column} {self.sign} {self.bound:g}: {'met' if is_met else '**missed**'}"


@dataclass
class Row:
    """A row of the table."""

    what: str
    rounds: list[Round]
    target: Target

    def cells(self) -> list[str]:
        released, ours = (medians(side) for side in zip(*self.rounds, strict=True))
        ratio = medians([mine / theirs for theirs, mine in zip(*pair, strict=True)] for pair in self.rounds)
        columns = {"ours": ours, "ratio": ratio}
        verdict = self.target.verdict(columns[self.target.column])
        return [self.what, numbers(released), numbers(ours), " / ".join(f"{r:.2f}" for r in ratio), verdict]


def medians(rounds: Iterable[Figures]) -> Figures:
    return [median(figures) for figures in zip(*rounds, strict=True)]


def numbers(figures: Figures) -> str:
    return " / ".join(f"{f:,.0f}" if f >= 100 or f == int(f) else f"{f:.2f}" for f in figures)


def table(rows: Iterable[Row]) -> str:
    lines = [["", "released", "ours", "ratio", "target"], ["---"] * 5, *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


class Process:
    """A child process that runs commands. It also ends when this process dies."""

    def __init__(self, python: str, script: str, ca_bundle: str = "") -> None:
        # A proxy must not come between the clients and the loopback address.
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        self._name = script
        self._process = subprocess.Popen(
            [python, "-I", str(ROOT / "tests" / "perf" / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**environment, "REQUESTS_CA_BUNDLE": ca_bundle},
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

    clients: Sequence[Process]  # the released one and ours
    server: Process
    certfile: str
    sizes: Sizes

    def run(self) -> Iterator[Row]:
        for measurement in (self.calls, self.listing, self.client_per_call, self.threads):
            progress(f"measuring {measurement.__name__}")
            yield from measurement()

    def listen(self, rooms: int = 30, delay: float = 0, certfile: str | None = None) -> str:
        return str(self.server.execute("listen", rooms=rooms, delay=delay, certfile=certfile))

    def compare(self, rounds: int, command: str, endpoints: Sequence[str], **arguments: object) -> list[Round]:
        pairs = zip(self.clients, endpoints, strict=True)
        measure = (partial(client.execute, command, endpoint=endpoint, **arguments) for client, endpoint in pairs)
        return alternate(rounds, *measure)

    def connections(self, endpoints: Sequence[str], calls: int, target: Target) -> Row:
        """How many connections each client opened in all slow rounds, with this number of calls in each."""
        released, ours = ([self.server.execute("opened", endpoint=endpoint)] for endpoint in endpoints)
        return Row(f"… connections for {calls * (self.sizes.slow_rounds + 1):,} calls", [(released, ours)], target)

    def calls(self) -> Iterator[Row]:
        endpoints = [self.listen()] * 2
        for name, operation in OPERATIONS.items():
            rounds = self.compare(self.sizes.rounds, "call", endpoints, name=name, times=self.sizes.calls)
            bound = 0.85 if name.startswith("list_") else 0.8
            yield Row(f"{operation.title}: CPU / wall, ms", rounds, Target("ratio", "≤", bound))

    def listing(self) -> Iterator[Row]:
        count = self.sizes.listed_rooms
        rounds = self.compare(self.sizes.slow_rounds, "listing", [self.listen(count)] * 2, rooms=count)
        yield Row(f"list {count:,} rooms: CPU / wall, ms", rounds, Target("ratio", "≤", 0.85))

    def client_per_call(self) -> Iterator[Row]:
        for closes in (True, False):
            endpoints = [self.listen(certfile=self.certfile) for _ in self.clients]
            arguments = {"times": self.sizes.calls, "closes": closes}
            rounds = self.compare(self.sizes.slow_rounds, "client_per_call", endpoints, **arguments)
            what = f"a client per call, {'closed' if closes else 'never closed'}, TLS: CPU / wall, ms"
            yield Row(what, rounds, Target("ratio", "≤", 0.15))
            yield self.connections(endpoints, self.sizes.calls, Target("ours", "≤", 1))

    def threads(self) -> Iterator[Row]:
        count, calls = self.sizes.threads, self.sizes.threads * self.sizes.calls
        endpoints = [self.listen(delay=0.05, certfile=self.certfile) for _ in self.clients]
        rounds = self.compare(self.sizes.slow_rounds, "threads", endpoints, count=count, calls=calls)
        yield Row(f"{count} threads, TLS, 50 ms latency: calls per second", rounds, Target("ratio", "≥", 1.2))
        yield self.connections(endpoints, calls, Target("ours", "≤", count + 1))


def alternate(rounds: int, released: Callable[[], Figures], ours: Callable[[], Figures]) -> list[Round]:
    """Measure both clients in turn, after a round to warm up."""
    return [(released(), ours()) for _ in range(rounds + 1)][1:]


@contextmanager
def benchmark(folder: Path, pythons: Sequence[str], sizes: Sizes) -> Iterator[Benchmark]:
    """Start the processes. The interpreters are the released client's and ours."""
    certificates = Certificates(folder)
    # The clients load as many certificates as they usually do.
    ca_bundle = folder / "bundle.pem"
    ca_bundle.write_text(certifi.contents() + Path(certificates.authority).read_text(), encoding="ascii")
    with (
        closing(Process(pythons[0], "worker.py", str(ca_bundle))) as released,
        closing(Process(pythons[1], "worker.py", str(ca_bundle))) as ours,
        closing(Process(sys.executable, "canned_server.py")) as server,
    ):
        yield Benchmark((released, ours), server, certificates.certfile, sizes)


def progress(text: str) -> None:
    print(f"{text} ...", file=sys.stderr, flush=True)


def install_clients(folder: Path) -> list[str]:
    """Install both clients with the same versions of their dependencies, and return the interpreters."""
    progress("installing the clients")
    released, ours = (Environment(folder / name) for name in ("released", "ours"))
    ours.install(str(ROOT))
    pip = (sys.executable, "-m", "pip", "--python", ours.interpreter)
    constraints = folder / "constraints.txt"
    constraints.write_text(run(*pip, "freeze", "--exclude", "azure-communication-rooms", cwd=folder))
    released.install(RELEASED, "--constraint", str(constraints))
    return [released.interpreter, ours.interpreter]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, calls and rooms")
    sizes = QUICK if parser.parse_args().quick else FULL
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with benchmark(folder, install_clients(folder), sizes) as started:
            where = f"CPython {platform.python_version()}, {len(os.environ)} environment variables"
            versions = " and ".join((RELEASED, started.clients[1].execute("versions")))
            print(f"{datetime.now(timezone.utc):%Y-%m-%d}, {where}: {versions}\n")
            print(table(started.run()))


if __name__ == "__main__":
    main()
