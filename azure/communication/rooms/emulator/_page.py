"""The emulator's web page: the rooms and the latest requests, read-only.

The page needs no credentials: anyone who can open the emulator's address in a browser can see it. So it shows no token
and no secret access key. Pages of other origins can read neither the page nor its data. The application has already
rejected hosts that are not allowed.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ._api_versions import API_VERSIONS
from ._faults import Fault, Faults
from ._hosts import is_same_origin, origin
from ._request_log import ReceivedRequest, RequestLog
from ._room_json import room_json
from ._store import Room, Store
from ._time import Clock, format_time

_PATH = "/_emulator"
_FOLDER = Path(__file__).with_name("page")
_ASSETS = {
    "": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_ROOMS_PER_PAGE = 25
_MAX_PARTICIPANTS = 100
_MAX_REQUESTS = 1000
_MAX_CALLS = 50
_MAX_ATTEMPTS = 20
_MAX_TEXT = 300
_MAX_BODY = 2000
_SHOWN_HEADERS = ("content-type", "user-agent", "x-ms-", "repeatability-")  # how their names begin


class Page:
    """The page, its assets and its data, all under ``/_emulator``. It shows the access key, unless that is None."""

    def __init__(self, store: Store, clock: Clock, log: RequestLog, faults: Faults, public_key: str | None) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self._faults = faults
        self._public_key = public_key

    def respond(self, request: Request) -> Response | None:
        """The response, or None if the request is for the API."""
        path: str = request.scope["path"]
        if path == "/" and request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(_PATH, 302, _HEADERS)
        if path != _PATH and not path.startswith(f"{_PATH}/"):
            return None
        response = self._respond(request, path.removeprefix(_PATH).rstrip("/"))
        response.headers.update(_HEADERS)
        return response

    def _respond(self, request: Request, path: str) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response("The page is read-only.", 405, {"Allow": "GET, HEAD"}, "text/plain")
        if not is_same_origin(request) and not (path == "" and _is_navigation(request)):
            return Response("Other origins cannot read this page.", 403, media_type="text/plain")
        if path == "/data":
            return self._data_response(request)
        if path in _ASSETS:
            name, media_type = _ASSETS[path]
            return Response((_FOLDER / name).read_bytes(), media_type=media_type)
        return Response("Not found.", 404, media_type="text/plain")

    def _data_response(self, request: Request) -> Response:
        query = request.query_params
        now = self._clock.now()
        data = self._data(now, query.get("state") or None, query.get("search", ""), max(int(query.get("page", "1")), 1))
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
            rooms = [
                _room(room, room_state, self._store.participants(room.id, after=0, limit=_MAX_PARTICIPANTS + 1))
                for room, room_state in found
            ]
        return {
            "counts": counts,
            "page": page,
            "pages": pages,
            "rooms": rooms,
            "calls": _calls(self._log.requests()[-_MAX_REQUESTS:]),
            "pendingFaults": [_pending_fault(fault, times) for fault, times in self._faults.remaining()],
        }


def _is_navigation(request: Request) -> bool:
    """Whether the user followed a link. The page that contains the link cannot read the page that opens."""
    return request.headers.get("sec-fetch-mode") == "navigate" and request.headers.get("sec-fetch-dest") == "document"


def _room(room: Room, state: str, participants: Sequence[tuple[int, str, str]]) -> dict[str, object]:
    return {
        **room_json(room, API_VERSIONS[-1]),
        "state": state,
        "participants": [{"rawId": raw_id, "role": role} for _, raw_id, role in participants[:_MAX_PARTICIPANTS]],
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


def _pending_fault(fault: Fault, times: int) -> dict[str, object]:
    target = " ".join(filter(None, (fault.method, fault.path)))
    return {"text": _fault_text(fault), "target": target or "any request", "times": times}


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
