"""The emulator's command line: runs a command with the emulator, or serves until a signal ends it."""

import argparse
import logging
import logging.handlers
import os
import queue
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from .._version import VERSION

if TYPE_CHECKING:
    from . import RoomsEmulator

_HAS_HANGUP = os.name != "nt" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN  # nohup ignores it
_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP) if _HAS_HANGUP else (signal.SIGTERM,)


def main() -> None:
    name = Path(sys.argv[0]).stem
    program = "python -m azure.communication.rooms.emulator" if name == "__main__" else name
    arguments = sys.argv[1:]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    command = arguments[end + 1 :]
    parser = _parser(program)
    parsed, unknown = parser.parse_known_args(arguments[:end])
    if unknown:
        parser.error(f"unrecognized arguments: {shlex.join(unknown)}; a command comes after --")
    if not command and (parsed.intercept or end < len(arguments)):
        parser.error(f"{'--intercept' if parsed.intercept else '--'} needs a command")
    options = {name: value for name, value in vars(parsed).items() if value is not None}
    options.setdefault("port", 0 if command else 8787)
    options.setdefault("tls", bool(command))
    options.setdefault("intercept", bool(command) and options["tls"])
    if options["tls"] and not command:
        options["tls_folder"] = str(_cache_folder())
    signals: list[int] = []
    for number in (signal.SIGINT, *_ENDING_SIGNALS):
        signal.signal(number, lambda received, _: signals.append(received))
    try:
        records = _log_to(options.pop("log", None), sys.stderr if command else sys.stdout, log_requests=not command)
        status = _run(command, options.pop("env"), options, signals, entra=options.pop("entra"))
    except (ModuleNotFoundError, OSError, ValueError, sqlite3.Error) as error:
        sys.exit(f"{program}: {error}")
    end_time = time.monotonic() + 1
    while records.unfinished_tasks and time.monotonic() < end_time:
        time.sleep(0.01)
    if records.unfinished_tasks:  # nobody reads the output, so Python would wait forever when it flushes it
        os._exit(status)
    sys.exit(status)


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        usage="%(prog)s [options] [-- COMMAND [ARG ...]]",
        allow_abbrev=False,
        description="A local emulator of the Rooms service of Azure Communication Services. With a COMMAND, it starts "
        "on a free port with TLS, and runs the command with environment variables that lead it to the emulator, "
        "whatever resource in Azure it uses. It exits with the command's status. In the command, python is the "
        "interpreter that runs this emulator, unless another virtual environment is active, or the emulator was "
        "installed as a tool of its own: then it is the python in your PATH.",
    )

    def flag(name: str, text: str, *, default: bool | None = None) -> None:
        parser.add_argument(name, action=argparse.BooleanOptionalAction, default=default, help=text)

    def repeatable(name: str, metavar: str, destination: str, text: str) -> None:
        parser.add_argument(
            name, metavar=metavar, dest=destination, action="append", default=[], help=f"{text}; can be repeated"
        )

    add = parser.add_argument
    add("--version", action="version", version=f"%(prog)s {VERSION}")
    add("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    add("--port", type=int, help="the port; 0 picks a free one (default: 8787, or 0 for a command)")
    add("--database", metavar="FILE", default=":memory:", help="the SQLite file for the rooms (default: in memory)")
    add("--access-key", metavar="KEY", help="the access key, in base64 (default: a public development key)")
    add("--page-size", metavar="N", type=int, default=30, help="items per page (default: %(default)s)")
    flag("--tls", "use TLS (default for a command). Without a command, its authority stays in your cache folder")
    flag("--intercept", "serve requests to resources in Azure (default for a command with TLS)")
    flag("--entra", "issue tokens of Microsoft Entra ID, like a managed identity (default with TLS)", default=True)
    add("--bearer-token", metavar="TOKEN", help="accept this token instead of a signature")
    add("--any-date", action="store_true", help="accept any date, and follow the clock of programs with frozen time")
    repeatable("--allowed-host", "NAME", "allowed_hosts", "another host name that clients may use for the emulator")
    text = "also set this variable, to the connection string or to TEMPLATE, which may contain {connection_string}, "
    repeatable("--env", "NAME[=TEMPLATE]", "env", text + "{endpoint} and {access_key}")
    text = "log requests to FILE, or without FILE to standard error (default without a command: to standard output)"
    add("--log", metavar="FILE", nargs="?", const="", help=text)
    return parser


class _QueueHandler(logging.handlers.QueueHandler):
    """Logging must not block the server, also if nobody reads the output. It then drops what does not fit."""

    def enqueue(self, record: logging.LogRecord) -> None:
        with suppress(queue.Full):
            super().enqueue(record)


def _log_to(file: str | None, default: TextIO, *, log_requests: bool) -> "queue.Queue[logging.LogRecord]":
    handler = logging.FileHandler(file) if file else logging.StreamHandler(default)
    records: queue.Queue[logging.LogRecord] = queue.Queue(10_000)
    logging.handlers.QueueListener(records, handler).start()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[_QueueHandler(records)])
    if log_requests or file is not None:
        logging.getLogger("azure.communication.rooms.emulator").setLevel(logging.INFO)
    return records


