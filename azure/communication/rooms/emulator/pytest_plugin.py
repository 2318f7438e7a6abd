"""pytest fixtures for testing programs that use the Rooms service.

To use them, add this line to the ``conftest.py`` in the folder from which you run pytest::

    pytest_plugins = ["azure.communication.rooms.emulator.pytest_plugin"]

Use the fixture ``rooms_environment`` for a program that finds its resource itself, and ``rooms_client`` for one that
takes a client. With pytest-xdist, each worker
process has its own emulator. To change its arguments, define the fixture ``rooms_emulator_options`` again.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from azure.communication.rooms import ClientOptions, RoomsClient

from . import RoomsEmulator


@pytest.fixture(scope="session")
def rooms_emulator_options() -> dict[str, Any]:
    """Keyword arguments of :class:`RoomsEmulator`. ``tls``, ``intercept`` and ``any_date`` are true by default."""
    return {}


@pytest.fixture(scope="session")
def _rooms_emulator_arguments(rooms_emulator_options: dict[str, Any]) -> dict[str, Any]:
    tls = rooms_emulator_options.get("tls", True)
    return {"tls": tls, "intercept": tls, "any_date": True, **rooms_emulator_options}


@pytest.fixture(scope="session")
def rooms_emulator_session(_rooms_emulator_arguments: dict[str, Any]) -> Iterator[RoomsEmulator]:
    """An emulator that runs for the whole session. If a test uses ``rooms_emulator``, that resets it."""
    with RoomsEmulator(**_rooms_emulator_arguments) as emulator:
        yield emulator


@pytest.fixture
def rooms_emulator(rooms_emulator_session: RoomsEmulator) -> Iterator[RoomsEmulator]:
    """The emulator of the session, reset: it has no rooms, requests or faults.

    The test fails if it injects a fault that never applies.
    """
    emulator = rooms_emulator_session
    emulator.reset()
    yield emulator
    if emulator.pending_faults:
        faults = "\n".join(map(repr, emulator.pending_faults))
        text = "these injected faults never applied: no request matched them, or an earlier fault applied to it"
        pytest.fail(f"{text}\n{faults}", pytrace=False)


@pytest.fixture
def rooms_environment(
    rooms_emulator: RoomsEmulator, _rooms_emulator_arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """:attr:`RoomsEmulator.environment`, set for this test, so that its program uses the emulator."""
    variables = rooms_emulator.environment
    if _rooms_emulator_arguments["intercept"] and "HTTPS_PROXY" not in variables:
        pytest.fail("NO_PROXY is *, so requests to Azure would not be intercepted: unset it", pytrace=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def rooms_client(rooms_emulator: RoomsEmulator, _rooms_emulator_arguments: dict[str, Any]) -> Iterator[RoomsClient]:
    """A client of the emulator that does not wait between retries."""
    # The environment may have a proxy, which cannot reach the emulator.
    options: ClientOptions = {"retry_backoff_factor": 0, "use_env_settings": False}
    if _rooms_emulator_arguments["tls"]:
        options["connection_verify"] = rooms_emulator.ca_file
    with RoomsClient.from_connection_string(rooms_emulator.connection_string, **options) as client:
        yield client
