"""An editable install, used by a project with its own ``tests``."""

import pytest

from ..support import ROOT
from ..support.environments import Environment

pytestmark = pytest.mark.index

APP = """
from azure.communication.rooms import RoomsClient
from azure.core.credentials import AzureKeyCredential
from typing_extensions import assert_type

client = RoomsClient("https://contoso.communication.azure.com", AzureKeyCredential("a2V5"))
assert_type(client.get_room("1").id, str)
"""
TEST = """
import importlib.util

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator
from tests.helper import VALUE

def test_room():
    with RoomsEmulator() as emulator, RoomsClient.from_connection_string(emulator.connection_string) as client:
        client.create_room()
    assert VALUE == 1
    assert importlib.util.find_spec("samples") is None
"""


def test_consumer_sees_only_the_package(environment: Environment) -> None:
    environment.install("--editable", f"{ROOT}[emulator]", "pytest")
    tests = environment.folder / "tests"
    tests.mkdir()
    (tests / "helper.py").write_text("VALUE = 1\n")
    (tests / "test_room.py").write_text(TEST)
    (environment.folder / "app.py").write_text(APP)

    environment.python("-m", "pytest", "tests")
    environment.mypy("app.py")
    environment.pyright("app.py")