def _cache_folder() -> Path:
    folder = Path.home() / (".cache" if sys.platform != "darwin" else "Library/Caches")
    folder = Path(os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME") or folder)
    return folder / "azure-communication-rooms-emulator"


def _run(
    command: Sequence[str], env: Iterable[str], options: Mapping[str, Any], signals: list[int], *, entra: bool
) -> int:
    """Run the command, or serve until a signal. Return the exit status."""
    path = os.environ.get("PATH", os.defpath)
    if _python_is_own():
        path = os.pathsep.join((str(Path(sys.executable).parent), path))
    program = shutil.which(command[0], path=path) if command else ""
    if program is None:  # then the exit status is a shell's
        exists = os.path.dirname(command[0]) and os.path.exists(command[0])
        print(f"{command[0]}: {'permission denied' if exists else 'command not found'}", file=sys.stderr)
        return 126 if exists else 127
    from . import RoomsEmulator  # noqa: PLC0415 - main() reports a missing extra

    with RoomsEmulator(**options) as emulator:
        variables = _variables(emulator, env, entra=entra)
        page = f"The emulator's page: {emulator.endpoint}/_emulator"
        if program:
            print(page, file=sys.stderr)
            _warn(variables, intercept=options["intercept"])
            status = _run_command([program, *command[1:]], {**os.environ, "PATH": path, **variables}, signals)
            if not emulator.requests and status not in (126, 127):  # the command has run
                text = "The emulator's log is empty. The README says what interception does not catch."
                print(f"{text} Tests with the pytest plugin have another emulator.", file=sys.stderr)
            return status
        print(emulator.connection_string, page, "To use the emulator in another terminal:", sep="\n")
        for name, value in variables.items():
            print(f'set "{name}={value}"' if os.name == "nt" else f"export {name}={shlex.quote(value)}")
        sys.stdout.flush()
        # Poll, because waiting for an Event can miss a signal: one that arrives just before the wait, or in another
        # thread, would not end it.
        while not signals:
            time.sleep(0.1)
        return 0


def _run_command(command: Sequence[str], environment: Mapping[str, str], signals: Sequence[int]) -> int:
    if signals:
        return 128 + signals[0]
    try:
        process = subprocess.Popen(command, env=environment)  # noqa: S603 - the user's own command
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127 if isinstance(error, FileNotFoundError) else 126  # the interpreter of a script is missing
    # A terminal sends Ctrl-C to the command too, so SIGINT still does nothing here.
    for number in _ENDING_SIGNALS:
        signal.signal(number, lambda *_: process.terminate())
    if set(signals) - {signal.SIGINT}:  # one came before the lines above
        process.terminate()
    status = process.wait()
    return status if status >= 0 else 128 - status


def _python_is_own() -> bool:
    """Whether ``python`` in the command is the emulator's interpreter.

    It is not if the emulator is a tool of its own: if another environment is active, or the emulator was started by a
    link from outside its environment, as pipx and uv make one.
    """
    is_own = Path(os.path.abspath(sys.argv[0])).parent in (Path(sys.executable).parent, Path(__file__).parent)
    return is_own and os.environ.get("VIRTUAL_ENV", sys.prefix) == sys.prefix


def _variables(emulator: "RoomsEmulator", env: Iterable[str], *, entra: bool) -> dict[str, str]:
    variables = emulator.environment
    if not entra:
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
            variables.pop(name, None)
    text = emulator.connection_string
    access_key = text.partition("accesskey=")[2]
    values = {"connection_string": text, "endpoint": emulator.endpoint, "access_key": access_key}
    for item in env:
        name, _, template = item.partition("=")
        if not name.isidentifier():  # the printed lines are pasted into a shell
            raise ValueError(f"--env {item}: {name!r} is not the name of a variable")
        try:
            variables[name] = (template or "{connection_string}").format_map(values)
        except (AttributeError, LookupError, TypeError, ValueError):
            raise ValueError(f"--env {item}: use only {{{'}, {'.join(values)}}} in braces") from None
    return variables


def _warn(variables: Mapping[str, str], *, intercept: bool) -> None:
    """Say what may lead the command to Azure."""
    if "AZURE_CLIENT_SECRET" in os.environ and "IDENTITY_ENDPOINT" in variables:
        print("DefaultAzureCredential asks Azure for tokens unless you unset AZURE_CLIENT_SECRET.", file=sys.stderr)
    if "HTTPS_PROXY" in variables:
        return
    requests = "NO_PROXY is *, so requests" if intercept else "Requests"
    print(f"{requests} to resources in Azure are not intercepted.", file=sys.stderr)
    for name in os.environ.keys() - variables.keys():
        if "accesskey=" in os.environ[name].lower():
            print(f"{name} names another resource. To replace it, pass --env {name}.", file=sys.stderr)
