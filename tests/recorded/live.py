"""The exchanges with the live service in ``tests/recordings/live``."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

Exchange = dict[str, Any]

RAW_ID = "8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000001"
TICKS_PER_SECOND = 10**7
DAY = 24 * 60 * 60 * TICKS_PER_SECOND

TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|\+00:00)", re.ASCII)
"""Date and time, fraction, and offset."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return the JSON with each string changed, including the names of members."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [map_texts(item, change) for item in value]
    if isinstance(value, dict):
        return {change(name): map_texts(member, change) for name, member in value.items()}
    return value


def ticks(time: str) -> int:
    """Return the time in units of 100 ns since 1970. A datetime would lose the seventh digit."""
    match = TIME.fullmatch(time)
    assert match, time
    seconds = (datetime.fromisoformat(f"{match[1]}+00:00") - _EPOCH) // timedelta(seconds=1)
    return seconds * TICKS_PER_SECOND + int((match[2] or "").ljust(7, "0")[:7])


def move_times(value: Any, seconds: int) -> Any:
    """Return the JSON with all times moved by whole seconds, so that their fractions stay the same."""

    def move(text: str) -> str:
        match = TIME.fullmatch(text)
        if not match:
            return text
        moved = datetime.fromisoformat(match[1]) + timedelta(seconds=seconds)
        return moved.isoformat() + text[len(match[1]) :]

    return map_texts(value, move)


def _read(exchange: Exchange) -> Exchange:
    """Return the exchange with values in place of those that were scrubbed."""
    if "sent" in exchange:
        exchange["request_body"] |= exchange["sent"]
    read: Exchange = map_texts(exchange, lambda text: text.replace("Sanitized", RAW_ID))
    return read


_FILES = sorted((Path(__file__).parents[1] / "recordings" / "live").glob("*.json"))
_EXCHANGES = [_read(exchange) for file in _FILES for exchange in json.loads(file.read_bytes())["exchanges"]]
EACH_EXCHANGE = pytest.mark.parametrize(
    "exchange", [pytest.param(exchange, id=exchange["name"]) for exchange in _EXCHANGES]
)
