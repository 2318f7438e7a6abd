"""Each sample runs unchanged in a new process, prints what it should, and sends the requests that it should."""

import json
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms._api_version import DEFAULT_API_VERSION
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

from ..support import ROOT
from ..support.certificates import Certificates
from ..support.environments import Environment
from ..support.waiting import wait_for
from .commands import run

SAMPLES = ROOT / "samples"
README = (SAMPLES / "README.md").read_text(encoding="utf-8")
ROOM_LIFE = """\
Created room ID, open from DAY TIME to TIME UTC
Got it: created at TIME, dial-out False
Updated it: open until TIME, dial-out True
The service refused a range of 200 days, with status 400:
(BadArgument) The time range is incorrect, or larger than 180 days. Target: ValidUntil
Listed 1 room(s), page by page
Deleted it: 404 Not Found
"""
UNCHANGED = """\
Participant 4:+14255550123 as Attendee
Listed 1 room(s)
Deleted: 404 NotFound
"""


def run_sample(sample: str, **environment: str) -> str:
    return run(sys.executable, "-W", "error", f"samples/{sample}", environment=environment)


def output_of(sample: str, emulator: RoomsEmulator) -> str:
    """Return what the sample prints, with placeholders for values that differ between runs."""
    return with_placeholders(run_sample(sample, COMMUNICATION_SAMPLES_CONNECTION_STRING=emulator.connection_string))


def with_placeholders(output: str) -> str:
    for pattern, word in [
        (r"\b\d{16,18}\b", "ID"),
        (r"http://127.0.0.1:\d+", "ENDPOINT"),
        (r"\d{4}-\d\d-\d\dT[\d:.+]+", "DATETIME"),
        (r"\d{4}-\d\d-\d\d", "DAY"),
        (r"\b\d\d:\d\d:\d\d\b", "TIME"),
        (r"\b\d\d:\d\d\b", "TIME"),
    ]:
        output = re.sub(pattern, word, output)
    return output


def calls(emulator: RoomsEmulator) -> list[tuple[str, int | None]]:
    return [(request.method, request.status_code) for request in emulator.requests]


def test_room_life(emulator: RoomsEmulator) -> None:
    assert output_of("room_life.py", emulator) == ROOM_LIFE
    assert calls(emulator) == [
        ("POST", 201),
        ("GET", 200),
        ("PATCH", 200),
        ("PATCH", 400),
        ("GET", 200),
        ("DELETE", 204),
        ("GET", 404),
    ]


def test_room_life_without_a_resource() -> None:
    assert with_placeholders(run_sample("room_life.py")) == f"Started the emulator at ENDPOINT\n{ROOM_LIFE}"


def test_participants_and_roles(emulator: RoomsEmulator) -> None:
    output = output_of("participants_and_roles.py", emulator).replace("8:acs:11111111-1111-1111-1111-111111111111_", "")
    assert re.findall(r"^  (\S+) as (\w+)$|^(After)", output, re.MULTILINE) == [
        ("teacher", "Presenter", ""),
        ("pupil", "Attendee", ""),
        ("", "", "After"),
        ("teacher", "Presenter", ""),
        ("pupil", "Collaborator", ""),
        ("4:+14255550123", "Consumer", ""),
        ("", "", "After"),
        ("pupil", "Collaborator", ""),
    ]
    assert Counter(calls(emulator)) == {("POST", 201): 1, ("GET", 200): 4, ("PATCH", 200): 3, ("DELETE", 204): 1}


def test_errors_retries_timeouts(emulator: RoomsEmulator) -> None:
    assert output_of("errors_retries_timeouts.py", emulator) == (
        "There is no room ID, or it was deleted\n"
        "Status 400: (BadRequest) Invalid room ID length.\n"
        "ValidUntil: The time range end is in the past.\n"
        "Created, updated and deleted room ID\n"
    )
    assert [status for _, status in calls(emulator)] == [404, 400, 400, 201, 200, 204]


def test_logging_and_tracing(emulator: RoomsEmulator) -> None:
    connection_string = emulator.connection_string
    output = run_sample("logging_and_tracing.py", COMMUNICATION_SAMPLES_CONNECTION_STRING=connection_string)
    assert DEVELOPMENT_ACCESS_KEY not in output
    assert "Signature" not in output
    assert "'Authorization': 'REDACTED'" in output

    create, get, delete, _ = emulator.requests
    created = f"POST {emulator.endpoint}/rooms?api-version={DEFAULT_API_VERSION.value}: status 201\n"
    hook = output.partition(created)[2].splitlines()
    assert hook[0] == f"  x-ms-client-request-id: {create.headers['x-ms-client-request-id']}"
    assert re.fullmatch(r"  MS-CV: \S{22}\.0", hook[1])
    assert re.fullmatch(r"  X-Azure-Ref: \S{40,}", hook[2])
    assert re.fullmatch(r"Failed with 404, MS-CV \S{22}\.0", output.splitlines()[-1])

    assert '{"id":"' in output.partition("DEBUG")[2]  # the body of the response
    assert '{"id":"' not in output.partition("DEBUG")[0]

    spans = [json.loads(line) for line in re.findall("^SPAN (.*)$", output, re.MULTILINE)]
    trace = spans[[span["name"] for span in spans].index("end the consultation")]["context"]["trace_id"]
    names = [span["name"] for span in spans if span["context"]["trace_id"] == trace]
    assert names == ["DELETE", "RoomsClient.delete_room", "end the consultation"]
    assert delete.headers["traceparent"].split("-")[1] == trace.removeprefix("0x")
    assert "traceparent" in get.headers


