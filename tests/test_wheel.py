"""The wheel, built and installed in an environment of its own. It needs a package index."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
USE = """
import azure.communication.identity
from azure.communication.rooms import CommunicationUserIdentifier, RoomParticipant, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

with RoomsEmulator() as emulator, RoomsClient.from_connection_string(emulator.connection_string) as client:
    room = client.create_room(participants=[RoomParticipant(CommunicationUserIdentifier("8:acs:r_u"))])
    assert [room] == list(client.list_rooms())
    client.delete_room(room.id)
"""


@pytest.mark.index
def test_the_wheel_is_installed_and_used_in_a_clean_environment(tmp_path: Path) -> None:
    def run(*command: str) -> str:
        process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    run(sys.executable, "-m", "build", "--outdir", str(tmp_path), str(ROOT))
    [wheel], [sdist] = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    assert sdist.name.removesuffix(".tar.gz") == "-".join(wheel.name.split("-")[:2])
    names = zipfile.ZipFile(wheel).namelist()
    assert "azure/communication/rooms/py.typed" in names
    assert not {"azure/__init__.py", "azure/communication/__init__.py"} & set(names)
    assert all(name.startswith(("azure/communication/rooms/", "azure_communication_rooms-")) for name in names)

    venv.create(tmp_path / "clean", with_pip=True)
    python = str(tmp_path / "clean" / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    run(python, "-m", "pip", "install", "--quiet", str(wheel))
    run(python, "-W", "error", "-c", "import azure.communication.rooms")
    without_extra = subprocess.run(
        [python, "-m", "azure.communication.rooms.emulator"], capture_output=True, text=True, timeout=60, check=False
    )
    assert without_extra.returncode == 1
    [message] = without_extra.stderr.splitlines()
    assert "the emulator needs starlette: install this package with its extra" in message
    run(python, "-m", "pip", "install", "--quiet", f"{wheel}[emulator]", "azure-communication-identity")
    run(python, "-W", "error", "-c", USE)
