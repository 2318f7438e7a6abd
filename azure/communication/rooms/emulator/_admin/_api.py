"""The emulator's own HTTP API, for programs in any language and for the page. ``samples/other_languages.md`` lists it.

Its POST needs the media type ``application/json``, so web pages of other origins cannot send it.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .._clock import Clock, format_time, real_time
from .._services._errors import bad_request, not_found, status_error
from .._services._request import read_json
from .._store import Store
from ._faults import Fault, Faults
from ._request_log import RequestLog

TOKEN_PATH = "/_emulator/token"  # noqa: S105 - the path of the endpoint
IDENTITY_HEADER = "rooms-emulator"  # protects nothing
_RESOURCES = ("https://communication.azure.com", "https://communication.azure.us")


class Api:
    """The operations under ``/_emulator``."""

    def __init__(self, store: Store, clock: Clock, faults: Faults, log: RequestLog, entra_token: str) -> None:
        self._entra_token = entra_token
        self._store = store
        self._clock = clock
        self._faults = faults
        self._log = log
        self.routes = [
            _route("health", GET=lambda _: _json({"status": "ok"})),
            _route("faults", GET=self._get_faults, POST=self._inject, DELETE=self._clear_faults),
            _route("requests", GET=self._get_requests),
            _route("clock", GET=self._get_clock, POST=self._advance),
            _route("reset", POST=self._reset),
            _route("rooms/{room_id}", DELETE=self._delete_room),
            _route("token", GET=self._get_token),
        ]

    def reset(self) -> None:
        """Remove all rooms, requests and faults, and set the clock to the real time."""
        self._faults.clear()
        self._faults.end_delays()
        self._log.clear()
        self._clock.reset()
        self._store.clear()

    def _get_faults(self, _: Request) -> Response:
        return _json([asdict(fault) for fault in self._faults.remaining()])

    def _inject(self, request: Request) -> Response:
        members = _members(request, *(field.name for field in fields(Fault)))
        if "body" in members:
            if not isinstance(members["body"], str):
                raise ValueError("body must be a string")
            members["body"] = members["body"].encode()
        self._faults.add(Fault(**members))
        return Response(status_code=204)

    def _clear_faults(self, _: Request) -> Response:
        self._faults.clear()
        return Response(status_code=204)

    def _get_requests(self, _: Request) -> Response:
        return _json([asdict(request) for request in self._log.requests()])

    def _get_clock(self, _: Request) -> Response:
        return _json({"now": format_time(self._clock.now()), "ahead": self._clock.ahead.total_seconds()})

    def _advance(self, request: Request) -> Response:
        delta = _members(request, "delta").get("delta")
        if not isinstance(delta, int | float):
            raise ValueError("delta must be a number of seconds")
        self._clock.advance(timedelta(seconds=delta))
        return Response(status_code=204)

    def _reset(self, request: Request) -> Response:
        _members(request)
        self.reset()
        return Response(status_code=204)

    def _delete_room(self, request: Request) -> Response:
        with self._store.transaction():
            room = self._store.room(request.path_params["room_id"])
            if room is None:
                raise not_found()
            room.is_deleted = True
            self._store.change_room(room)
        return Response(status_code=204)

    def _get_token(self, request: Request) -> Response:
        if request.headers.get("x-identity-header") != IDENTITY_HEADER:
            raise status_error(401, "The header X-IDENTITY-HEADER is missing or wrong.")
        resource = request.query_params.get("resource", "")
        if resource.rstrip("/") not in _RESOURCES:
            raise bad_request(f"The Rooms emulator has no tokens for the resource {resource!r}.")
        token = {"access_token": self._entra_token, "token_type": "Bearer", "resource": resource}
        return _json({**token, "expires_on": str(int(real_time.time()) + 24 * 60 * 60)})


def _route(name: str, **operations: Callable[[Request], Response]) -> Route:
    def endpoint(request: Request) -> Response:
        try:
            return (operations.get(request.method) or operations["GET"])(request)  # HEAD is GET
        except (OverflowError, TypeError, ValueError) as error:
            raise bad_request(str(error)) from error

    return Route(f"/_emulator/{name}", endpoint, methods=list(operations))


def _members(request: Request, *known: str) -> dict[str, Any]:
    """The members of the request's JSON object. A member that is null is absent."""
    data = read_json(request, "application/json", request.state.body or b"{}")
    if not isinstance(data, dict):
        raise ValueError("the request's body must be a JSON object")
    for name in data:
        if name not in known:
            raise ValueError(f"{name!r} is not a member here; the members are: {', '.join(known) or 'none'}")
    return {name: value for name, value in data.items() if value is not None}


def _json(body: object) -> Response:
    """A response with JSON, in which bytes are text, and times are in ISO 8601."""
    text = json.dumps(
        body, default=lambda each: each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each)
    )
    return Response(text, media_type="application/json")
