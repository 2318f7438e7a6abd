from collections.abc import Iterator

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[RoomsEmulator]:
    with RoomsEmulator(page_size=3) as emulator:
        yield emulator


@pytest.fixture
def emulator(running_emulator: RoomsEmulator) -> RoomsEmulator:
    """An emulator with pages of three and without rooms."""
    running_emulator.reset()
    return running_emulator


@pytest.fixture
def client(emulator: RoomsEmulator) -> Iterator[RoomsClient]:
    """A client of the emulator that doesn't wait between retries."""
    with RoomsClient.from_connection_string(emulator.connection_string, retry_backoff_factor=0) as client:
        yield client
