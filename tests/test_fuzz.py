"""The fuzzer: under attack, each call gets the response to its own request or an AzureError."""

import secrets
import subprocess
import sys

import pytest


def fuzz(seconds: int, interrupts: int = 0) -> None:
    """Run it in a process of its own, because signals are of a process. A failure prints the seed."""
    seed = str(secrets.randbelow(10**6))
    command = [sys.executable, "-m", "tests.support.fuzz", "--seconds", str(seconds), "--seed", seed]
    process = subprocess.run(
        [*command, "--interrupts", str(interrupts)], capture_output=True, text=True, check=False, timeout=seconds + 120
    )
    print(process.stdout)
    assert process.returncode == 0, f"seed {seed}: {process.stdout}{process.stderr}"


def test_no_response_is_mixed_up() -> None:
    fuzz(4)


@pytest.mark.soak
def test_no_response_is_mixed_up_for_a_while() -> None:
    fuzz(30)


@pytest.mark.soak
def test_no_response_is_mixed_up_by_interrupts() -> None:
    fuzz(30, interrupts=5000)
