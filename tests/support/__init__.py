"""What the tests share."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
"""The folder of the checkout."""

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals, forks and shells")
