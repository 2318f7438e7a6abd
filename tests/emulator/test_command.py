"""The emulator's command line."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator
from azure.communication.rooms.emulator.__main__ import main

from ..support import posix
from ..support.certificates import Certificates
from ..support.processes import COMMAND, emulator_process

CALL_WITHOUT_OPTIONS = """
import os
from azure.communication.identity import CommunicationIdentityClient
from azure.communication.rooms import RoomsClient

connection_string = os.environ["COMMUNICATION_SAMPLES_CONNECTION_STRING"]
CommunicationIdentityClient.from_connection_string(connection_string).create_user()
RoomsClient.from_connection_string(connection_string).create_room()
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command, variables = [*COMMAND, *arguments], {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=variables)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def test_command_calls_the_emulator_with_tls() -> None:
    process = run("--log", "--", sys.executable, "-c", CALL_WITHOUT_OPTIONS)
    page, *log = process.stderr.splitlines()
    assert re.fullmatch(r"The emulator's page: https://127\.0\.0\.1:\d+/_emulator", page)
    assert [re.sub(r"^\S+ | \S+ ms$", "", each) for each in log] == ["POST /identities 201", "POST /rooms 201"]
    assert (process.returncode, process.stdout) == (0, "")


def test_environment_and_status_of_command(certificates: Certificates) -> None:
    program = "import json, os, sys; print(json.dumps(dict(os.environ))); print('mine', file=sys.stderr); sys.exit(7)"
    process = run(
        *("--env", "ACS", "--env", "OTHER", "--access-key", "a2V5", "--", sys.executable, "-c", program),
        NO_PROXY="corp.example",
        no_proxy="",
        NODE_EXTRA_CA_CERTS=certificates.authority,
        MY_ACS="endpoint=https://contoso.communication.azure.com/;accesskey=a2V5",
    )
    assert process.returncode == 7
    environment = json.loads(process.stdout)
    endpoint = environment["COMMUNICATION_SAMPLES_ENDPOINT"]
    names = ("COMMUNICATION_SAMPLES_CONNECTION_STRING", "AZURE_COMMUNICATION_CONNECTION_STRING", "ACS", "OTHER")
    assert {environment[name] for name in names} == {f"endpoint={endpoint}/;accesskey=a2V5"}
    files = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    assert not any(os.path.exists(environment[name]) for name in files)
    assert environment["NO_PROXY"] == environment["no_proxy"] == "corp.example,127.0.0.1"
    assert process.stderr.splitlines()[1:] == [
        "MY_ACS names another resource. To replace it, pass --env MY_ACS.",
        "mine",
        "The emulator has no request from the command. If the command reads another variable, pass --env NAME.",
    ]


def test_log_file_and_http(tmp_path: Path) -> None:
    program = "import os; from urllib.request import urlopen; urlopen(os.environ['COMMUNICATION_SAMPLES_ENDPOINT'])"
    process = run("--no-tls", f"--log={tmp_path / 'log'}", "--", sys.executable, "-c", program)
    assert "HTTP Error 401" in process.stderr
    assert re.fullmatch(r"\S+ GET / 401 \S+ ms: no credentials\n", (tmp_path / "log").read_text())


