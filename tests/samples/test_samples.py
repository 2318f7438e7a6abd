"""Each sample runs as it is in a new process, with nothing configured or with a resource."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

from ..support import ROOT
from .running import VARIABLE, run, run_sample

SAMPLES = ROOT / "samples"
NOTICE = f"{VARIABLE} is not set, so this sample uses an emulator.\n"
INVITATION = """\
{
  "roomId": "ID",
  "userId": "USER",
  "token": "TOKEN",
  "expiresOn": "DATETIME"
}
"""
OUTPUTS = {
    "room_life.py": """\
Created room ID, open from DAY TIME to TIME UTC
Got it: created at TIME, dial-out False
Updated it: open until TIME, dial-out True
The service refused a range of 200 days, with status 400:
(BadArgument) The time range is incorrect, or larger than 180 days. Target: ValidUntil
Listed 1 room(s), page by page
Deleted it: 404 Not Found
""",
    "participants_and_roles.py": """\
Invited two:
  teacher as Presenter
  pupil as Attendee
Added one and changed one:
  teacher as Presenter
  pupil as Collaborator
  parent as Consumer
Removed all but the presenter:
  teacher as Presenter
""",
    "schedule_appointment.py": INVITATION * 2,
    "create_once.py": """\
Created room ID. Suppose that the program crashes now, before it saves the ID.
Sent the same request again, and got the same room: ID
""",
    "errors_retries_timeouts.py": """\
