"""Type checks of programs that use the installed wheel."""

import shutil

import pytest

from tests.test_readme import SNIPPETS

from ..support import ROOT
from ..support.environments import Environment

pytestmark = pytest.mark.index

# The packages that the README's snippets import, besides this library.
SNIPPETS_NEED = ["azure-identity", "pytest"]
# The names that the README's snippets use without defining them.
PREAMBLE = """
from azure.communication.rooms import RoomsClient

client = RoomsClient.from_connection_string("")
room = client.get_room("")
room_id = room.id
"""


@pytest.fixture(scope="module")
def user(wheel: str, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = Environment(tmp_path_factory.mktemp("user"))
    environment.install(f"{wheel}[emulator]", *SNIPPETS_NEED)
    return environment


def test_every_type_is_known(user: Environment) -> None:
    report = user.pyright("--verifytypes", "azure.communication.rooms", "--ignoreexternal")
    assert "Type completeness score: 100%" in report


def test_type_errors_are_found(user: Environment) -> None:
    shutil.copy(ROOT / "tests" / "types" / "consumer.py", user.folder)
    user.mypy("consumer.py")
    user.pyright("consumer.py")


def test_readme_snippets_are_typed(user: Environment) -> None:
    folder = user.folder / "readme"
    folder.mkdir()
    (folder / "preamble.py").write_text(PREAMBLE)
    for place, snippet in SNIPPETS.items():
        program = f"from preamble import client, room, room_id\n{snippet}"
        (folder / f"{place.replace(' ', '_')}.py").write_text(program, encoding="utf-8")
    user.mypy("readme")
