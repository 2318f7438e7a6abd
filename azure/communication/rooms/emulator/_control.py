"""Faults, the clock and the reset over HTTP, for programs in any language that run beside the emulator.

* ``POST /emulator/faults`` is :meth:`RoomsEmulator.inject`. Send its arguments, as in ``{"status": 503, "times": 2}``;
  ``body`` is a string.
* ``DELETE /emulator/faults`` removes the faults.
* ``POST /emulator/clock`` is :meth:`RoomsEmulator.advance`. Send the seconds, such as ``{"delta": 86400}``.
* ``POST /emulator/reset`` is :meth:`RoomsEmulator.reset`. Send nothing or ``{}``.

The response is 204, or an error that says what is wrong. No credentials are needed. Web pages of other origins cannot
send these requests: browsers first ask the emulator whether they may send ``application/json`` or DELETE, and it
refuses.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from ._errors import ServiceError, bad_request, status_error
from ._hosts import is_same_origin
from ._responses import error_response

if TYPE_CHECKING:
    from ._emulator import RoomsEmulator


class Control:
    """The operations under ``/emulator``."""

    def __init__(self, emulator: "RoomsEmulator", clear_faults: Callable[[], None]) -> None:
        self._operations: dict[tuple[str, str], Callable[..., None]] = {
            ("POST", "/emulator/faults"): emulator.inject,
            ("DELETE", "/emulator/faults"): clear_faults,
            ("POST", "/emulator/clock"): emulator.advance,
            ("POST", "/emulator/reset"): emulator.reset,
        }

    def respond(self, request: Request, body: bytes) -> Response | None:
        """The response, or None if the request is for the API."""
        if not request.scope["path"].startswith("/emulator/"):
            return None
        try:
            self._execute(request, body)
        except ServiceError as error:
            return error_response(error)
        except (OverflowError, TypeError, ValueError) as error:
            return error_response(bad_request(str(error)))
        return Response(status_code=204)

    def _execute(self, request: Request, body: bytes) -> None:
        if not is_same_origin(request):
            raise status_error(403, "Web pages of other origins cannot control the emulator.")
        operation = self._operations.get((request.method, request.scope["path"]))
        if operation is None:
            known = ", ".join(" ".join(operation) for operation in self._operations)
            raise status_error(404, f"The operations are {known}.")
        operation(**(_arguments(request, body) if request.method == "POST" else {}))


def _arguments(request: Request, body: bytes) -> dict[str, object]:
    """The members of the body, as arguments in Python."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise status_error(415, "The request's media type must be application/json.")
    arguments = json.loads(body or b"{}")
    if not isinstance(arguments, dict):
        raise ValueError("the request's body must be a JSON object")
    if isinstance(arguments.get("body"), str):
        arguments["body"] = arguments["body"].encode()
    if "delta" in arguments:
        arguments["delta"] = timedelta(seconds=arguments["delta"])
    return arguments