There is no room ID, or it was deleted
Status 400: (BadRequest) Invalid room ID length.
ValidUntil: The time range end is in the past.
Created and deleted room ID
""",
    "asyncio_rooms.py": "Created 5 rooms\nListed 5 rooms\nDeleted them\n",
    "provision_rooms.py": "20 of 20 rows have a room. See FILE\n",
}


@pytest.fixture(scope="module")
def resource() -> Iterator[RoomsEmulator]:
    """An emulator that takes the place of a resource in Azure: it uses TLS and runs in another process."""
    with RoomsEmulator(tls=True) as emulator:
        yield emulator


@pytest.fixture
def variables(resource: RoomsEmulator) -> dict[str, str]:
    """The environment variables of somebody who uses the resource, which is empty."""
    resource.reset()
    return {VARIABLE: resource.connection_string, "REQUESTS_CA_BUNDLE": resource.ca_file}


def with_placeholders(output: str) -> str:
    """Replace values that differ between runs."""
    for pattern, word in [
        (r"\b\d{16,18}\b", "ID"),
        (r"\d{4}-\d\d-\d\dT[\d:.+]+", "DATETIME"),
        (r"\d{4}-\d\d-\d\d", "DAY"),
        (r"\b\d\d:\d\d(:\d\d)?\b", "TIME"),
        (r"\b8:acs:\S{36}_\S{36}", "USER"),
        (r"\bey[\w-]+\.[\w-]+\.[\w-]+", "TOKEN"),
        (r"See \S+", "See FILE"),
    ]:
        output = re.sub(pattern, word, output)
    return output


def calls(emulator: RoomsEmulator) -> list[tuple[str, int | None]]:
    return [(request.method, request.status_code) for request in emulator.requests]


@pytest.mark.parametrize("sample", OUTPUTS)
def test_with_nothing_configured(sample: str) -> None:
    result = run_sample(sample)
    assert (result.returncode, result.stderr) == (0, NOTICE)
    assert with_placeholders(result.stdout) == OUTPUTS[sample]


@pytest.mark.parametrize("sample", ["room_life.py", "participants_and_roles.py", "errors_retries_timeouts.py"])
def test_with_a_resource(sample: str, resource: RoomsEmulator, variables: dict[str, str]) -> None:
    result = run_sample(sample, **variables)
    assert (result.returncode, result.stderr) == (0, "")
    assert with_placeholders(result.stdout) == OUTPUTS[sample]
    assert ("POST", 201) in calls(resource)
    with RoomsClient.from_connection_string(resource.connection_string, connection_verify=resource.ca_file) as client:
        assert not list(client.list_rooms())


def test_appointment(resource: RoomsEmulator, variables: dict[str, str]) -> None:
    output = run_sample("schedule_appointment.py", **variables).stdout
    host, guest = (json.loads("{" + part) for part in output.split("{")[1:])
    assert host["token"] != guest["token"]
    with RoomsClient.from_connection_string(resource.connection_string, connection_verify=resource.ca_file) as client:
        (room,) = client.list_rooms()
        participants = client.list_participants(room.id)
        roles = {each.communication_identifier.raw_id: str(each.role) for each in participants}
    assert room.id == host["roomId"] == guest["roomId"]
    assert roles == {host["userId"]: "Presenter", guest["userId"]: "Attendee"}


def test_create_once(resource: RoomsEmulator, variables: dict[str, str]) -> None:
    run_sample("create_once.py", **variables)
    assert calls(resource) == [("POST", 201), ("POST", 201), ("DELETE", 204)]
    first, second = resource.requests[:2]
    for name in ("repeatability-request-id", "repeatability-first-sent"):
        assert first.headers[name] == second.headers[name]
    assert first.body == second.body


def test_logging_and_tracing() -> None:
    result = run_sample("logging_and_tracing.py")
    assert (result.returncode, result.stderr) == (0, NOTICE)
    assert DEVELOPMENT_ACCESS_KEY not in result.stdout
    assert "Signature" not in result.stdout
    _, info, debug, error, spans = re.split(r"^\d\. .*\n", result.stdout, flags=re.MULTILINE)
    assert "'Authorization': 'REDACTED'" in info
    assert '{"id":"' not in info
    assert '{"id":"' in debug
    assert re.fullmatch(r"from the client: \S{36}\nfrom the service: \S+\nfrom its front door: \S+\n\n", error)
    names = re.findall("^SPAN (.*), in trace (.*)$", spans, re.MULTILINE)
    assert [name for name, _ in names] == ["DELETE", "RoomsClient.delete_room", "end the consultation"]
    assert len({trace for _, trace in names}) == 1


def test_proxy_in_the_environment() -> None:
    result = run_sample("participants_and_roles.py", HTTPS_PROXY="http://127.0.0.1:9")
    assert (result.returncode, result.stderr) == (0, NOTICE)


def test_missing_extra(tmp_path: Path) -> None:
    (tmp_path / "starlette.py").write_text("raise ModuleNotFoundError('no starlette', name='starlette')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    result = run_sample("room_life.py", PYTHONPATH=path)
    assert result.returncode == 1
    assert re.fullmatch(rf"{VARIABLE} is not set, and the emulator needs starlette: .*\n", result.stderr)


def test_entra_id_with_nothing_configured() -> None:
    result = run_sample("entra_id.py")
    notice = "COMMUNICATION_SAMPLES_ENDPOINT is not set, so this sample uses an emulator.\n"
    assert (with_placeholders(result.stdout), result.stderr) == ("Created room ID\nDeleted it\n", notice)


def test_entra_id_with_a_resource(resource: RoomsEmulator) -> None:
    result = run_sample("entra_id.py", **resource.environment)
    assert (with_placeholders(result.stdout), result.stderr) == ("Created room ID\nDeleted it\n", "")
    refused = {
        **resource.environment,
        "IDENTITY_HEADER": "wrong",
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
    }
    result = run_sample("entra_id.py", **refused)
    assert result.returncode == 1
    assert "There is no token, or the service refused it: " in result.stderr


def test_own_tests_of_an_application() -> None:
    command = "pytest samples/testing_your_app"
    for file in ("README.md", "testing_your_app/test_app.py"):
        assert command in (SAMPLES / file).read_text(encoding="utf-8")
    result = run(*command.split(), "-W", "error", "-p", "no:cacheprovider", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert re.search(r"= 7 passed in \S+s =", result.stdout), result.stdout


def test_readme_lists_every_sample() -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[`(\S+)`\]\(\1\) \| ", readme, re.MULTILINE)
    others = {"README.md", "__pycache__", "sample_resource.py"}
    assert sorted(listed) == sorted(path.name for path in SAMPLES.iterdir() if path.name not in others)
