"""Fixtures for the tests of programs that use rooms.

To use them, write in the ``conftest.py`` at the root of your tests::

    pytest_plugins = ["azure.communication.rooms.emulator.pytest_plugin"]

Nothing is loaded unless you ask for it. With pytest-xdist, each worker process has an emulator of its own.
"""

from collections.abc import Iterator

import pytest

from azure.communication.rooms import RoomsClient

from . import RoomsEmulator


@pytest.fixture(scope="session")
def _running_rooms_emulator() -> Iterator[RoomsEmulator]:
    with RoomsEmulator() as emulator:
        yield emulator


@pytest.fixture
def rooms_emulator(_running_rooms_emulator: RoomsEmulator) -> Iterator[RoomsEmulator]:
    """A running emulator without rooms, requests and faults. A fault that the test injects must hit a request.

    One server runs for the whole session. It is reset before each test.
    """
    emulator = _running_rooms_emulator
    emulator.reset()
    yield emulator
    if emulator.pending_faults:
        faults = "\n".join(map(repr, emulator.pending_faults))
        pytest.fail(f"no request met these injected faults; is a path or method mistyped?\n{faults}", pytrace=False)


@pytest.fixture
def rooms_client(rooms_emulator: RoomsEmulator) -> Iterator[RoomsClient]:
    """A client of the emulator that does not wait between retries."""
    with RoomsClient.from_connection_string(rooms_emulator.connection_string, retry_backoff_factor=0) as client:
        yield client
