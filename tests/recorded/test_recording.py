"""Recordings match requests strictly, contain nothing private, and name their source."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from azure.core.pipeline import PipelineResponse
from azure.core.rest import HttpRequest, HttpResponse
from vcr import VCR  # type: ignore[import-untyped]
from vcr.errors import CannotOverwriteExistingCassetteException  # type: ignore[import-untyped]

from azure.communication.rooms import (
    CommunicationUserIdentifier,
    MicrosoftTeamsUserIdentifier,
    PhoneNumberIdentifier,
    RoomParticipant,
    RoomsClient,
)
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

from .conftest import RECORDINGS, REPLAYED
from .scrubbing import (
    ALICE,
    BOB,
    CONNECTION_STRING_VARIABLE,
    KEPT_HEADERS,
    PHONE,
    RECORDED_FROM_EMULATOR,
    RECORDED_FROM_RESOURCE,
    REPLACED_HOST,
    WRITTEN_BY_HAND,
    ScrubbedYaml,
    configure,
)

REPOSITORY = Path(__file__).parents[2]
EACH_RECORDING = [
    pytest.param(path, id=str(path.relative_to(RECORDINGS))) for path in sorted(RECORDINGS.rglob("*.yaml"))
]
ODD_KEY = "b2RkIGFjY2VzcyBrZXkgb2Ygc29tZSByZXNvdXJjZQ=="
USER = "8:acs:6f1d2a7e-52c3-4b8a-9d2f-0a1b2c3d4e5f_0e9f8a7b-6c5d-4e3f-8a2b-1c0d9e8f7a6b"
TEAMS_USER = "a3b1c5d7-1234-4321-abcd-0123456789ab"
PHONE_NUMBER = "+491701234567"
BEARER_TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."


@pytest.fixture
def cassettes(tmp_path: Path) -> VCR:
    """Makes cassettes in a temporary directory, in the same way as the recorded tests."""
    vcr = VCR(cassette_library_dir=str(tmp_path))
    configure(vcr)
    return vcr


# If the client sends a different request, a test fails.

EXCHANGE = f"""
version: 1
interactions:
- request:
    method: PATCH
    uri: https://{REPLACED_HOST}/rooms/99000000000000001/participants?a=1%2B1&api-version=2025-03-13
    body: '{{"participants": {{"{ALICE}": {{"role": "Attendee"}}}}, "flag": true}}'
    headers: {{Content-Type: [application/merge-patch+json]}}
  response:
    status: {{code: 200, message: OK}}
    headers: {{Content-Type: [application/json]}}
    body: {{string: '{{}}'}}
"""
PATH = "/rooms/99000000000000001/participants"
QUERY = "a=1%2B1&api-version=2025-03-13"
BODY = f'{{"participants": {{"{ALICE}": {{"role": "Attendee"}}}}, "flag": true}}'
MERGE_PATCH = "application/merge-patch+json"


def send(
    method: str = "PATCH",
    path: str = PATH,
    query: str = QUERY,
    body: str | None = BODY,
    content_type: str = MERGE_PATCH,
) -> int:
    request = HttpRequest(method, f"{path}?{query}", headers={"Content-Type": content_type}, content=body)
    with RoomsClient.from_connection_string(REPLAYED, retry_total=0) as client:
        return client.send_request(request).status_code


@pytest.mark.block_network
@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"path": "/rooms/99000000000000002/participants"},
        {"path": "/rooms/99000000000000001%2Fparticipants"},
        {"query": "a=1%2B1&api-version=2024-04-15"},
        {"query": "api-version=2025-03-13&a=1%2B1"},
        {"query": "a=1+1&api-version=2025-03-13"},
        {"query": "a=1%2B1&api-version=2025-03-13&b="},
        {"body": None},
        {"body": "{}"},
        {"body": BODY.replace("Attendee", "Presenter")},
        {"body": BODY.replace(ALICE, BOB)},
        {"body": BODY.replace("true", "1")},
        {"body": BODY.replace("true", "true, " + '"validFrom": null')},
        {"content_type": "application/json"},
    ],
    ids=str,
)
def test_different_request_fails(change: dict[str, Any], cassettes: VCR, tmp_path: Path) -> None:
    (tmp_path / "exchange.yaml").write_text(EXCHANGE, encoding="utf-8")

    with (
        cassettes.use_cassette("exchange.yaml", record_mode="none"),
        pytest.raises(CannotOverwriteExistingCassetteException),
    ):
        send(**change)


@pytest.mark.block_network
def test_json_order_and_spacing_are_ignored(cassettes: VCR, tmp_path: Path) -> None:
    (tmp_path / "exchange.yaml").write_text(EXCHANGE, encoding="utf-8")

    with cassettes.use_cassette("exchange.yaml", record_mode="none"):
        assert send(body=f'{{"flag":true,"participants":{{"{ALICE}":{{"role":"Attendee"}}}}}}') == 200


# Replay needs no network.


@pytest.mark.block_network
def test_loopback_is_blocked_too() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket() as client,
        pytest.raises(RuntimeError, match="Network is disabled"),
    ):
        client.connect(server.getsockname())


NO_SOCKETS = """
import sys

