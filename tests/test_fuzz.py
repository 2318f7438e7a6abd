"""Runs the fuzzer: with a hostile server, each call returns the response to its own request or raises an AzureError."""

import secrets
import subprocess
import sys

import pytest


def fuzz(seconds: int, interrupts: int = 0) -> None:
    """Run the fuzzer in its own process, because a signal goes to the whole process. A failure shows the seed."""
    seed = str(secrets.randbelow(10**6))
    command = [sys.executable, "-m", "tests.support.fuzz", "--seconds", str(seconds), "--seed", seed]
    process = subprocess.run(
        [*command, "--interrupts", str(interrupts)], capture_output=True, text=True, check=False, timeout=seconds + 120
    )
    print(process.stdout)
    assert process.returncode == 0, f"seed {seed}: {process.stdout}{process.stderr}"


def test_responses_match_requests() -> None:
    fuzz(4)


@pytest.mark.soak
def test_responses_match_for_30_seconds() -> None:
    fuzz(30)


@pytest.mark.soak
def test_responses_match_despite_interrupts() -> None:
    fuzz(30, interrupts=5000)
