"""The sample application's own tests pass, run as its documents say."""

import re

from ..support import ROOT
from .running import run

SAMPLES = ROOT / "samples"


def test_own_tests_pass() -> None:
    command = "pytest samples/testing_your_app"
    for file in ("README.md", "testing_your_app/test_app.py"):
        assert command in (SAMPLES / file).read_text(encoding="utf-8")
    result = run(*command.split(), "-W", "error", "-p", "no:cacheprovider", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert re.search(r"= 7 passed in \S+s =", result.stdout), result.stdout
