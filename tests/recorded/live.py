"""The exchanges with the live service in ``tests/recordings/live``."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]

USER = "8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000001"
ROOM_ID = "99400000000000000"
TICKS_PER_SECOND = 10**7

TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:(T\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|\+00:00)?)?", re.ASCII)
"""Date, time of day, fraction, and zone."""

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


def read_time(text: str) -> datetime:
    """The time without its seventh digit."""
    match = TIME.fullmatch(text)
    assert match, text
    time = datetime.fromisoformat(f"{match[1]}{match[2] or 'T00:00:00'}+00:00")
    return time.replace(microsecond=int((match[3] or "").ljust(6, "0")[:6]))


def ticks(text: str) -> int:
    """The time in units of 100 ns since 1970."""
    match = TIME.fullmatch(text)
    assert match, text
    return (read_time(text) - _EPOCH) // timedelta(microseconds=1) * 10 + int((match[3] or "").ljust(7, "0")[6])


def move_times(value: Any, seconds: int) -> Any:
    """Return the JSON with all times moved by whole seconds, and dates by whole days, so that their form stays."""

    def move(text: str) -> str:
        match = TIME.fullmatch(text)
        if not match:
            return text
        if not match[2]:
            return (read_time(text) + timedelta(days=seconds // 86400)).date().isoformat()
        kept = len(match[1] + match[2])
        return (datetime.fromisoformat(text[:kept]) + timedelta(seconds=seconds)).isoformat() + text[kept:]

    return map_texts(value, move)


def _read(exchange: Json) -> Json:
    """Return the exchange with values in place of those that were scrubbed, and its current text."""
    if "sent" in exchange:
        exchange["request_body"] |= exchange["sent"]
    if "text_superseded_by" in exchange:
        newer = _BY_NAME[exchange["text_superseded_by"]]
        [old_id], [new_id] = newer["request_body"]["participants"], exchange["request_body"]["participants"]
        message = newer["response_body"]["error"]["message"].replace(old_id, new_id)
        exchange["response_body"]["error"]["message"] = message
    if exchange["response_body"] and "id" in exchange["response_body"]:
        exchange["response_body"]["id"] = ROOM_ID
    read: Json = map_texts(exchange, lambda text: text.replace("Sanitized", USER))
    return read


_FILES = sorted((Path(__file__).parents[1] / "recordings" / "live").glob("*.json"))
_BY_NAME = {exchange["name"]: exchange for file in _FILES for exchange in json.loads(file.read_bytes())["exchanges"]}
EACH_EXCHANGE = pytest.mark.parametrize(
    "exchange", [pytest.param(_read(exchange), id=name) for name, exchange in _BY_NAME.items()]
)
