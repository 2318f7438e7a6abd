"""A project that requires the released package accepts this one instead."""

from pathlib import Path

import pytest

from azure.communication.rooms import __version__

from ..support import ROOT
from ..support.environments import Environment

pytestmark = pytest.mark.index

PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
version = "1"
dependencies = ["{requirement}"]

[tool.setuptools]
py-modules = []
"""
VERSION = "from importlib.metadata import version; print(version('azure-communication-rooms'))"


def project(folder: Path, name: str, requirement: str) -> str:
    """Write a project with one requirement, and return its path."""
    (folder / name).mkdir()
    (folder / name / "pyproject.toml").write_text(PROJECT.format(name=name, requirement=requirement))
    return str(folder / name)


@pytest.fixture
def pinned(tmp_path: Path) -> str:
    return project(tmp_path, "pinned", "azure-communication-rooms>=1.1,<2")


@pytest.mark.parametrize("options", [[], ["--upgrade"]], ids=["install", "upgrade"])
def test_pin_keeps_installed_package(wheel: str, environment: Environment, pinned: str, options: list[str]) -> None:
    environment.install(wheel)
    environment.install(*options, pinned)
    assert environment.python("-c", VERSION).strip() == __version__


def test_direct_reference_satisfies_pin(environment: Environment, tmp_path: Path, pinned: str) -> None:
    reference = f"azure-communication-rooms[emulator] @ {ROOT.as_uri()}"
    environment.install(project(tmp_path, "app", reference), pinned)
    assert environment.python("-c", VERSION).strip() == __version__
    environment.python("-c", "import azure.communication.rooms.emulator")
