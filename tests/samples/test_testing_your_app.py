"""The sample application's own tests pass, run as the README says."""

import re

from ..support import ROOT
from .commands import run

SAMPLES = ROOT / "samples"
COMMAND = "pytest samples/testing_your_app"


def test_suite_passes() -> None:
    output = run(*COMMAND.split(), "-W", "error", "-p", "no:cacheprovider")
    assert re.search(r"= 8 passed in \S+s =", output)


def test_command_is_documented() -> None:
    assert COMMAND in (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert COMMAND in (SAMPLES / "testing_your_app" / "test_app.py").read_text(encoding="utf-8")
