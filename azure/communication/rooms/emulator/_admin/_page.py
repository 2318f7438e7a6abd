"""The emulator's web page: the rooms, the latest requests and the faults. It acts through the API.

The page needs no credentials: anyone who can open the emulator's address in a browser can see it. So it shows no token
and no secret access key.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from .._clock import Clock
from .._services._request import origin
from .._services._room_json import room_json
from .._services._rooms import API_VERSIONS
from .._services._times import format_time
from .._store import ROOM_STATES, Room, Store
from ._faults import Fault, Faults
from ._request_log import ReceivedRequest, RequestLog

PATH = "/_emulator"
_FOLDER = Path(__file__).with_name("page")
_ROOMS_PER_PAGE = 25
_MAX_PARTICIPANTS = 100
_MAX_REQUESTS = 1000
_MAX_CALLS = 50
_MAX_ATTEMPTS = 20
_MAX_TEXT = 300
_MAX_BODY = 2000
_SHOWN_HEADERS = ("content-type", "user-agent", "x-ms-", "repeatability-")  # how their names begin


class Page:
    """The page, its assets and its data. It shows the access key, unless that is None."""

    def __init__(self, store: Store, clock: Clock, log: RequestLog, faults: Faults, public_key: str | None) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self._faults = faults
        self._public_key = public_key
        self.routes: list[BaseRoute] = [
            Route("/", lambda _: RedirectResponse(PATH, 302)),
            Route(PATH, lambda _: FileResponse(_FOLDER / "index.html")),
            Route(f"{PATH}/data", self._get_data),
            Mount(PATH, StaticFiles(directory=_FOLDER, html=True)),
        ]

    def _get_data(self, request: Request) -> Response:
        query = request.query_params
        state = query.get("state")
        page = query.get("page", "")
        now = self._clock.now()
        data = self._data(
            now,
            state if state in ROOM_STATES else None,
            query.get("search", ""),
            max(int(page), 1) if page.isdecimal() else 1,
        )
        if self._public_key is not None:
            data["connectionString"] = f"endpoint={origin(request)}/;accesskey={self._public_key}"
        body = json.dumps(data, separators=(",", ":")).encode("ascii")
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        # The time is in a header, so that the body and its ETag change only when there is something new to show.
        headers = {"ETag": etag, "Emulator-Time": format_time(now), "Content-Type": "application/json"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers)

    def _data(self, now: int, state: str | None, search: str, page: int) -> dict[str, object]:
        with self._store.transaction(read_only=True):
            counts = self._store.count_rooms(now, search)
            matches = sum(counts.values()) if state is None else counts[state]
            pages = max(-(-matches // _ROOMS_PER_PAGE), 1)
            page = min(page, pages)
            offset = (page - 1) * _ROOMS_PER_PAGE
            found = self._store.find_rooms(now, search, state, offset=offset, limit=_ROOMS_PER_PAGE)
        rooms = [_room(room, room_state) for room, room_state in found]
        return {
            "counts": counts,
            "page": page,
            "pages": pages,
            "rooms": rooms,
            "calls": _calls(self._log.requests()[-_MAX_REQUESTS:]),
            "pendingFaults": [_pending_fault(fault) for fault in self._faults.remaining()],
        }


def _room(room: Room, state: str) -> dict[str, object]:
    participants = list(json.loads(room.participants).items())
    return {
        **room_json(room, API_VERSIONS[-1]),
        "state": state,
        "participants": [{"rawId": raw_id, "role": role} for raw_id, role in participants[:_MAX_PARTICIPANTS]],
        "hasMoreParticipants": len(participants) > _MAX_PARTICIPANTS,
    }


def _calls(requests: Sequence[ReceivedRequest]) -> list[dict[str, object]]:
    """The latest calls, newest first. Requests with the same ID for the same target are attempts of one call."""
    calls: dict[object, list[ReceivedRequest]] = {}
    for request in requests:
        headers = request.headers
        request_id = headers.get("repeatability-request-id") or headers.get("x-ms-client-request-id") or object()
        key = (request_id, request.method, request.path, request.query)
        calls[key] = [*calls.pop(key, []), request]  # moves the call to the end
    return [_call(attempts) for attempts in list(calls.values())[: -_MAX_CALLS - 1 : -1]]


def _call(attempts: Sequence[ReceivedRequest]) -> dict[str, object]:
    last = attempts[-1]
    return {
        "id": id(attempts[0]),
        "method": last.method,
        "path": _cut(last.path),
        "query": _cut(last.query),
        "headers": {name: _cut(value) for name, value in last.headers.items() if name.startswith(_SHOWN_HEADERS)},
        "body": _body(last),
        "attemptCount": len(attempts),
        "attempts": [
            {
                "receivedAt": attempt.received_at.isoformat(),
                "status": _status(attempt),
                "reason": None if attempt.fault and attempt.fault.replaces_response else attempt.reason,
                "fault": None if attempt.fault is None else _fault_text(attempt.fault),
            }
            for attempt in attempts[-_MAX_ATTEMPTS:]
        ],
    }


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"


def _body(request: ReceivedRequest) -> str:
    if request.path.lower().startswith("/teamsuser"):
        return "Not shown, because it contains a token."
    text = request.body[:_MAX_BODY].decode("utf-8", "replace")
    return text if len(request.body) <= _MAX_BODY else f"{text}…\n({len(request.body):,} bytes in all)"


def _status(request: ReceivedRequest) -> str:
    if request.status_code is not None:
        return str(request.status_code)
    return "closed" if request.fault is not None and request.fault.drop else "waiting"


def _pending_fault(fault: Fault) -> dict[str, object]:
    target = " ".join(filter(None, (fault.method, fault.path)))
    return {"text": _fault_text(fault), "target": target or "any request", "times": fault.times}


def _fault_text(fault: Fault) -> str:
    parts = [
        f"delay of {fault.delay:g} s" if fault.delay else "",
        "" if fault.status is None else f"status {fault.status}",
        "" if fault.retry_after is None else f"Retry-After: {fault.retry_after}",
        "" if fault.body is None else f"body of {len(fault.body)} bytes",
        f"connection closed {fault.drop} execution" if fault.drop else "",
        "response cut in half" if fault.truncate else "",
    ]
    return ", ".join(filter(None, parts))
