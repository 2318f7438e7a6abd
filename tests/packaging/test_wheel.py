"""The contents of the wheel and the source distribution, and the use of the wheel."""

import tarfile
import zipfile

import pytest

from azure.communication.rooms import __version__

from ..support import ROOT
from ..support.environments import Environment
from .conftest import Distributions

pytestmark = pytest.mark.index

USE = """
import azure.communication.identity
from azure.communication.rooms import RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

with RoomsEmulator() as emulator, RoomsClient.from_connection_string(emulator.connection_string) as client:
    room = client.create_room(participants=[RoomParticipant(emulator.create_user())])
    assert [room] == list(client.list_rooms())
"""
WITHOUT_EXTRA = """
import runpy
try:
    runpy.run_module("azure.communication.rooms.emulator", run_name="__main__")
except SystemExit as error:
    print(error)
"""


def package_files() -> set[str]:
    """All files of the package in this checkout, not only Python's."""
    files = (path for path in (ROOT / "azure").rglob("*") if path.is_file() and path.parent.name != "__pycache__")
    return {path.relative_to(ROOT).as_posix() for path in files}


def test_wheel_has_only_the_package(distributions: Distributions) -> None:
    names = set(zipfile.ZipFile(distributions.wheel).namelist())
    metadata = f"azure_communication_rooms-{__version__}.dist-info"
    assert "azure/communication/rooms/py.typed" in names
    others = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    assert names == package_files() | {f"{metadata}/{name}" for name in others}


def test_sdist_has_the_tests_and_samples(distributions: Distributions) -> None:
    with tarfile.open(distributions.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert package_files() <= names
    needed = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "tests/conftest.py", "samples/README.md"}
    assert needed <= names
    folders = {name.partition("/")[0] for name in needed | {"azure"}}
    assert {name.partition("/")[0] for name in names} - {"PKG-INFO", ".gitignore"} == folders


def test_wheel_in_clean_environment(wheel: str, environment: Environment) -> None:
    environment.install(wheel)
    assert "install this package with the emulator extra" in environment.python("-W", "error", "-c", WITHOUT_EXTRA)
    environment.install(f"{wheel}[emulator]", "azure-communication-identity")
    environment.python("-W", "error", "-c", USE)
