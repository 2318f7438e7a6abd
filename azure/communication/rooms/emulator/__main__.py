"""The emulator's command line."""

import argparse
import logging
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from . import RoomsEmulator

_PROGRAM = "python -m azure.communication.rooms.emulator"
_HAS_HANGUP = os.name != "nt" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN  # nohup ignores it
_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP) if _HAS_HANGUP else (signal.SIGTERM,)
_CONNECTION_STRINGS = ("COMMUNICATION_SAMPLES_CONNECTION_STRING", "AZURE_COMMUNICATION_CONNECTION_STRING")
_NO_REQUEST = "The emulator has no request from the command. If the command reads another variable, pass --env NAME."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        usage="%(prog)s [options] [-- COMMAND [ARG ...]]",
        allow_abbrev=False,
        description="A local emulator of the Rooms service of Azure Communication Services. With a COMMAND, it starts "
        "on a free port with TLS, runs the command with the connection string and the certificate in environment "
        "variables, and exits with the command's status.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, help="the port; 0 picks a free one (default: 8787, or 0 for a command)")
    parser.add_argument(
        "--database", metavar="FILE", default=":memory:", help="the SQLite file for the rooms (default: in memory)"
    )
    parser.add_argument(
        "--access-key", metavar="KEY", help="the access key, in base64 (default: a public development key)"
    )
    parser.add_argument("--page-size", metavar="N", type=int, default=30, help="items per page (default: %(default)s)")
    parser.add_argument(
        "--tls",
        action=argparse.BooleanOptionalAction,
        help="use TLS with a certificate made for this run (default for a command)",
    )
    parser.add_argument("--certfile", metavar="FILE", help="use TLS with this certificate chain, a PEM file")
    parser.add_argument("--keyfile", metavar="FILE", help="a PEM file with the certificate's private key")
    parser.add_argument("--bearer-token", metavar="TOKEN", help="accept this token instead of a signature")
    parser.add_argument(
        "--allowed-host",
        metavar="NAME",
        dest="allowed_hosts",
        action="append",
        default=[],
        help="another host name that clients may use for the emulator; can be repeated",
    )
    parser.add_argument(
        "--env",
        metavar="NAME",
        action="append",
        default=[],
        help="another environment variable for the connection string; can be repeated",
    )
    parser.add_argument(
        "--log",
        metavar="FILE",
        nargs="?",
        const="",
        help="log the requests to this file, or to standard error without FILE; without a command, the emulator always "
        "logs them: to FILE, or to standard output",
    )
    return parser


def main() -> None:
    arguments = sys.argv[1:]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    command = arguments[end + 1 :]
    parser = _parser()
    parsed, unknown = parser.parse_known_args(arguments[:end])
    if unknown:
        parser.error(f"unrecognized arguments: {shlex.join(unknown)}; write -- before a command")
    if end < len(arguments) and not command:
        parser.error("-- needs a command")
    options = {name: value for name, value in vars(parsed).items() if value is not None}
    options.setdefault("port", 0 if command else 8787)
    options.setdefault("tls", bool(command) and "certfile" not in options)
    signals: list[int] = []
    for number in (signal.SIGINT, *_ENDING_SIGNALS):
        signal.signal(number, lambda received, _: signals.append(received))
    try:
        _log_to(options.pop("log", None), sys.stderr if command else sys.stdout, log_requests=not command)
        sys.exit(_run(command, options.pop("env"), options, signals))
    except (ModuleNotFoundError, OSError, ValueError, sqlite3.Error) as error:
        sys.exit(f"{_PROGRAM}: {error}")


def _log_to(file: str | None, default: TextIO, *, log_requests: bool) -> None:
    handler = logging.FileHandler(file) if file else logging.StreamHandler(default)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    if log_requests or file is not None:
        logging.getLogger("azure.communication.rooms.emulator").setLevel(logging.INFO)


def _run(command: list[str], names: list[str], options: dict[str, Any], signals: list[int]) -> int:
    """Run the command, or serve until a signal. Return the exit status."""
    program = shutil.which(command[0]) if command else ""
    if program is None:
        print(f"{_PROGRAM}: command not found: {command[0]}", file=sys.stderr)
        return 127
    from . import RoomsEmulator  # noqa: PLC0415 - main() reports a missing extra

    with RoomsEmulator(**options) as emulator:
        variables = _variables(emulator, names, tls=options["tls"])
        page = f"The emulator's page: {emulator.endpoint}/_emulator"
        if program:
            print(page, file=sys.stderr)
            for name in os.environ.keys() - variables.keys():
                if "accesskey=" in os.environ[name].lower():
                    print(f"{name} names another resource. To replace it, pass --env {name}.", file=sys.stderr)
            sys.stderr.flush()
            status = _run_command([program, *command[1:]], variables, signals)
            if not emulator.requests:
                print(_NO_REQUEST, file=sys.stderr)
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


def _run_command(command: list[str], variables: dict[str, str], signals: list[int]) -> int:
    if signals:
        return 128 + signals[0]
    process = subprocess.Popen(command, env={**os.environ, **variables})  # noqa: S603 - the user's own command
    # A terminal sends Ctrl-C to the command too, so SIGINT still does nothing here.
    for number in _ENDING_SIGNALS:
        signal.signal(number, lambda *_: process.terminate())
    if set(signals) - {signal.SIGINT}:  # one came before the lines above
        process.terminate()
    status = process.wait()
    return status if status >= 0 else 128 - status


def _variables(emulator: "RoomsEmulator", names: list[str], *, tls: bool) -> dict[str, str]:
    """The environment variables with which programs find the emulator and trust its certificate."""
    from ._tls import CA_VARIABLES  # noqa: PLC0415 - needs the extra

    variables = dict.fromkeys([*_CONNECTION_STRINGS, *names], emulator.connection_string)
    variables["COMMUNICATION_SAMPLES_ENDPOINT"] = emulator.endpoint
    if tls:
        variables |= dict.fromkeys(CA_VARIABLES, emulator.ca_file)
    given = [os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY")]
    if "*" not in given:  # it means all hosts, but not in a list
        no_proxy = ",".join(dict.fromkeys(filter(None, [*given, urlsplit(emulator.endpoint).hostname])))
        variables |= {"no_proxy": no_proxy, "NO_PROXY": no_proxy}
    return variables


if __name__ == "__main__":
    main()
