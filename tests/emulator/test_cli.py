"""The emulator from the command line."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

COMMAND = [sys.executable, "-m", "azure.communication.rooms.emulator"]


@contextmanager
def emulator_process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_connection_string_and_a_line_per_request_and_ends_cleanly(number: signal.Signals) -> None:
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


def test_its_options_are_those_of_the_class(tmp_path: Path) -> None:
    options = ["--port=0", "--page-size=1", "--bearer-token=t", "--host=localhost", f"--database={tmp_path / 'r.db'}"]
    for rooms in (2, 4):
        with emulator_process(*options) as process:
            with RoomsClient.from_connection_string(line(process)) as client:
                client.create_room()
                client.create_room()
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
        (["--port", "0", "--access-key", "x"], "access_key is not base64"),
        (["--port", "0", "--page-size", "0"], "page_size must be at least 1, not 0"),
        (["--port", "99999"], "port must be from 0 to 65535, not 99999"),
    ],
)
def test_what_hinders_it_is_one_line_and_a_failure(tmp_path: Path, arguments: list[str], message: str) -> None:
    text = tmp_path / "text"
    text.write_text("neither a certificate nor a database, but some text" * 20)
    with RoomsEmulator() as other:
        values = {"port": other.endpoint.rpartition(":")[2], "text": str(text)}
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
def test_a_missing_extra_is_one_line_and_a_failure(tmp_path: Path, missing: str) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError(name={missing!r})\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = subprocess.run(COMMAND, capture_output=True, text=True, timeout=30, check=False, env=environment)
    assert process.returncode == 1
    [error] = process.stderr.splitlines()
    assert f"the emulator needs {missing}: install this package with its extra" in error


def test_listening_for_other_machines_is_told(capfd: pytest.CaptureFixture[str]) -> None:
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
