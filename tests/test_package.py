"""The package's exports, imports, version and dependencies."""

import importlib
import subprocess
import sys
from importlib.metadata import metadata, requires, version

import pytest

from azure.communication.rooms import __all__, __version__

EXPORTS = """
    RoomsClient CommunicationRoom Room RoomParticipant ParticipantRole ApiVersion CommunicationIdentifier
    CommunicationIdentifierKind CommunicationCloudEnvironment CommunicationUserIdentifier CommunicationUserProperties
    PhoneNumberIdentifier PhoneNumberProperties MicrosoftTeamsUserIdentifier MicrosoftTeamsUserProperties
    MicrosoftTeamsAppIdentifier MicrosoftTeamsAppProperties UnknownIdentifier identifier_from_raw_id __version__
    ClientOptions CommonOptions RequestOptions ParticipantLike
"""


def test_exports() -> None:
    rooms = importlib.import_module("azure.communication.rooms")
    assert sorted(__all__) == sorted(EXPORTS.split())
    assert all(hasattr(rooms, name) for name in __all__)


@pytest.mark.parametrize("module", ["requests", "urllib3", "starlette", "uvicorn", "sqlite3", "asyncio"])
def test_import_is_lazy(module: str) -> None:
    program = f"import sys, azure.communication.rooms; sys.exit({module!r} in sys.modules)"
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


def test_namespaces_are_shared() -> None:
    program = (
        "import azure, azure.communication, azure.communication.identity, azure.communication.rooms, azure.core\n"
        "assert azure.__file__ is None and azure.communication.__file__ is None"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_version_is_of_the_distribution() -> None:
    assert version("azure-communication-rooms") == __version__
    assert metadata("azure-communication-rooms")["License-Expression"] == "MIT"


def test_run_time_dependencies() -> None:
    needed = {line.partition(">")[0] for line in requires("azure-communication-rooms") or [] if "extra" not in line}
    assert needed == {"azure-core", "isodate", "typing-extensions"}


def test_exports_of_the_emulator() -> None:
    emulator = importlib.import_module("azure.communication.rooms.emulator")
    assert sorted(emulator.__all__) == ["DEVELOPMENT_ACCESS_KEY", "Fault", "ReceivedRequest", "RoomsEmulator"]
    assert dir(emulator) == emulator.__all__
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = emulator.no_such_name