import requests  # importing it binds a socket, to detect IPv6

def refuse(event, args):
    if event in ("socket.bind", "socket.connect", "socket.getaddrinfo"):
        raise AssertionError(event)

sys.addaudithook(refuse)
"""


NOT_REPLAYED = [Path(__file__).name, "test_live_emulator.py"]


def run_recorded_tests(directory: Path, *arguments: str) -> str:
    """Run copies of the recorded tests on copies of the recordings."""
    recorded = directory / "tests" / "recorded"
    shutil.copytree(Path(__file__).parent, recorded, ignore=shutil.ignore_patterns(*NOT_REPLAYED, "__pycache__"))
    shutil.copytree(RECORDINGS, directory / "tests" / "recordings")
    command = [sys.executable, "-m", "pytest", "-c", str(REPOSITORY / "pyproject.toml"), f"--rootdir={directory}"]
    environment = {name: value for name, value in os.environ.items() if name != CONNECTION_STRING_VARIABLE}
    run = subprocess.run(
        [*command, "-p", "no:cacheprovider", *arguments, str(recorded)],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


def test_replay_opens_no_connection(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text(NO_SOCKETS, encoding="utf-8")

    assert " passed" in run_recorded_tests(tmp_path)


def test_recording_again_changes_nothing(tmp_path: Path) -> None:
    run_recorded_tests(tmp_path, "--record-mode=rewrite")

    old = contents(RECORDINGS)
    new = contents(tmp_path / "tests" / "recordings")
    assert new.keys() == old.keys()
    for name, (first_line, exchanges) in old.items():
        if not first_line.startswith(RECORDED_FROM_RESOURCE):
            assert new[name][1] == exchanges


def contents(recordings: Path) -> dict[str, tuple[str, str]]:
    """The first line, which contains the version, and the rest of each recording, by name."""
    texts = {str(path.relative_to(recordings)): path.read_text(encoding="utf-8") for path in recordings.rglob("*.yaml")}
    return {name: (text.partition("\n")[0], text.partition("\n")[2]) for name, text in texts.items()}


@pytest.mark.parametrize("path", EACH_RECORDING)
def test_recording_belongs_to_a_test(path: Path) -> None:
    tests = Path(__file__).with_name(f"test_{path.parent.name}.py")
    name = path.stem.partition("[")[0]  # parameters follow the name

    assert f"\ndef {name}(" in tests.read_text(encoding="utf-8")


# Recordings name their source.


@pytest.mark.parametrize("path", EACH_RECORDING)
def test_first_line_names_the_source(path: Path) -> None:
    first_line = path.read_text(encoding="utf-8").partition("\n")[0]

    if path.parent.name == "service":
        assert first_line == WRITTEN_BY_HAND
    else:
        assert first_line.startswith((RECORDED_FROM_EMULATOR, RECORDED_FROM_RESOURCE))


def test_first_line_names_a_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONNECTION_STRING_VARIABLE, raising=False)
    assert ScrubbedYaml.serialize({"interactions": []}).startswith(RECORDED_FROM_EMULATOR)

    monkeypatch.setenv(
        CONNECTION_STRING_VARIABLE, f"endpoint=https://contoso.communication.azure.com/;accesskey={ODD_KEY}"
    )
    assert ScrubbedYaml.serialize({"interactions": []}).startswith(RECORDED_FROM_RESOURCE)


# Nothing private reaches a recording.


def test_real_exchanges_are_scrubbed(cassettes: VCR, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = {ODD_KEY, USER, TEAMS_USER, PHONE_NUMBER, "contoso", "127.0.0.1"}

    def note(response: PipelineResponse[HttpRequest, HttpResponse]) -> None:
        for message in (response.http_response.request, response.http_response):
            # Shorter values, such as lengths, are not private, and may occur anywhere.
            private.update(
                value
                for name, value in message.headers.items()
                if name.lower() not in KEPT_HEADERS and len(value) >= 16
            )

    with RoomsEmulator(page_size=1, access_key=ODD_KEY) as emulator:
        monkeypatch.setenv(CONNECTION_STRING_VARIABLE, emulator.connection_string)
        with (
            cassettes.use_cassette("private.yaml"),
            RoomsClient.from_connection_string(
                emulator.connection_string, raw_response_hook=note, headers={"x-planted": f"Bearer {BEARER_TOKEN}"}
            ) as client,
        ):
            room = client.create_room(
                participants=[
                    RoomParticipant(CommunicationUserIdentifier(USER)),
                    RoomParticipant(MicrosoftTeamsUserIdentifier(TEAMS_USER)),
                    RoomParticipant(PhoneNumberIdentifier(PHONE_NUMBER)),
                ]
            )
            assert len(list(client.list_participants(room.id))) == 3
            # The responses repeat the requested version.
            for requested in (ODD_KEY, USER, BEARER_TOKEN, "eu.contoso.communication.azure.com"):
                response = client.send_request(HttpRequest("GET", f"/rooms?api-version={requested}"))
                assert requested in response.text()
        private |= {room.id, emulator.endpoint, urlsplit(emulator.endpoint).netloc, BEARER_TOKEN}
        private |= {token for request in emulator.requests for token in re.findall("nextLink=([^&]+)", request.query)}

    recorded = (tmp_path / "private.yaml").read_text(encoding="utf-8")
    assert len(yaml.safe_load(recorded)["interactions"]) == 8
    for text in private:
        assert text not in recorded
    assert_nothing_private(recorded)


def test_any_response_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    host = "contoso-prod.unitedstates.communication.azure.com"
    monkeypatch.setenv(CONNECTION_STRING_VARIABLE, f"endpoint=https://{host}/;accesskey={ODD_KEY}")
    signature = "c2lnbmF0dXJlIG9mIHNvbWUgcmVxdWVzdCBvciBvdGhlcg=="
    cookie = "session=5a8e0f6b"
    uuid = "3e1e5e0c-0b5f-4a57-8d3c-2f6c1a9b7e4d"
    time = "2025-02-03T04:05:06.1234567+00:00"
    raw_ids = f"{USER} 28:orgid:{uuid} 4:{PHONE_NUMBER} 8:spool:some.one@contoso"
    message = f"{ODD_KEY} {signature} {BEARER_TOKEN} {raw_ids} {uuid} {cookie} {host.upper()}:443 99123456789012345"
    room = {"id": "99123456789012345", "createdAt": time, "validFrom": time, "owner": {"names": ["alice@contoso.com"]}}
    request = {
        "method": "PATCH",
        "uri": f"https://{host}/rooms/{room['id']}?api-version=2025-03-13",
        "body": json.dumps({"participants": {USER: None}, "message": message}),
        "headers": {
            "Authorization": [f"HMAC-SHA256 SignedHeaders=x-ms-date&Signature={signature}"],
            "x-other": [f"Bearer {BEARER_TOKEN}"],
        },
    }
    response = {
        "status": {"code": 200, "message": message},
        "headers": {"Set-Cookie": [cookie], "Location": [f"https://{host}:443/rooms/{room['id']}"]},
        "body": {"string": json.dumps({"value": [room], "error": {"message": message}, "trace": [message]})},
    }

    recorded = ScrubbedYaml.serialize({"interactions": [{"request": request, "response": response}]})

    private = [ODD_KEY, signature, BEARER_TOKEN, USER, PHONE_NUMBER, uuid, cookie, "contoso", "alice@", "some.one"]
    for text in [*private, "99123", "2025-02"]:
        assert text.lower() not in recorded.lower()


def assert_nothing_private(recorded: str) -> None:
    """Look for private values without using the scrubber's own patterns."""
    assert DEVELOPMENT_ACCESS_KEY not in recorded
    assert "127.0.0.1" not in recorded
    assert "localhost" not in recorded
    assert set(re.findall(r"https?://([^/']+)/", recorded)) == {REPLACED_HOST}
    assert all("sanitized" in token for token in re.findall(r"nextLink=([^&]+)", recorded))
    assert all(int(room_id) < 100 for room_id in re.findall(r"\b99(\d{14,15})\b", recorded))
    assert set(re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-", recorded)) <= {
        "00000000-0000-0000-0000-"
    }
    long_words = re.findall(r"[A-Za-z0-9+/]{40,}", re.sub(r"/rooms/\d+/participants", "", recorded))
    assert not long_words  # such as keys, hashes, signatures and tokens
    raw_ids = re.findall(r"\b(?:8|28|4):[\w+:-]+", re.sub(r"T\d\d:\d\d:\d\d", "", recorded))
    assert all(
        raw_id in (ALICE, BOB, PHONE) or raw_id.rstrip("0123456789").endswith("sanitized-") for raw_id in raw_ids
    )
    for interaction in yaml.safe_load(recorded)["interactions"]:
        for message in interaction.values():
            assert {name.lower() for name in message["headers"]} <= KEPT_HEADERS


