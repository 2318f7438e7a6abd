"""The emulator's web page: how to connect, the rooms, the latest requests and the faults. It acts through the API.

The page needs no credentials: anyone who can open the emulator's address in a browser can see it. So it shows no token
and no secret access key.
"""

import hashlib
import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from .._clock import Clock, format_time
from .._services._errors import status_error
from .._services._request import origin
from .._services._rooms import API_VERSIONS, room_json
from .._store import ROOM_STATES, Room, Store
from ._faults import Fault, Faults
from ._request_log import ReceivedRequest, RequestLog

PATH = "/_emulator"
_FOLDER = Path(__file__).with_name("page")
_ROOMS_PER_PAGE = 25
_MAX_PARTICIPANTS = 100
_MAX_REQUESTS = 1000
_MAX_CALLS = 50
_MAX_BODY = 8000
_SHOWN_HEADERS = ("content-type", "user-agent", "x-ms-", "repeatability-")  # how their names begin
_TOKEN = re.compile(r'("\w*token":\s*)"[^"]*"?', re.IGNORECASE)
_ID = re.compile(rb'"id":\s*"([^"]+)"')


@dataclass
class Page:
    """The page, its assets and its data. It shows the access key, unless ``public_key`` is None."""

    store: Store
    clock: Clock
    log: RequestLog
    faults: Faults
    public_key: str | None
    environment: Callable[[], Mapping[str, str]]  # returns the variables with which programs find the emulator

    @property
    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", lambda _: RedirectResponse(PATH, 302)),
            Route(PATH, lambda _: FileResponse(_FOLDER / "index.html")),
            Route(f"{PATH}/data", self._get_data),
            Mount(PATH, StaticFiles(directory=_FOLDER, html=True)),
        ]

    def _get_data(self, request: Request) -> Response:
        query = request.query_params
        now = self.clock.now()
        try:
            variables = self.environment()
        except RuntimeError as error:  # the emulator is starting or stopping
            raise status_error(503, str(error)) from error
        key = variables["COMMUNICATION_SAMPLES_CONNECTION_STRING"].partition("accesskey=")[2]
        shown_key = self.public_key or "<your access key>"
        endpoint = variables["COMMUNICATION_SAMPLES_ENDPOINT"]
        shown = {n: v.replace(key, shown_key).replace(endpoint, origin(request)) for n, v in variables.items()}
        data = {
            "connectionString": shown["COMMUNICATION_SAMPLES_CONNECTION_STRING"],
            "exports": "\n".join(f"export {name}={shlex.quote(value)}" for name, value in shown.items()),
            **self._rooms(now, query),
            "calls": _calls(self.log.requests()[-_MAX_REQUESTS:], query),
            "pendingFaults": [_pending_fault(fault) for fault in self.faults.remaining()],
        }
        body = json.dumps(data, separators=(",", ":")).encode("ascii")
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        # The time is in a header, so that the body and its ETag change only when there is something new to show.
        headers = {"ETag": etag, "Emulator-Time": format_time(now), "Content-Type": "application/json"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers)

    def _rooms(self, now: int, query: Mapping[str, str]) -> dict[str, object]:
        search, page = query.get("search", ""), query.get("page", "")[:9]
        state = query.get("state") if query.get("state") in ROOM_STATES else None
        by_opening = query.get("sort") == "opening"
        with self.store.transaction(read_only=True):
            counts = self.store.count_rooms(now, search)
            matches = sum(counts.values()) if state is None else counts[state]
            pages = max(-(-matches // _ROOMS_PER_PAGE), 1)
            number = min(max(int(page), 1) if page.isdecimal() else 1, pages)
            offset = (number - 1) * _ROOMS_PER_PAGE
            found = self.store.find_rooms(now, search, state, _ROOMS_PER_PAGE, offset, by_opening=by_opening)
            upcoming = self.store.find_rooms(now, "", "upcoming", limit=1, by_opening=True)
        return {
            "counts": counts,
            "page": number,
            "pages": pages,
            "rooms": [_room(room, room_state) for room, room_state in found],
            "nextOpening": format_time(upcoming[0][0].valid_from) if upcoming else None,
        }


def _room(room: Room, state: str) -> dict[str, object]:
    participants = list(json.loads(room.participants).items())
    return {
        **room_json(room, API_VERSIONS[-1]),
        "state": state,
        "participants": [{"rawId": raw_id, "role": role} for raw_id, role in participants[:_MAX_PARTICIPANTS]],
        "hasMoreParticipants": len(participants) > _MAX_PARTICIPANTS,
    }


def _calls(requests: Sequence[ReceivedRequest], query: Mapping[str, str]) -> list[dict[str, object]]:
    """The latest calls, newest first. Requests with the same ID for the same target are attempts of one call."""
    calls: dict[object, list[ReceivedRequest]] = {}
    for request in requests:
        headers = request.headers
        request_id = headers.get("repeatability-request-id") or headers.get("x-ms-client-request-id") or object()
        key = (request_id, request.method, request.path, request.query)
        if query.get("path", "").lower() in request.path.lower():
            calls[key] = [*calls.pop(key, []), request]  # moves the call to the end
    found = [attempts for attempts in calls.values() if not query.get("errors") or any(map(_is_error, attempts))]
    return [_call(attempts) for attempts in found[: -_MAX_CALLS - 1 : -1]]


def _is_error(request: ReceivedRequest) -> bool:
    fault = request.fault or Fault()
    return bool(fault.drop or fault.truncate or (request.status_code or 0) >= 400)


def _call(attempts: Sequence[ReceivedRequest]) -> dict[str, object]:
    last = attempts[-1]
    created = _ID.search(last.response_body) if last.executed and last.status_code == 201 else None
    return {
        "id": id(attempts[0]),
        "method": last.method,
        "path": _cut(last.path),
        "query": _cut(last.query),
        "headers": {name: _cut(value) for name, value in last.headers.items() if name.startswith(_SHOWN_HEADERS)},
        "body": "Not shown: it contains a token." if last.path.lower().startswith("/teamsuser") else _text(last.body),
        "response": _text(last.response_body),
        "duration": last.duration,
        "createdId": created and created[1].decode(),
        "attempts": [
            {
                "receivedAt": attempt.received_at.isoformat(),
                "status": str(attempt.status_code or ("closed" if attempt.fault and attempt.fault.drop else "waiting")),
                "reason": None if attempt.fault and attempt.fault.replaces_response else attempt.reason,
                "fault": None if attempt.fault is None else _fault_text(attempt.fault),
            }
            for attempt in attempts
        ],
    }


def _cut(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}…"


def _text(body: bytes) -> str:
    text = _TOKEN.sub(r'\1"(not shown)"', body[:_MAX_BODY].decode("utf-8", "replace"))
    return text if len(body) <= _MAX_BODY else f"{text}…\n({len(body):,} bytes in all)"


def _pending_fault(fault: Fault) -> dict[str, object]:
    target = " ".join(filter(None, (fault.method, fault.path)))
    return {"text": f"{_fault_text(fault)}, {fault.times} left", "target": target or "any request"}


def _fault_text(fault: Fault) -> str:
    """The arguments with which the fault was injected, apart from the number and the target."""
    names = [field.name for field in fields(Fault) if field.name not in ("times", "method", "path")]
    changed = [name for name in names if getattr(fault, name) != getattr(Fault, name)]
    return ", ".join(f"{name}={_cut(str(getattr(fault, name)))}" for name in changed)
