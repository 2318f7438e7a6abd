"""pytest fixtures for testing programs that use the Rooms service.

To use them, add this line to the ``conftest.py`` at the root of your tests::

    pytest_plugins = ["azure.communication.rooms.emulator.pytest_plugin"]

Without this line, pytest does not load them. With pytest-xdist, each worker process has its own emulator.
"""

from collections.abc import Iterator

import pytest

from azure.communication.rooms import ClientOptions, RoomsClient

from . import RoomsEmulator


@pytest.fixture(scope="session")
def _running_rooms_emulator() -> Iterator[RoomsEmulator]:
    with RoomsEmulator() as emulator:
        yield emulator


@pytest.fixture
def rooms_emulator(_running_rooms_emulator: RoomsEmulator) -> Iterator[RoomsEmulator]:
    """A running emulator without rooms, requests or faults. The test fails if it injects a fault that never applies.

    One server runs for the whole session. It is reset before each test.
    """
    emulator = _running_rooms_emulator
    emulator.reset()
    yield emulator
    if emulator.pending_faults:
        faults = "\n".join(map(repr, emulator.pending_faults))
        pytest.fail(f"these injected faults never applied; is a path or method mistyped?\n{faults}", pytrace=False)


@pytest.fixture
def rooms_client(rooms_emulator: RoomsEmulator) -> Iterator[RoomsClient]:
    """A client of the emulator that does not wait between retries."""
    # The environment may have a proxy, which cannot reach the emulator.
    options: ClientOptions = {"retry_backoff_factor": 0, "use_env_settings": False}
    with RoomsClient.from_connection_string(rooms_emulator.connection_string, **options) as client:
        yield client
