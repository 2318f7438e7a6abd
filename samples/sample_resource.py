"""The resource that the samples use: your own, or an emulator that runs as long as the sample."""

import atexit
import os
import sys

VARIABLE = "COMMUNICATION_SAMPLES_CONNECTION_STRING"


def connection_string() -> str:
    """Return the environment variable's value, or start an emulator and return its connection string."""
    if value := os.environ.get(VARIABLE):
        return value
    try:
        from azure.communication.rooms.emulator import RoomsEmulator  # noqa: PLC0415 - not needed with a resource

        emulator = RoomsEmulator(tls=True).start()
    except ModuleNotFoundError as error:
        sys.exit(f"{VARIABLE} is not set, and {error}")
    atexit.register(emulator.stop)
    # All clients in this process trust the emulator's certificate, and reach it without a proxy.
    os.environ.update(REQUESTS_CA_BUNDLE=emulator.ca_file, no_proxy="127.0.0.1")
    print(f"{VARIABLE} is not set, so this sample uses an emulator.", file=sys.stderr)
    return emulator.connection_string
