"""The emulator's command line."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator
from azure.communication.rooms.emulator.__main__ import main

from ..support.processes import COMMAND, emulator_process


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_output_and_clean_exit(number: signal.Signals) -> None:
    with emulator_process("--port", "0", "--access-key", "c2VjcmV0LWtleQ==") as process:
        connection_string = line(process)
        assert re.fullmatch(r"endpoint=http://127\.0\.0\.1:\d+/;accesskey=c2VjcmV0LWtleQ==", connection_string)
        with RoomsClient.from_connection_string(connection_string) as client:
            room = client.create_room()
            client.delete_room(room.id)
        time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
        assert re.fullmatch(rf"{time} POST /rooms 201 \d+\.\d ms", line(process))
        assert re.fullmatch(rf"{time} DELETE /rooms/{room.id} 204 \d+\.\d ms", line(process))
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
        assert (process.returncode, output, errors) == (0, "", "")


def test_second_signal_is_harmless() -> None:
    with emulator_process("--port=0") as process:
        assert line(process).startswith("endpoint=")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_options(tmp_path: Path) -> None:
    hosts = ["--allowed-host=rooms.test", "--allowed-host=other.test"]
    options = [
        *hosts,
        "--port=0",
        "--page-size=1",
        "--bearer-token=t",
        "--host=localhost",
        f"--database={tmp_path / 'r.db'}",
    ]
    for rooms in (2, 4):
        with emulator_process(*options) as process:
            with RoomsClient.from_connection_string(line(process)) as client:
                client.create_room()
                client.create_room(headers={"Host": "other.test"})
                assert [len(list(page)) for page in client.list_rooms().by_page()] == [1] * rooms
            process.terminate()
            process.wait(timeout=30)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "{port}"], "cannot listen on 127.0.0.1:{port}: "),
        (["--host", "no.such.host.invalid", "--port", "0"], "cannot listen on no.such.host.invalid:0: "),
        (["--port", "0", "--certfile", "none.pem"], "the certificate cannot be read: "),
        (["--port", "0", "--certfile", "{text}"], "the certificate cannot be read: "),
        (["--port", "0", "--database", "{text}"], "the database {text} cannot be opened: file is not a database"),
        (["--port", "0", "--database", "no/folder/r.db"], "the database no/folder/r.db cannot be opened: "),
        (["--port", "0", "--database", "{notes}"], "cannot be opened: the file belongs to another program"),
        (["--port", "0", "--access-key", "x"], "access_key is not base64"),
        (["--port", "0", "--page-size", "0"], "page_size must be at least 1, not 0"),
        (["--port", "99999"], "port must be from 0 to 65535, not 99999"),
    ],
)
def test_failure_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    text = tmp_path / "text"
    text.write_text("neither a certificate nor a database, but some text" * 20)
    notes = tmp_path / "notes.db"
    connection = sqlite3.connect(notes)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    with RoomsEmulator() as other:
        values = {"port": other.endpoint.rpartition(":")[2], "text": str(text), "notes": str(notes)}
        process = subprocess.run(
            [*COMMAND, *(argument.format(**values) for argument in arguments)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert process.returncode == 1
    assert process.stdout == ""
    [error] = process.stderr.splitlines()
    assert error.startswith("python -m azure.communication.rooms.emulator: ")
    assert message.format(**values) in error


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "httptools"])
def test_missing_extra_is_one_line(tmp_path: Path, missing: str) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError(name={missing!r})\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = subprocess.run(COMMAND, capture_output=True, text=True, timeout=30, check=False, env=environment)
    assert process.returncode == 1
    [error] = process.stderr.splitlines()
    assert f"the emulator needs {missing}: install this package with the emulator extra" in error


def test_warning_if_not_on_loopback(capfd: pytest.CaptureFixture[str]) -> None:
    program = (
        "import socket, sys; create = socket.create_server\n"
        "socket.create_server = lambda address, **kwargs: create(('127.0.0.1', 0), **kwargs)\n"
        "sys.argv[1:] = ['--host', '0.0.0.0', '--port', '0']\n"
        "from azure.communication.rooms.emulator.__main__ import main; main()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert line(process) == "listening on 0.0.0.0: other machines can reach this emulator"
        assert line(process).startswith("endpoint=http://127.0.0.1:")
        process.terminate()


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Run the command line in this process, as if a signal arrived while it starts."""
    monkeypatch.setattr(signal, "signal", lambda number, handler: handler(number, None))
    monkeypatch.setattr(sys, "argv", ["emulator", *arguments])
    main()


def test_main(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run_main(monkeypatch, "--port=0")
    assert capsys.readouterr().out.startswith("endpoint=http://127.0.0.1:")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--database", "{text}"], "the database {text} cannot be opened: file is not a database"),
        (["--certfile", "{text}"], "the certificate cannot be read: "),
        (["--host", "no.such.host.invalid"], "cannot listen on no.such.host.invalid:8787: "),
        (["--port", "-1"], "port must be from 0 to 65535, not -1"),
        (["--allowed-host", "http://rooms.test"], "allowed_hosts must be host names without a scheme or port, not "),
    ],
)
def test_main_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], message: str) -> None:
    text = tmp_path / "text"
    text.write_text("neither a certificate nor a database")
    with pytest.raises(SystemExit, match=re.escape(message.format(text=text))):
        run_main(monkeypatch, *(argument.format(text=text) for argument in arguments))


@pytest.mark.parametrize(
    ("missing", "message"), [("uvicorn", "the emulator needs uvicorn: "), ("sqlite3", "import of sqlite3 halted")]
)
def test_missing_module(missing: str, message: str) -> None:
    program = (
        f"import sys; sys.modules[{missing!r}] = None; from azure.communication.rooms.emulator import RoomsEmulator"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert f"\nModuleNotFoundError: {message}" in process.stderr