@pytest.mark.parametrize("path", EACH_RECORDING)
def test_recordings_are_scrubbed(path: Path) -> None:
    assert_nothing_private(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [param for param in EACH_RECORDING if "service" not in str(param.id)])
def test_scrubbing_twice_changes_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert ScrubbedYaml.serialize(yaml.safe_load(text)).partition("\n")[2] == text.partition("\n")[2]


def test_only_json_is_recorded() -> None:
    request: dict[str, Any] = {
        "method": "GET",
        "uri": "https://contoso.communication.azure.com/rooms",
        "body": None,
        "headers": {},
    }
    response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "<html>"}}

    with pytest.raises(ValueError, match="Expecting value"):
        ScrubbedYaml.serialize({"interactions": [{"request": request, "response": response}]})


@pytest.mark.parametrize("member", ["validFrom", "validUntil"])
def test_requests_with_times_are_not_recorded(member: str) -> None:
    request: dict[str, Any] = {
        "method": "POST",
        "uri": "https://contoso.communication.azure.com/rooms",
        "body": json.dumps({member: "2026-12-01T09:00:00Z"}),
        "headers": {},
    }
    response = {"status": {"code": 201, "message": "Created"}, "headers": {}, "body": {"string": "{}"}}

    with pytest.raises(ValueError, match="a recorded test must not set a room's times, as POST /rooms does"):
        ScrubbedYaml.serialize({"interactions": [{"request": request, "response": response}]})


def test_scrubbed_listing_is_replayed(cassettes: VCR, tmp_path: Path) -> None:
    with RoomsEmulator(page_size=1) as emulator:
        with RoomsClient.from_connection_string(emulator.connection_string) as client:
            for _ in range(3):
                client.create_room()
        with (
            cassettes.use_cassette("listing.yaml"),
            RoomsClient.from_connection_string(emulator.connection_string) as client,
        ):
            assert len(list(client.list_rooms())) == 3

    with (
        cassettes.use_cassette("listing.yaml", record_mode="none"),
        RoomsClient.from_connection_string(REPLAYED) as client,
    ):
        assert [room.id for room in client.list_rooms()] == [f"99{number:015}" for number in (1, 2, 3)]
