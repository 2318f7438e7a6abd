"""What the tests share."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

ROOT = Path(__file__).parents[2]
"""The folder of the checkout."""

Arguments = ParamSpec("Arguments")


def posix(test: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Skip a test on Windows, which has no such signals, forks and shells."""
    import pytest  # noqa: PLC0415 - the benchmark's clients import this package without it

    return pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals, forks and shells")(test)