def test_create_once(emulator: RoomsEmulator) -> None:
    assert output_of("create_once.py", emulator) == (
        "Simulated a crash after status 201, before the room's ID was saved\n"
        "Sent the same request again: room ID\n"
        "Asked once more, sent nothing: room ID\n"
    )
    assert calls(emulator) == [("POST", 201), ("POST", 201), ("DELETE", 204)]


def test_create_once_after_a_kill(emulator: RoomsEmulator, client: RoomsClient, tmp_path: Path) -> None:
    program = (
        "import sqlite3, sys; from datetime import datetime, timezone;"
        "from azure.communication.rooms import RoomsClient; from samples.create_once import CREATE_TABLE, room_of;"
        "database = sqlite3.connect(sys.argv[2]); database.execute(CREATE_TABLE);"
        "client = RoomsClient.from_connection_string(sys.argv[1]);"
        "print(room_of('meeting', datetime.now(timezone.utc), client, database))"
    )
    command = [sys.executable, "-c", program, emulator.connection_string, str(tmp_path / "meetings.db")]
    emulator.inject(drop="after")
    emulator.inject(delay=60)
    with subprocess.Popen(command, cwd=ROOT) as process:
        wait_for(lambda: len(emulator.requests) == 2)  # the first attempt created the room
        process.kill()

    assert [run(*command).strip()] == [room.id for room in client.list_rooms()]
    created = emulator.requests[:3]
    assert len({(request.headers["repeatability-request-id"], request.body) for request in created}) == 1
    assert len({request.headers["repeatability-first-sent"] for request in created}) == 1


def test_asyncio_rooms(emulator: RoomsEmulator) -> None:
    assert output_of("asyncio_rooms.py", emulator) == (
        "Created room ID\n"
        "Listed 1 room(s)\n"
        "Created 20 rooms, at most 8 at a time\n"
        "Stopped waiting for the deletion\n"
        "The deletion took place nevertheless\n"
    )
    assert Counter(calls(emulator)) == {("POST", 201): 22, ("GET", 200): 1, ("DELETE", 204): 22, ("GET", 404): 1}


def test_migrating(emulator: RoomsEmulator) -> None:
    assert output_of("migrating.py", emulator) == (
        f"{UNCHANGED}Open for 180 days, until DATETIME\nStatuses: [200, 404]\nA room for a test: ID\n"
    )


@pytest.mark.index
def test_migrating_from_released_package(emulator: RoomsEmulator, tmp_path: Path) -> None:
    environment = Environment(tmp_path)
    environment.install("azure-communication-rooms==1.2.0")
    program = (
        "import sys; sys.path.append(sys.argv.pop()); import migrating;"
        "from azure.core.credentials import AzureKeyCredential;"
        "migrating.unchanged(migrating.RoomsClient(sys.argv[1], AzureKeyCredential(sys.argv[2])))"
    )
    output = environment.python("-c", program, emulator.endpoint, DEVELOPMENT_ACCESS_KEY, str(SAMPLES))
    assert output == UNCHANGED


@contextmanager
def managed_identity(token: str, resources: list[str]) -> Iterator[str]:
    """A fake token endpoint of a managed identity in Azure App Service. The real one uses http, too."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            resources.extend(parse_qs(urlsplit(self.path).query)["resource"])
            body = json.dumps({"access_token": token, "expires_on": "4102444800", "token_type": "Bearer"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/msi/token"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("accepted", [True, False])
def test_entra_id(certificates: Certificates, accepted: bool) -> None:
    """azure-identity is real; its token endpoint is a fake, and the emulator takes the place of the resource."""
    resources: list[str] = []
    token = "a-token" if accepted else "another-token"
    with (
        RoomsEmulator(certfile=certificates.certfile, bearer_token="a-token") as emulator,
        managed_identity(token, resources) as token_endpoint,
    ):
        environment = {
            "IDENTITY_ENDPOINT": token_endpoint,
            "IDENTITY_HEADER": "a-secret",
            "REQUESTS_CA_BUNDLE": certificates.authority,
            "COMMUNICATION_SAMPLES_ENDPOINT": emulator.endpoint,
        }
        if accepted:
            assert with_placeholders(run_sample("entra_id.py", **environment)) == "Created room ID\nDeleted it\n"
            assert calls(emulator) == [("POST", 201), ("DELETE", 204)]
        else:
            with pytest.raises(AssertionError, match=r"There is no token, or the service refused it: .*\n"):
                run_sample("entra_id.py", **environment)
            assert {status for _, status in calls(emulator)} == {401}
    assert set(resources) == {"https://communication.azure.com/"}


def test_readme_lists_every_sample() -> None:
    listed = re.findall(r"^\| \[`(\S+)`\]\(\1\) \| ", README, re.MULTILINE)
    assert sorted([*listed, "README.md"]) == sorted(
        path.name for path in SAMPLES.iterdir() if path.name != "__pycache__"
    )


def test_readme_has_the_default_key() -> None:
    assert f'"endpoint=http://127.0.0.1:8787/;accesskey={DEVELOPMENT_ACCESS_KEY}"' in README
