"""Scrubs exchanges before they are written to a recording, and matches requests in replay.

This replaces everything that is not known to be harmless, so it also replaces new headers and members:

* Headers other than ``KEPT_HEADERS`` are left out. Their values are replaced wherever else they occur.
* In the JSON of responses, only the members in ``_KEPT_MEMBERS`` keep their text.
* Elsewhere, placeholders replace hosts, access keys, signatures, bearer tokens, UUIDs, raw IDs, room IDs and the tokens
  of ``nextLink``. The last three are numbered, so that they stay distinct.
* A room's times in responses are moved so that ``createdAt`` is 1 January 2026.

As a result, recording the same exchanges again gives the same file. Recording fails if a body is not JSON, or if a
request sets a room's times: they would not match the moved times in the responses.
"""

import json
import os
import re
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import isodate
import yaml
from azure.core.utils import parse_connection_string
from vcr import VCR  # type: ignore[import-untyped]
from vcr.request import Request  # type: ignore[import-untyped]

from azure.communication.rooms import __version__
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY

CONNECTION_STRING_VARIABLE = "COMMUNICATION_CONNECTION_STRING_ROOMS"
RECORDED_FROM_EMULATOR = "# Recorded from the emulator of azure-communication-rooms"
RECORDED_FROM_RESOURCE = f"# Recorded from the resource of {CONNECTION_STRING_VARIABLE} by azure-communication-rooms"
WRITTEN_BY_HAND = "# Written by hand from the contract of the service; not recorded."

REPLACED = "sanitized"
REPLACED_HOST = "sanitized.communication.azure.com"

# The tests always send these IDs, so recordings keep them.
ALICE = "8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000001"
BOB = "8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000002"
PHONE = "4:+14255550123"
NO_SUCH_ROOM = "99000000000000000"
_KEPT_IDS = {ALICE, BOB, PHONE, NO_SUCH_ROOM}

# Not the service's lists of API versions: a new version would change all recordings.
KEPT_HEADERS = {
    "accept",
    "content-type",
    "location",
    "repeatability-result",
    "retry-after",
    "transfer-encoding",
    "x-ms-error-code",
}
_TIMES = {"createdAt", "validFrom", "validUntil"}
_KEPT_MEMBERS = _TIMES | {"id", "rawId", "role", "nextLink", "code", "message", "target"}
_CREATED_AT = datetime(2026, 1, 1, tzinfo=timezone.utc)

