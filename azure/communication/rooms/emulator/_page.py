"""The emulator's web page: the rooms and the latest requests, read-only.

The page needs no credentials: anyone who can open the emulator's address in a browser can see it. Pages of other
origins can read neither the page nor its data. The application has already rejected hosts that are not allowed.
"""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ._api_versions import API_VERSIONS
from ._faults import Fault, Faults
from ._request_log import ReceivedRequest, RequestLog
from ._room_json import room_json
from ._store import ROOM_STATES, Room, Store
from ._time import Clock, format_time

_PATH = "/_emulator"
_ASSETS = {
    "": ("index.html", "text/html; charset=utf-8"),
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_ROOMS_PER_PAGE = 25
_MAX_PARTICIPANTS = 100
_MAX_REQUESTS = 1000
_MAX_CALLS = 50
_MAX_ATTEMPTS = 20
_MAX_PATH = 300


class Page:
    """The page, its assets and its data, all under ``/_emulator``."""

    def __init__(self, store: Store, clock: Clock, log: RequestLog, faults: Faults) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self._faults = faults
        folder = Path(__file__).with_name("page")
        self._assets = {
            path: ((folder / name).read_bytes(), media_type) for path, (name, media_type) in _ASSETS.items()
        }

    def respond(self, request: Request) -> Response | None:
        """The response, or None if the request is for the API."""
        path: str = request.scope["path"]
        if path == "/" and request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(_PATH, 302, _HEADERS)
        if path != _PATH and not path.startswith(f"{_PATH}/"):
            return None
        response = self._respond(request, path.removeprefix(_PATH))
        response.headers.update(_HEADERS)
        return response

    def _respond(self, request: Request, path: str) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response("The page is read-only.", 405, {"Allow": "GET, HEAD"}, "text/plain")
        is_document = path in ("", "/")
        if not _is_same_origin(request) and not (is_document and _is_navigation(request)):
            return Response("Other origins cannot read this page.", 403, media_type="text/plain")
        if path == "/data":
            return self._data_response(request)
        if path in self._assets:
            content, media_type = self._assets[path]
            return Response(content, headers={"Content-Type": media_type})
        return Response("Not found.", 404, media_type="text/plain")

    def _data_response(self, request: Request) -> Response:
        query = request.query_params
        state = query.get("state") or None
        page = query.get("page", "1")
        if state not in (None, *ROOM_STATES) or not (page.isascii() and page.isdigit() and len(page) < 7):
            return Response("state or page is invalid.", 400, media_type="text/plain")
        now = self._clock.now()
        try:
            data = self._data(now, state, query.get("search", ""), max(int(page), 1))
        except sqlite3.Error as error:
            return Response(f"The database failed: {error}", 503, media_type="text/plain")
        body = json.dumps(data, separators=(",", ":")).encode("ascii")
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        # The time is in a header, so that the body and its ETag change only when there is something new to show.
        headers = {"ETag": etag, "Emulator-Time": format_time(now), "Content-Type": "application/json"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers)

    def _data(self, now: int, state: str | None, search: str, page: int) -> dict[str, object]:
        """What the page shows, without the queries, headers and bodies of requests, which may contain secrets."""
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
            "pendingFaults": [_pending_fault(fault) for fault in self._faults.pending()],
        }


def _is_same_origin(request: Request) -> bool:
    """Whether the request comes from the emulator's page or from no page at all.

    For requests from web pages, browsers send at least one of these headers.
    """
    own = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
    is_own_site = request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    return is_own_site and request.headers.get("origin", own).lower() == own.lower()


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
    path = attempts[0].path
    return {
        "method": attempts[0].method,
        "path": path if len(path) <= _MAX_PATH else f"{path[:_MAX_PATH]}…",
        "attemptCount": len(attempts),
        "attempts": [
            {
                "receivedAt": attempt.received_at.isoformat(),
                "status": _status(attempt),
                "fault": None if attempt.fault is None else _fault_text(attempt.fault),
            }
            for attempt in attempts[-_MAX_ATTEMPTS:]
        ],
    }


def _status(request: ReceivedRequest) -> str:
    if request.status_code is not None:
        return str(request.status_code)
    return "closed" if request.fault is not None and request.fault.drop else "waiting"


def _pending_fault(fault: Fault) -> dict[str, object]:
    target = " ".join(filter(None, (fault.method, fault.path)))
    return {"text": _fault_text(fault), "target": target or "any request", "times": fault.times}


def _fault_text(fault: Fault) -> str:
    parts = []
    if fault.delay:
        parts.append(f"delay of {fault.delay:g} s")
    if fault.status is not None:
        parts.append(f"status {fault.status}")
    if fault.retry_after is not None:
        parts.append(f"Retry-After: {fault.retry_after}")
    if fault.body is not None:
        parts.append(f"body of {len(fault.body)} bytes")
    if fault.drop:
        parts.append(f"connection closed {fault.drop} execution")
    if fault.truncate:
        parts.append("response cut in half")
    return ", ".join(parts)
