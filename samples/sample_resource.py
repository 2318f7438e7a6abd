"""The resource that the samples use: your own, or an emulator that runs as long as the sample."""

import atexit
import os
import sys


def connection_string() -> str:
    """Return the resource's connection string."""
    return _value("COMMUNICATION_SAMPLES_CONNECTION_STRING")


def endpoint() -> str:
    """Return the resource's endpoint."""
    return _value("COMMUNICATION_SAMPLES_ENDPOINT")


def _value(variable: str) -> str:
    """Return the environment variable's value. If it is not set, start an emulator, and set its variables."""
    if value := os.environ.get(variable):
        return value
    try:
        from azure.communication.rooms.emulator import RoomsEmulator  # noqa: PLC0415 - not needed with a resource

        emulator = RoomsEmulator(tls=True).start()
    except ModuleNotFoundError as error:
        sys.exit(f"{variable} is not set, and {error}")
    atexit.register(emulator.stop)
    os.environ.update(emulator.environment)
    print(f"{variable} is not set, so this sample uses an emulator.", file=sys.stderr)
    return os.environ[variable]
