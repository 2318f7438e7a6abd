"""The samples run, from a fresh process, with the emulator and with a resource."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from azure.communication.rooms.emulator import RoomsEmulator

SAMPLES = sorted((Path(__file__).parent.parent / "samples").glob("*.py"))
STORY = ["Created room", "Got it", "Changed it", "Added", "Removed one: 2 are left", "Listed", "Refused", "Deleted it"]


def run(sample: Path, **environment: str) -> str:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("COMMUNICATION_")}
    process = subprocess.run(
        [sys.executable, "-W", "error", str(sample)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**variables, **environment},
    )
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_runs_with_an_emulator_of_its_own(sample: Path) -> None:
    output = run(sample)
    assert output.startswith("Started the emulator at http://127.0.0.1:")
    assert all(step in output for step in STORY)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_runs_with_the_resource_that_it_is_given(sample: Path, emulator: RoomsEmulator) -> None:
    output = run(sample, COMMUNICATION_SAMPLES_CONNECTION_STRING=emulator.connection_string)
    assert all(step in output for step in STORY)
    assert {request.method for request in emulator.requests} == {"POST", "GET", "PATCH", "DELETE"}
