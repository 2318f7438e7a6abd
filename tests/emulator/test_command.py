"""The emulator's command line."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from azure.core.rest import HttpRequest

from azure.communication.rooms import RoomsClient, __version__
from azure.communication.rooms.emulator._command import main

from ..support import posix
from ..support.certificates import Certificates
from ..support.processes import COMMAND, emulator_process

PRINT_ENVIRONMENT = "import json, os, sys; print(json.dumps(dict(os.environ)))"
CALL_WITHOUT_OPTIONS = """
import os
from azure.communication.identity import CommunicationIdentityClient
from azure.communication.rooms import RoomsClient, __version__

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
    process = run(
        *("--env", "ACS", "--env", "URL={endpoint}/x", "--env", "KEY={access_key}", "--access-key", "a2V5"),
        *("--", sys.executable, "-c", PRINT_ENVIRONMENT + "; print('mine', file=sys.stderr); sys.exit(7)"),
        NO_PROXY="corp.example",
        no_proxy="",
        NODE_EXTRA_CA_CERTS=certificates.authority,
        MY_ACS="endpoint=https://contoso.communication.azure.com/;accesskey=a2V5",
    )
    assert process.returncode == 7
    environment = json.loads(process.stdout)
    endpoint = environment["COMMUNICATION_SAMPLES_ENDPOINT"]
    assert environment["ACS"] == environment["ACS_CONNECTION_STRING"] == f"endpoint={endpoint}/;accesskey=a2V5"
    assert (environment["URL"], environment["KEY"]) == (f"{endpoint}/x", "a2V5")
    assert not os.path.exists(environment["REQUESTS_CA_BUNDLE"])
    assert "\nmine\nThe emulator's log is empty. The README says what interception does not catch." in process.stderr


def test_command_without_interception() -> None:
    process = run(
        *("--no-intercept", "--no-entra", "--", sys.executable, "-c", PRINT_ENVIRONMENT),
        MY_ACS="endpoint=https://contoso.communication.azure.com/;accesskey=a2V5",
    )
    assert json.loads(process.stdout).keys().isdisjoint({"HTTPS_PROXY", "NODE_USE_ENV_PROXY", "IDENTITY_ENDPOINT"})
    assert "MY_ACS names another resource. To replace it, pass --env MY_ACS." in process.stderr


def test_environment_that_refuses_proxies() -> None:
    process = run("--", sys.executable, "-c", PRINT_ENVIRONMENT, NO_PROXY="*", AZURE_CLIENT_SECRET="s")
    assert "DefaultAzureCredential asks Azure for tokens unless you unset AZURE_CLIENT_SECRET." in process.stderr
    assert "NO_PROXY is *, so requests to resources in Azure are not intercepted." in process.stderr
    environment = json.loads(process.stdout)
    assert "HTTPS_PROXY" not in environment
    assert environment["NO_PROXY"] == "*"


@posix
def test_python_is_the_interpreter_of_the_emulator(tmp_path: Path) -> None:
    program = ("python", "-c", "import sys; print(sys.prefix)")
    assert run("--", *program, PATH="/usr/bin:/bin", VIRTUAL_ENV=sys.prefix).stdout == f"{sys.prefix}\n"
    script = os.path.relpath(Path(sys.executable).with_name("rooms-emulator"), tmp_path)
    variables = {"PATH": "/usr/bin:/bin", "VIRTUAL_ENV": sys.prefix}
    own = subprocess.run(
        [script, "--", *program], cwd=tmp_path, env=variables, capture_output=True, text=True, check=True
    )
    assert own.stdout == f"{sys.prefix}\n"
    # As a tool of its own, the emulator runs programs of other environments.
    (tmp_path / "python").symlink_to("/bin/echo")
    path = f"{tmp_path}:/usr/bin:/bin"
    echoed = "-c import sys; print(sys.prefix)\n"
    assert run("--", *program, PATH=path, VIRTUAL_ENV=str(tmp_path)).stdout == echoed
    tool = tmp_path / "rooms-emulator"
    tool.write_text(f"#!{sys.executable}\nfrom azure.communication.rooms.emulator._command import main\nmain()\n")
    tool.chmod(0o755)
    environment = {**os.environ, "PATH": path, "VIRTUAL_ENV": sys.prefix}
    for arguments, output in (("--", *program), echoed), (("--version",), f"rooms-emulator {__version__}\n"):
        process = subprocess.run([tool, *arguments], env=environment, capture_output=True, text=True, check=True)
        assert process.stdout == output


