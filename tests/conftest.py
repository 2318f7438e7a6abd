from collections.abc import Iterator

import pytest
from azure.core.pipeline.transport import RequestsTransport

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .support.certificates import Certificates


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[RoomsEmulator]:
    with RoomsEmulator(page_size=3) as emulator:
        yield emulator


@pytest.fixture
def emulator(running_emulator: RoomsEmulator) -> RoomsEmulator:
    """An emulator without rooms. Its pages hold three items."""
    running_emulator.reset()
    return running_emulator


@pytest.fixture
def client(emulator: RoomsEmulator) -> Iterator[RoomsClient]:
    """A client of the emulator. It does not wait between attempts."""
    with RoomsClient.from_connection_string(emulator.connection_string, retry_backoff_factor=0) as client:
        yield client


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The client's waits between attempts, in seconds. It records them here instead of sleeping."""
    waits: list[float] = []
    monkeypatch.setattr(RequestsTransport, "sleep", lambda self, seconds: waits.append(seconds))
    return waits


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A server certificate for 127.0.0.1."""
    return Certificates(tmp_path_factory.mktemp("certificates"))
