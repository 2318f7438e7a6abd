"""The emulator's command line: its options, and what happens to its log and its errors."""

import argparse
import logging
import logging.handlers
import os
import queue
import shlex
import signal
import sqlite3
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from ..._version import VERSION
from ._run import ENDING_SIGNALS, run_command, serve

_MODULE = "python -m azure.communication.rooms.emulator"


def main() -> None:
    name = Path(sys.argv[0]).stem
    program = _MODULE if name == "__main__" else name
    arguments = sys.argv[1:]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    command = arguments[end + 1 :]
    parser = _parser(program)
    parsed, unknown = parser.parse_known_args(arguments[:end])
    if unknown:
        parser.error(f"unrecognized arguments: {shlex.join(unknown)}; write -- before a command")
    if end < len(arguments) and not command:
        parser.error("-- needs a command")
    options = {name: value for name, value in vars(parsed).items() if value is not None}
    options.setdefault("port", 0 if command else 8787)
    options.setdefault("tls", bool(command))
    options["intercept"] &= bool(command) and options["tls"]
    if options["tls"] and not command:
        options["tls_folder"] = str(_cache_folder())
    env, entra, log = options.pop("env"), options.pop("entra"), options.pop("log", None)
    signals: list[int] = []
    for number in (signal.SIGINT, *ENDING_SIGNALS):
        signal.signal(number, lambda received, _: signals.append(received))
    status: int | str
    try:
        records = _log_to(log, sys.stderr if command else sys.stdout, log_requests=not command)
        if command:
            status = run_command(command, env, options, signals, entra=entra)
        else:
            status = serve(env, options, signals, entra=entra)
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
    add = parser.add_argument
    add("--version", action="version", version=f"%(prog)s {VERSION}")
    add("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    add("--port", type=int, help="the port; 0 picks a free one (default: 8787, or 0 for a command)")
    add("--database", metavar="FILE", default=":memory:", help="the SQLite file for the rooms (default: in memory)")
    add("--access-key", metavar="KEY", help="the access key, in base64 (default: a public development key)")
    add("--page-size", metavar="N", type=int, default=30, help="items per page (default: %(default)s)")
    add(
        "--tls",
        action=argparse.BooleanOptionalAction,
        help="use TLS (default for a command). The authority lasts in your cache folder, but that of a command is "
        "temporary",
    )
    add(
        "--intercept",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="serve the command's requests to any resource in Azure, by means of a proxy (default with TLS)",
    )
    add(
        "--entra",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="issue tokens of Microsoft Entra ID, as a managed identity does (default with TLS)",
    )
    add("--bearer-token", metavar="TOKEN", help="accept this token instead of a signature")
    add("--any-date", action="store_true", help="accept signatures of any date, for tests that freeze the time")
    add(
        "--allowed-host",
        metavar="NAME",
        dest="allowed_hosts",
        action="append",
        default=[],
        help="another host name that clients may use for the emulator; can be repeated",
    )
    add(
        "--env",
        metavar="NAME[=TEMPLATE]",
        action="append",
        default=[],
        help="another environment variable for the connection string, or for a text in which {connection_string}, "
        "{endpoint} and {access_key} stand for their values; can be repeated",
    )
    add(
        "--log",
        metavar="FILE",
        nargs="?",
        const="",
        help="log the requests to this file, or to standard error without FILE; without a command, the emulator always "
        "logs them: to FILE, or to standard output",
    )
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