_HOST = re.compile(r"[\w.-]+\.communication\.azure\.com(:\d+)?", re.IGNORECASE)
_TOKEN = re.compile(r"(?<=nextLink=)[^&\s\"]+")
_ROOM_ID = re.compile(r"\b99\d{14,15}\b")
_RAW_ID = re.compile(r"(?<![\w:])(?P<prefix>(?:8|28):[a-z-]+:|4:(?=\+?\d{5}))(?:[\w@+-]|\.(?!role\b))+", re.IGNORECASE)
_UUID = re.compile(r"\b(?!0{8}-(?:0{4}-){3})[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)


def configure(vcr: VCR) -> None:
    """Make a VCR match requests strictly, and write only scrubbed recordings."""
    for matcher in (method, path, query, content_type, json_body):
        vcr.register_matcher(matcher.__name__, matcher)
    vcr.match_on = ("method", "path", "query", "content_type", "json_body")
    vcr.decode_compressed_response = True
    vcr.register_serializer("yaml", ScrubbedYaml)


def method(sent: Request, recorded: Request) -> None:
    assert sent.method == recorded.method


def path(sent: Request, recorded: Request) -> None:
    assert urlsplit(sent.uri).path == urlsplit(recorded.uri).path


def query(sent: Request, recorded: Request) -> None:
    """Compare queries as sent. Decoding would make ``+`` equal to a space, and ``%3D`` equal to ``=``."""
    assert urlsplit(sent.uri).query == urlsplit(recorded.uri).query


def content_type(sent: Request, recorded: Request) -> None:
    assert sent.headers.get("Content-Type") == recorded.headers.get("Content-Type")


def json_body(sent: Request, recorded: Request) -> None:
    assert _canonical(sent) == _canonical(recorded)


def _canonical(request: Request) -> str | None:
    """The JSON as text, because ``True == 1`` in Python."""
    body: Any = request.body
    return json.dumps(json.loads(body), sort_keys=True) if body else None


class ScrubbedYaml:
    """A serializer for vcrpy, which scrubs recordings when it writes them."""

    @staticmethod
    def serialize(recording: dict[str, Any]) -> str:
        is_resource = CONNECTION_STRING_VARIABLE in os.environ
        made_from = RECORDED_FROM_RESOURCE if is_resource else RECORDED_FROM_EMULATOR
        scrubbed = yaml.safe_dump(
            Scrubber(recording).scrubbed(), sort_keys=False, width=100_000, default_flow_style=None
        )
        return f"{made_from} {__version__}.\n{scrubbed}"

    @staticmethod
    def deserialize(text: str) -> object:
        return yaml.safe_load(text)


class Scrubber:
    """Replaces whatever a recording must not contain."""

    def __init__(self, recording: dict[str, Any]) -> None:
        self._interactions = recording["interactions"]
        self._numbers: dict[str, dict[str, int]] = {}
        self._hosts: set[str] = set()
        self._secrets = {DEVELOPMENT_ACCESS_KEY}
        if CONNECTION_STRING_VARIABLE in os.environ:
            self._secrets.add(parse_connection_string(os.environ[CONNECTION_STRING_VARIABLE])["accesskey"])
        for interaction in self._interactions:
            url = urlsplit(interaction["request"]["uri"])
            self._hosts |= {url.netloc, str(url.hostname)}
            for message in interaction.values():
                self._secrets |= _secrets(message["headers"])

    def scrubbed(self) -> dict[str, Any]:
        interactions = [
            {"request": self._request(**interaction["request"]), "response": self._response(**interaction["response"])}
            for interaction in self._interactions
        ]
        return {"version": 1, "interactions": interactions}

    def _request(self, method: str, uri: str, body: str | None, headers: dict[str, list[str]]) -> dict[str, Any]:
        _, _, path, query, _ = urlsplit(uri)
        target = self._text(f"{path}?{query}" if query else path)
        if body:
            data = json.loads(body)
            if isinstance(data, dict) and not data.keys().isdisjoint(_TIMES):
                raise ValueError(f"a recorded test must not set a room's times, as {method} {path} does")
            body = json.dumps(self._json(data))
        return {
            "method": method,
            "uri": f"https://{REPLACED_HOST}{target}",
            "body": body,
            "headers": self._headers(headers),
        }

    def _response(self, status: dict[str, Any], headers: dict[str, list[str]], body: dict[str, str]) -> dict[str, Any]:
        text = body["string"] and json.dumps(self._json(json.loads(body["string"]), response=True))
        return {
            "status": {"code": status["code"], "message": self._text(status["message"])},
            "headers": self._headers(headers),
            "body": {"string": text},
        }

    def _headers(self, headers: dict[str, list[str]]) -> dict[str, list[str]]:
        return {
            name: [self._text(value) for value in values]
            for name, values in sorted(headers.items())
            if name.lower() in KEPT_HEADERS
        }

    def _json(self, value: Any, *, response: bool = False, kept: bool = True) -> Any:
        if isinstance(value, str):
            return self._text(value) if kept else REPLACED
        if isinstance(value, list):
            return [self._json(item, response=response, kept=kept) for item in value]
        if not isinstance(value, dict):
            return value
        if response and "createdAt" in value:
            value = {**value, **_moved_times(value)}
        return {
            self._text(name): self._json(member, response=response, kept=not response or name in _KEPT_MEMBERS)
            for name, member in value.items()
        }

    def _text(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, REPLACED)
        text = _TOKEN.sub(lambda token: self._placeholder(token[0], "sanitized/page+{}=="), text)
        for host in sorted(self._hosts, key=len, reverse=True):
            text = re.sub(rf"(https?://)?(?<![\w.-]){re.escape(host)}(?![\w.-])", self._host, text, flags=re.IGNORECASE)
        text = _HOST.sub(REPLACED_HOST, text)
        text = _ROOM_ID.sub(lambda room_id: self._placeholder(room_id[0], "99{:015}"), text)
        text = _RAW_ID.sub(lambda raw_id: self._placeholder(raw_id[0], raw_id["prefix"] + "sanitized-{}"), text)
        return _UUID.sub("00000000-0000-0000-0000-000000000000", text)

    @staticmethod
    def _host(match: re.Match[str]) -> str:
        return f"https://{REPLACED_HOST}" if match[1] else REPLACED_HOST

    def _placeholder(self, value: str, form: str) -> str:
        """A numbered placeholder. Each value of this form gets the next number when it first occurs."""
        if value in _KEPT_IDS:
            return value
        numbers = self._numbers.setdefault(form, {})
        return form.format(numbers.setdefault(value, len(numbers) + 1))


def _secrets(headers: dict[str, list[str]]) -> set[str]:
    """The values of headers that are left out. For ``Authorization``, only the signature or the token."""
    return {
        re.split("Signature=|Bearer ", value)[-1]
        for name, values in headers.items()
        if name.lower() not in KEPT_HEADERS
        for value in values
        if len(value) >= 16
    }


def _moved_times(room: dict[str, Any]) -> dict[str, str]:
    created_at = isodate.parse_datetime(room["createdAt"])
    ages = {name: isodate.parse_datetime(room[name]) - created_at for name in _TIMES & room.keys()}
    return {
        name: (_CREATED_AT + timedelta(seconds=round(age.total_seconds()))).isoformat() for name, age in ages.items()
    }
