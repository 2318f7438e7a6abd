"""Runs the fuzzer: with a hostile server, each call returns the response to its own request or raises an AzureError."""

import secrets
import subprocess
import sys

import pytest


@pytest.mark.parametrize("seconds", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_responses_match_requests(seconds: int) -> None:
    # In its own process: urllib3 leaves the sockets of malformed responses to the garbage collector, which warns.
    command = [sys.executable, "-m", "tests.support.fuzz", "--seconds", str(seconds)]
    command += ["--seed", str(secrets.randbelow(10**6))]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    print(process.stdout)
    assert process.returncode == 0, process.stderr
