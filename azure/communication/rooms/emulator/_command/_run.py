"""Runs a command with the emulator, or serves until a signal ends it."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .. import RoomsEmulator

_HAS_HANGUP = os.name != "nt" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN  # nohup ignores it
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP) if _HAS_HANGUP else (signal.SIGTERM,)


def run_command(
    command: Sequence[str], env: Iterable[str], options: Mapping[str, Any], signals: list[int], *, entra: bool
) -> int:
    """Return the exit status, which is a shell's: 127 if there is no such command, 126 if it cannot be executed."""
    path = os.environ.get("PATH", os.defpath)
    if _python_is_own():
        path = os.pathsep.join((str(Path(sys.executable).parent), path))
    program = shutil.which(command[0], path=path)
    if program is None:
        exists = os.path.dirname(command[0]) and os.path.exists(command[0])
        print(f"{command[0]}: {'permission denied' if exists else 'command not found'}", file=sys.stderr)
        return 126 if exists else 127
    from .. import RoomsEmulator  # noqa: PLC0415 - main() reports a missing extra

    with RoomsEmulator(**options) as emulator:
        variables = _variables(emulator, env, entra=entra)
        print(f"The emulator's page: {emulator.endpoint}/_emulator", file=sys.stderr)
        _warn(variables, intercept=options["intercept"])
        if signals:
            return 128 + signals[0]
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own command
                [program, *command[1:]], env={**os.environ, "PATH": path, **variables}
            )
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr)
            return 127 if isinstance(error, FileNotFoundError) else 126  # the interpreter of a script is missing
        # A terminal sends Ctrl-C to the command too, so SIGINT still does nothing here.
        for number in ENDING_SIGNALS:
            signal.signal(number, lambda *_: process.terminate())
        if set(signals) - {signal.SIGINT}:  # one came before the lines above
            process.terminate()
        status = process.wait()
        if not emulator.requests:
            print("The emulator has no request from the command.", file=sys.stderr)
        return status if status >= 0 else 128 - status


def serve(env: Iterable[str], options: Mapping[str, Any], signals: Sequence[int], *, entra: bool) -> int:
    """Serve until a signal."""
    from .. import RoomsEmulator  # noqa: PLC0415 - main() reports a missing extra

    with RoomsEmulator(**options) as emulator:
        print(emulator.connection_string, f"The emulator's page: {emulator.endpoint}/_emulator", sep="\n")
        print("To use the emulator in another terminal:")
        for name, value in _variables(emulator, env, entra=entra).items():
            print(f'set "{name}={value}"' if os.name == "nt" else f"export {name}={shlex.quote(value)}")
        sys.stdout.flush()
        # Poll, because waiting for an Event can miss a signal: one that arrives just before the wait, or in another
        # thread, would not end it.
        while not signals:
            time.sleep(0.1)
        return 0


def _python_is_own() -> bool:
    """Whether ``python`` in the command is the emulator's interpreter.

    It is not if the emulator is a tool of its own: if another environment is active, or the emulator was started by a
    link from outside its environment, as pipx and uv make one.
    """
    folder = Path(sys.argv[0]).parent
    is_own = folder in (Path(sys.executable).parent, Path(__file__).parents[1])
    return is_own and os.environ.get("VIRTUAL_ENV", sys.prefix) == sys.prefix


def _variables(emulator: "RoomsEmulator", env: Iterable[str], *, entra: bool) -> dict[str, str]:
    variables = emulator.environment
    if not entra:
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
            variables.pop(name, None)
    connection_string = emulator.connection_string
    values = {
        "connection_string": connection_string,
        "endpoint": emulator.endpoint,
        "access_key": connection_string.partition("accesskey=")[2],
    }
    for item in env:
        name, _, template = item.partition("=")
        if not name:
            raise ValueError(f"--env {item}: the variable has no name")
        try:
            variables[name] = (template or "{connection_string}").format_map(values)
        except (AttributeError, LookupError, TypeError, ValueError):
            raise ValueError(f"--env {item}: use only {{{'}, {'.join(values)}}} in braces") from None
    return variables


def _warn(variables: Mapping[str, str], *, intercept: bool) -> None:
    if intercept and "HTTPS_PROXY" in variables:
        return
    if intercept:
        print("NO_PROXY is *, so requests to resources in Azure are not intercepted.", file=sys.stderr)
    for name in os.environ.keys() - variables.keys():
        if "accesskey=" in os.environ[name].lower():
            print(f"{name} names another resource. To replace it, pass --env {name}.", file=sys.stderr)