COMMAND_WITH_SIGNALS = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
signal.signal(signal.SIGINT, lambda *_: sys.exit(6))
print("ready", flush=True)
signal.pause()
"""


@posix
@pytest.mark.parametrize(
    ("send", "status"),
    [
        (lambda pid: os.killpg(pid, signal.SIGINT), 6),  # as a terminal does for Ctrl-C
        (lambda pid: os.kill(pid, signal.SIGTERM), 5),
        (lambda pid: os.kill(pid, signal.SIGHUP), 5),
    ],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP"],
)
def test_signals_reach_the_command(send: Callable[[int], None], status: int) -> None:
    command = [*COMMAND, "--", sys.executable, "-c", COMMAND_WITH_SIGNALS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert line(process) == "ready"
        send(process.pid)
        assert process.wait(timeout=30) == status


@posix
def test_command_ended_by_a_signal() -> None:
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run("--", sys.executable, "-c", program).returncode == 128 + signal.SIGKILL


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_until_a_signal(number: signal.Signals) -> None:
    with emulator_process("--port=0", "--access-key=a2V5", "--allowed-host=rooms.test", "--page-size=1") as process:
        connection_string = line(process)
        assert re.fullmatch(r"endpoint=http://127\.0\.0\.1:\d+/;accesskey=a2V5", connection_string)
        with RoomsClient.from_connection_string(connection_string) as client:
            client.create_room()
            client.create_room(headers={"Host": "rooms.test"})
            assert [len(list(page)) for page in client.list_rooms().by_page()] == [1, 1]
        log = next(each for each in iter(lambda: line(process), "") if "POST" in each)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ POST /rooms 201 \d+\.\d ms", log)
        process.send_signal(number)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")


@posix
def test_printed_lines_work_in_another_terminal() -> None:
    with emulator_process("--tls", "--port=0") as process:
        connection_string, page, _, *lines = [line(process) for _ in range(12)]
        endpoint = re.fullmatch(r"endpoint=(.*)/;accesskey=.*", connection_string)
        assert endpoint
        assert page == f"The emulator's page: {endpoint[1]}/_emulator"
        assert all(each.startswith("export ") for each in lines)
        script = "\n".join([*lines, 'exec "$@"'])
        subprocess.run(["sh", "-c", script, "sh", sys.executable, "-c", CALL_WITHOUT_OPTIONS], check=True, timeout=60)
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--", "no-such-command", "--port"], 127, "command not found: no-such-command"),
        (["--"], 2, "-- needs a command"),
        (["--database", "no/folder/r.db", "--", "true"], 1, "the database no/folder/r.db cannot be opened: "),
    ],
)
def test_command_that_cannot_run(arguments: list[str], status: int, message: str) -> None:
    process = run(*arguments)
    assert (process.returncode, process.stdout) == (status, "")
    assert process.stderr.splitlines()[-1].partition("emulator: ")[2].removeprefix("error: ").startswith(message)


@pytest.mark.parametrize("missing", ["trustme", "uvicorn"])
def test_missing_extra_is_one_line(tmp_path: Path, missing: str) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError(name={missing!r})\n")
    process = run(PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    assert process.returncode == 1
    [error] = process.stderr.splitlines()
    assert f"the emulator needs {missing}: install this package with the emulator extra" in error


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Run the command line in this process, as if a signal arrived while it starts."""
    monkeypatch.setattr(signal, "signal", lambda number, handler: handler(number, None))
    monkeypatch.setattr(sys, "argv", ["emulator", *arguments])
    main()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "{port}"], "cannot listen on 127.0.0.1:{port}: "),
        (["--host", "no.such.host.invalid"], "cannot listen on no.such.host.invalid:8787: "),
        (["--certfile", "none.pem"], "the certificate cannot be read: "),
        (["--certfile", "{text}"], "the certificate cannot be read: "),
        (["--tls", "--certfile", "{text}"], "tls makes a certificate, so it cannot be combined with certfile"),
        (["--database", "{text}"], "the database {text} cannot be opened: file is not a database"),
        (["--database", "{notes}"], "the database {notes} cannot be opened: the file belongs to another program"),
        (["--log", "no/folder/log"], "No such file or directory: '"),
        (["--access-key", "x"], "access_key is not base64"),
        (["--page-size", "0"], "page_size must be at least 1, not 0"),
        (["--port", "99999"], "port must be from 0 to 65535, not 99999"),
        (["--allowed-host", "http://rooms.test"], "allowed_hosts must be host names without a scheme or port, not "),
    ],
)
def test_main_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], message: str) -> None:
    text = tmp_path / "text"
    text.write_text("neither a certificate nor a database")
    notes = tmp_path / "notes.db"
    connection = sqlite3.connect(notes)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    with RoomsEmulator() as other:
        values = {"port": other.endpoint.rpartition(":")[2], "text": str(text), "notes": str(notes)}
        with pytest.raises(SystemExit, match=re.escape(message.format(**values))) as exit_:
            run_main(monkeypatch, *(argument.format(**values) for argument in arguments))
    error = str(exit_.value.code)
    assert error.startswith("python -m azure.communication.rooms.emulator: ")
    assert "\n" not in error
