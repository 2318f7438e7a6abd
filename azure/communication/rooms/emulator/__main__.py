"""The emulator's command line."""

import argparse
import logging
import signal
import sqlite3
import sys
import time


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m azure.communication.rooms.emulator",
        allow_abbrev=False,
        description="A local emulator of the Rooms service of Azure Communication Services.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8787, help="the port; 0 picks a free one (default: %(default)s)")
    parser.add_argument(
        "--database", metavar="FILE", default=":memory:", help="the SQLite file for the rooms (default: in memory)"
    )
    parser.add_argument(
        "--access-key", metavar="KEY", help="the access key, in base64 (default: a public development key)"
    )
    parser.add_argument("--page-size", metavar="N", type=int, default=30, help="items per page (default: %(default)s)")
    parser.add_argument("--certfile", metavar="FILE", help="a PEM file with the certificate chain; turns on TLS")
    parser.add_argument("--keyfile", metavar="FILE", help="a PEM file with the certificate's private key")
    parser.add_argument("--bearer-token", metavar="TOKEN", help="accept this token instead of a signature")
    parser.add_argument(
        "--allowed-host",
        metavar="NAME",
        dest="allowed_hosts",
        action="append",
        help="another host name that clients may use for the emulator; can be repeated",
    )
    options = {name: value for name, value in vars(parser.parse_args()).items() if value is not None}
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stdout)
    logging.getLogger("azure.communication.rooms.emulator").setLevel(logging.INFO)
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: signals.append(received))
    try:
        from . import RoomsEmulator  # noqa: PLC0415 - a missing extra is reported below

        with RoomsEmulator(**options) as emulator:
            print(emulator.connection_string, flush=True)
            # Poll, because waiting for an Event can miss a signal: one that arrives just before the wait, or in
            # another thread, would not end it.
            while not signals:
                time.sleep(0.1)
    except (ModuleNotFoundError, OSError, ValueError, sqlite3.Error) as error:
        sys.exit(f"{parser.prog}: {_reason(error, options)}")


def _reason(error: Exception, options: dict[str, object]) -> str:
    if isinstance(error, sqlite3.Error):
        return f"the database {options['database']} cannot be opened: {error}"
    if isinstance(error, OSError) and error.errno is not None:
        return f"cannot listen on {options['host']}:{options['port']}: {error.strerror or error}"
    return str(error)


if __name__ == "__main__":
    main()
