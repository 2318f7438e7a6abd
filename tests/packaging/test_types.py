"""Type checks of programs that use the installed wheel."""

import shutil

import pytest

from tests.test_readme import PROGRAM

from ..support import ROOT
from ..support.environments import Environment

pytestmark = pytest.mark.index


@pytest.fixture(scope="module")
def user(wheel: str, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = Environment(tmp_path_factory.mktemp("user"))
    environment.install(f"{wheel}[emulator]", "azure-identity", "azure-communication-identity")
    return environment


def test_every_type_is_known(user: Environment) -> None:
    report = user.pyright("--verifytypes", "azure.communication.rooms", "--ignoreexternal")
    assert "Type completeness score: 100%" in report


def test_type_errors_are_found(user: Environment) -> None:
    shutil.copy(ROOT / "tests" / "types" / "consumer.py", user.folder)
    user.mypy("consumer.py")
    user.pyright("consumer.py")


def test_readme_is_typed(user: Environment) -> None:
    (user.folder / "readme.py").write_text(PROGRAM, encoding="utf-8")
    user.mypy("readme.py")
