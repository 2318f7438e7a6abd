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


def project(folder: Path, name: str, requirement: str) -> str:
    """Write a project with one requirement, and return its path."""
    (folder / name).mkdir()
    (folder / name / "pyproject.toml").write_text(PROJECT.format(name=name, requirement=requirement))
    return str(folder / name)


@pytest.mark.parametrize("reference", ["wheel", "checkout"])
def test_pin_keeps_this_package(wheel: str, environment: Environment, tmp_path: Path, reference: str) -> None:
    pinned = project(tmp_path, "pinned", "azure-communication-rooms>=1.1,<2")
    if reference == "wheel":
        environment.install(wheel)
        environment.install("--upgrade", pinned)
    else:
        requirement = f"azure-communication-rooms[emulator] @ {ROOT.as_uri()}"
        environment.install(project(tmp_path, "app", requirement), pinned)
    program = "from azure.communication.rooms import __version__; print(__version__)"
    assert environment.python("-c", program).strip() == __version__
