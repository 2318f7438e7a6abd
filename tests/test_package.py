"""The package's exports, imports, version and dependencies."""

import importlib
import subprocess
import sys
from importlib.metadata import metadata, requires, version

import pytest

from azure.communication.rooms import CommunicationUserIdentifier, __all__, __version__, emulator

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
    with pytest.raises(AttributeError, match="NoSuchName"):
        _ = rooms.NoSuchName


def test_exports_of_the_emulator() -> None:
    assert sorted(emulator.__all__) == ["DEVELOPMENT_ACCESS_KEY", "Fault", "ReceivedRequest", "RoomsEmulator"]
    assert dir(emulator) == emulator.__all__
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = emulator.no_such_name


def test_identifiers_where_programs_import_them_from() -> None:
    shared = importlib.import_module("azure.communication.rooms._shared.models")
    assert shared.CommunicationUserIdentifier is CommunicationUserIdentifier
    assert all(hasattr(shared, name) for name in EXPORTS.split() if name.endswith(("Identifier", "_raw_id")))


def test_there_is_no_asynchronous_client() -> None:
    with pytest.raises(ImportError, match=r"client is synchronous.* `await asyncio\.to_thread\(client\.get_room"):
        importlib.import_module("azure.communication.rooms.aio")


def test_import_is_lazy() -> None:
    modules = {"requests", "urllib3", "starlette", "uvicorn", "sqlite3", "asyncio"}
    program = f"import sys, azure.communication.rooms; print({modules!r} & set(sys.modules))"
    command = [sys.executable, "-W", "error", "-c", program]
    assert subprocess.check_output(command, text=True, timeout=60) == "set()\n"


def test_metadata() -> None:
    assert version("azure-communication-rooms") == __version__
    assert metadata("azure-communication-rooms")["License-Expression"] == "MIT"
    needed = {line.partition(">")[0] for line in requires("azure-communication-rooms") or [] if "extra" not in line}
    assert needed == {"azure-core", "isodate", "requests", "typing-extensions"}