def test_log_file_and_http(tmp_path: Path) -> None:
    program = "import os; from urllib.request import urlopen; urlopen(os.environ['COMMUNICATION_SAMPLES_ENDPOINT'])"
    process = run("--no-tls", f"--log={tmp_path / 'log'}", "--", sys.executable, "-c", program)
    assert "HTTP Error 401" in process.stderr
    reason = r"\S+ GET / 401 \S+ ms: no credentials\n"
    assert re.fullmatch(reason, (tmp_path / "log").read_text())
    assert re.search(reason, run("--no-tls", "--", sys.executable, "-c", program).stderr)  # the response hides it


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
def test_printed_lines_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    lines: list[str] = []
    for _ in range(2):
        with emulator_process("--tls", f"--port={port}") as process:
            assert line(process).startswith(f"endpoint=https://127.0.0.1:{port}/;accesskey=")
            assert line(process) == f"The emulator's page: https://127.0.0.1:{port}/_emulator"
            assert line(process) == "To use the emulator in another terminal:"
            while "JAVA_TOOL_OPTIONS" not in "".join(lines):
                lines.append(line(process))
            script = "\n".join([*lines, 'exec "$@"'])  # those of the first start
            command = ["sh", "-c", script, "sh", sys.executable, "-c", CALL_WITHOUT_OPTIONS]
            subprocess.run(command, check=True, timeout=60)
            process.terminate()
            process.wait(timeout=30)
    assert all(each.startswith("export ") for each in lines)
    assert "HTTPS_PROXY" not in "".join(lines)  # other programs in this terminal work when the emulator has stopped
    [folder] = tmp_path.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@posix
def test_output_that_nobody_reads() -> None:
    with emulator_process("--port=0") as process:
        with RoomsClient.from_connection_string(line(process)) as client:
            for _ in range(150):
                client.send_request(HttpRequest("GET", f"/{'x' * 1000}"))
        process.terminate()
        assert process.wait(timeout=30) == 0


RunMain = Callable[..., object]


@pytest.fixture
def run_main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunMain:
    """Runs the command line in this process, in an empty folder, and returns its exit status or error."""
    monkeypatch.chdir(tmp_path)

    def run_main(*arguments: str) -> object:
        monkeypatch.setattr(signal, "signal", lambda *_: None)
        monkeypatch.setattr(sys, "argv", ["rooms-emulator", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
        return exit_.value.code

    return run_main


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        (["no-such-command", "--port"], 127, "no-such-command: command not found"),
        (["./none"], 127, "./none: command not found"),
        (["./text"], 126, "./text: permission denied"),
        (["./"], 126, "./: permission denied"),
        (["./script"], 127, "./script: No such file or directory"),
        ([], 2, "rooms-emulator: error: -- needs a command"),
    ],
)
def test_command_that_cannot_run(
    run_main: RunMain, capsys: pytest.CaptureFixture[str], command: list[str], status: int, message: str
) -> None:
    Path("text").touch()
    Path("script").write_text("#!/no/such/interpreter\n")
    Path("script").chmod(0o755)
    assert run_main("--", *command) == status
    output, errors = capsys.readouterr()
    assert (output, errors.splitlines()[-1]) == ("", message)


@pytest.mark.parametrize("missing", ["trustme", "uvicorn"])
def test_missing_extra_is_one_line(tmp_path: Path, missing: str) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError(name={missing!r})\n")
    process = run(PYTHONPATH=os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    assert process.returncode == 1
    [error] = process.stderr.splitlines()
    assert f"the emulator needs {missing}: install this package with the emulator extra" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "no.such.host.invalid"], "cannot listen on no.such.host.invalid:8787: "),
        (["--database", "text"], "the database text cannot be opened: file is not a database"),
        (["--database", "no/r.db", "--", "python"], "unable to open database file; is there such a folder?"),
        (["--log", "no/folder/log"], "No such file or directory: '"),
        (["--intercept", "--no-tls", "--", "python"], "intercept needs tls, and so does tls_folder"),
        (["--page-size", "0"], "page_size must be from 1 to 1000000000, not 0"),
    ],
)
def test_main_fails(run_main: RunMain, arguments: list[str], message: str) -> None:
    Path("text").write_text("neither a certificate nor a database")
    error = str(run_main(*arguments))
    assert error.startswith("rooms-emulator: ")
    assert message in error
    assert "\n" not in error


@pytest.mark.parametrize("name", ["A B", "1A", "$(ls)", ""])
def test_wrong_name(run_main: RunMain, name: str) -> None:
    error = f"rooms-emulator: --env {name}=x: {name!r} is not the name of a variable"
    assert run_main("--env", f"{name}=x", "--", "python") == error


@pytest.mark.parametrize("template", ["{x}", "{", "{}", "{0}", "{endpoint.x}", "{endpoint[x]}"])
def test_wrong_template(run_main: RunMain, template: str) -> None:
    error = str(run_main("--env", f"A={template}", "--", "python"))
    assert f": --env A={template}: use only {{connection_string}}, {{endpoint}}, {{access_key}} in braces" in error
