"""The seven operations, as the contract of the service says.

Where the contract is silent, this is what the emulator does:

* A room that is no longer valid is answered like one that is not there, by every operation.
* Participants are paged like rooms, in the order in which they were added. There is no limit of them.
* ``Collaborator`` can be given in the api-versions that know it, and is shown in all.
* ``pstnDialOutEnabled`` in a request of 2023-06-14 is ignored, as unknown members are.
* A repeatable create carries both headers, well formed, and is repeatable for as long as the database lives.
* ``api-deprecated-versions`` names two previews. Which ones the service names is not known.
* Credentials are looked at first, then the api-version, the path, the media type, the body's JSON, the room, and last
  what the body says.
"""

import base64
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from . import _time
from ._authentication import authenticate
from ._errors import ServiceError, bad_argument, bad_request, not_found, status_error
from ._store import Room, Store

API_VERSIONS = ("2023-06-14", "2024-04-15", "2025-03-13")
_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"
_MAX_LIFETIME = 180 * _time.DAY
_ROLES = ("Presenter", "Attendee", "Consumer", "Collaborator")
_RAW_ID = re.compile(
    r"(8:(acs|dod-acs|gcch-acs|spool|orgid|dod|gcch|teamsvisitor):|28:(orgid|dod|gcch):|4:).+", re.DOTALL
)
_ENUM_MEMBER = re.compile(r"^ApiVersion\.V(\d{4})_(\d\d)_(\d\d)$", re.ASCII)
# A token has what base64 can have and a URL cannot take for granted (+, / and =), and is as long as the service's.
_TOKEN_BEGIN = b"\xfb\xef\xbe\xff\xff\xff"
_TOKEN_LENGTH = 1600


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(json.dumps(body, separators=(",", ":")), status, headers)
    response.headers["Content-Type"] = "application/json; charset=utf-8"
    return response


def error_response(error: ServiceError) -> Response:
    return json_response(error.status, error.body, {"x-ms-error-code": error.code})


class RoomsService:
    """Answers requests, each in a transaction of its own."""

    def __init__(self, store: Store, key: bytes, bearer_token: str | None, page_size: int) -> None:
        self._store = store
        self._key = key
        self._bearer_token = bearer_token
        self._page_size = page_size
        self._routes = [
            Route("/rooms", self._create_room, methods=["POST"]),
            Route("/rooms", self._list_rooms, methods=["GET"]),
            Route("/rooms/{room_id}", self._get_room, methods=["GET"]),
            Route("/rooms/{room_id}", self._update_room, methods=["PATCH"]),
            Route("/rooms/{room_id}", self._delete_room, methods=["DELETE"]),
            Route("/rooms/{room_id}/participants", self._list_participants, methods=["GET"]),
            Route("/rooms/{room_id}/participants", self._update_participants, methods=["PATCH"]),
        ]

    def answer(self, request: Request, body: bytes) -> Response:
        """The answer to a request whose ``path`` in the scope is as it was sent, not percent-decoded."""
        query = request.scope["query_string"].decode("latin-1")
        target = f"{request.scope['path']}?{query}" if query else request.scope["path"]
        try:
            authenticate(request.method, target, request.headers, body, key=self._key, bearer_token=self._bearer_token)
            call = _Call(request, target, query, body)
            allowed: set[str] = set()
            for route in self._routes:
                match, scope = route.matches(request.scope)
                if match is Match.FULL:
                    with self._store.transaction():
                        answer: Response = scope["endpoint"](call, **scope["path_params"])
                    return answer
                if match is Match.PARTIAL:
                    allowed |= route.methods or set()
        except ServiceError as error:
            return error_response(error)
        if not allowed:
            return error_response(not_found())
        response = error_response(status_error(405, "The method is not allowed on this resource."))
        response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    def _create_room(self, call: "_Call") -> Response:
        data = call.json_object(_JSON)
        repeatable = call.repeatability()
        answer = self._store.answer_to(*repeatable) if repeatable else None
        if answer is None:
            room = self._new_room(call, data)
            answer = json.dumps(_room_json(room, call.api_version))
            if repeatable:
                self._store.keep_answer(*repeatable, answer)
        body = json.loads(answer)
        headers = {"Location": body["id"]}
        if repeatable:
            headers["Repeatability-Result"] = "accepted"
        return json_response(201, body, headers)

    def _new_room(self, call: "_Call", data: Mapping[str, object]) -> Room:
        now = _time.now()
        given_from, given_until = _time_member(data, "validFrom"), _time_member(data, "validUntil")
        flag = _pstn_dial_out_enabled(data, call.api_version)
        roles = _participants(data, call.api_version)
        for raw_id, role in roles.items():
            if role is None:
                raise bad_argument(f"The participant must not be null. Path: $.participants.{raw_id}.", "participants")
            if not _is_well_formed(raw_id):
                raise bad_request("Invalid format for communication identifier.")
        valid_from = now if given_from is None else given_from
        valid_until = valid_from + _MAX_LIFETIME if given_until is None else given_until
        _check_range(valid_from, valid_until, now)
        room = self._store.add_room(now, valid_from, valid_until, bool(flag))
        self._store.put_participants(room.id, {raw_id: role for raw_id, role in roles.items() if role})
        return room

    def _list_rooms(self, call: "_Call") -> Response:
        rooms = self._store.rooms(_time.now(), call.position(), self._page_size + 1)
        items = [_room_json(room, call.api_version) for room in rooms[: self._page_size]]
        return self._page(call, items, [room.position for room in rooms])

    def _get_room(self, call: "_Call", room_id: str) -> Response:
        return json_response(200, _room_json(self._room(room_id), call.api_version))

    def _update_room(self, call: "_Call", room_id: str) -> Response:
        data = call.json_object(_MERGE_PATCH)
        valid_from, valid_until = _time_member(data, "validFrom"), _time_member(data, "validUntil")
        flag = _pstn_dial_out_enabled(data, call.api_version)
        room = self._room(room_id)
        room.valid_from = room.valid_from if valid_from is None else valid_from
        room.valid_until = room.valid_until if valid_until is None else valid_until
        room.pstn_dial_out_enabled = room.pstn_dial_out_enabled if flag is None else flag
        if valid_from is not None or valid_until is not None:
            _check_range(room.valid_from, room.valid_until, _time.now())
        self._store.change_room(room)
        return json_response(200, _room_json(room, call.api_version))

    def _delete_room(self, call: "_Call", room_id: str) -> Response:
        self._store.delete_room(self._room(room_id).id)
        return Response(status_code=204)

    def _list_participants(self, call: "_Call", room_id: str) -> Response:
        room = self._room(room_id)
        rows = self._store.participants(room.id, call.position() or 0, self._page_size + 1)
        items = [{"rawId": raw_id, "role": role} for _, raw_id, role in rows[: self._page_size]]
        return self._page(call, items, [position for position, _, _ in rows])

    def _update_participants(self, call: "_Call", room_id: str) -> Response:
        roles = _participants(call.json_object(_MERGE_PATCH), call.api_version)
        room = self._room(room_id)
        if not all(map(_is_well_formed, roles)):
            raise bad_request("Invalid value for the Participants.")
        self._store.put_participants(room.id, {raw_id: role for raw_id, role in roles.items() if role})
        self._store.remove_participants(room.id, [raw_id for raw_id, role in roles.items() if role is None])
        return json_response(200, {})

    def _room(self, quoted_room_id: str) -> Room:
        room_id = unquote(quoted_room_id)
        if len(room_id) not in (16, 17):
            raise bad_request("Invalid room ID length.")
        room = self._store.room(room_id, _time.now())
        if room is None:
            raise not_found()
        return room

    def _page(self, call: "_Call", items: Sequence[Mapping[str, object]], positions: Sequence[int]) -> Response:
        """A page; it has a link to the next one where there are more positions than it shows."""
        body: dict[str, object] = {"value": items}
        if len(positions) > len(items):
            body["nextLink"] = call.next_link(positions[len(items) - 1])
        return json_response(200, body)


class _Call:
    """What an operation reads of its request."""

    def __init__(self, request: Request, target: str, query: str, body: bytes) -> None:
        self._request = request
        self._body = body
        self._query = dict(parse_qsl(query, keep_blank_values=True))
        self.api_version = self._query.get("api-version", "")
        if "nextLink" in self._query:
            # The released Python client names its enum in place of the version when it asks for a next page.
            self.api_version = _ENUM_MEMBER.sub(r"\1-\2-\3", self.api_version)
        if not self.api_version:
            raise ServiceError(400, "ApiVersionUnspecified", "An API version is required, but was not specified.")
        if self.api_version not in API_VERSIONS:
            raise ServiceError(
                400,
                "UnsupportedApiVersion",
                f"The HTTP resource that matches the request URI '{self._origin()}{target}' "
                f"does not support the API version '{self.api_version}'.",
            )

    def json_object(self, media_type: str) -> dict[str, object]:
        if self._request.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
            raise status_error(415, f"The request's media type must be {media_type}.")
        try:
            data = json.loads(self._body, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise bad_argument("The request's body is not JSON.", "$") from None
        if not isinstance(data, dict):
            raise bad_argument("The JSON value could not be converted to an object. Path: $.", "$")
        return data

    def repeatability(self) -> tuple[str, str] | None:
        request_id = self._request.headers.get("repeatability-request-id")
        first_sent = self._request.headers.get("repeatability-first-sent")
        if request_id is None and first_sent is None:
            return None
        try:
            request_id = str(uuid.UUID(request_id or ""))
            first_sent = parsedate_to_datetime(first_sent or "").isoformat()
        except (ValueError, OverflowError):
            raise bad_request(
                "Repeatability-Request-ID and Repeatability-First-Sent must be a UUID and a date."
            ) from None
        return request_id, first_sent

    def position(self) -> int | None:
        """Where the page begins; None for the first."""
        token = self._query.get("nextLink")
        if token is None:
            return None
        try:
            # The released Python client sends a token's + as a space.
            content = base64.b64decode(token.replace(" ", "+"), validate=True)
            position = int(content.removeprefix(_TOKEN_BEGIN)[:19])
        except ValueError:
            position = -1
        if not 0 <= position < 2**63:
            raise bad_request("The nextLink is not one that this service made.")
        return position

    def next_link(self, position: int) -> str:
        content = _TOKEN_BEGIN + f"{position:019}".encode("ascii")
        token = base64.b64encode(content.ljust(_TOKEN_LENGTH, b"\0")).decode("ascii")
        return f"{self._origin()}{self._request.scope['path']}?nextLink={token}&api-version={self.api_version}"

    def _origin(self) -> str:
        """The scheme, host and port that the client called."""
        scope = self._request.scope
        host, port = scope["server"]
        return f"{scope['scheme']}://{self._request.headers.get('host') or f'{host}:{port}'}"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _room_json(room: Room, api_version: str) -> dict[str, object]:
    data: dict[str, object] = {
        "id": room.id,
        "createdAt": _time.text_of(room.created_at),
        "validFrom": _time.text_of(room.valid_from),
        "validUntil": _time.text_of(room.valid_until),
    }
    if api_version != "2023-06-14":
        data["pstnDialOutEnabled"] = bool(room.pstn_dial_out_enabled)
    return data


def _time_member(data: Mapping[str, object], name: str) -> int | None:
    value = data.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, str):
            return _time.parse(value)
    except ValueError:
        pass  # refused like any other value that is not a time
    raise bad_argument(f"The JSON value could not be converted to a time. Path: $.{name}.", f"$.{name}")


def _pstn_dial_out_enabled(data: Mapping[str, object], api_version: str) -> bool | None:
    flag = data.get("pstnDialOutEnabled") if api_version != "2023-06-14" else None
    if flag is None or isinstance(flag, bool):
        return flag
    path = "$.pstnDialOutEnabled"
    raise bad_argument(f"The JSON value could not be converted to a boolean. Path: {path}.", path)


def _participants(data: Mapping[str, object], api_version: str) -> dict[str, str | None]:
    """Raw IDs and roles; None stands for null, which removes."""
    participants = data.get("participants")
    if participants is None:
        return {}
    if not isinstance(participants, dict):
        raise bad_argument(
            "The JSON value could not be converted to an object. Path: $.participants.", "$.participants"
        )
    return {raw_id: _role(raw_id, properties, api_version) for raw_id, properties in participants.items()}


def _role(raw_id: str, properties: object, api_version: str) -> str | None:
    if properties is None:
        return None
    path = f"$.participants.{raw_id}"
    if not isinstance(properties, dict):
        raise bad_argument(f"The JSON value could not be converted to an object. Path: {path}.", path)
    role = properties.get("role")
    if role is None:
        return "Attendee"
    known = _ROLES if api_version == "2025-03-13" else _ROLES[:-1]
    if not (isinstance(role, str) and role in known):
        raise bad_argument(f"The JSON value could not be converted to RoleDto. Path: {path}.role.", f"{path}.role")
    return role


def _is_well_formed(raw_id: str) -> bool:
    try:
        raw_id.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold and nothing else
        return False
    return _RAW_ID.fullmatch(raw_id) is not None


def _check_range(valid_from: int, valid_until: int, now: int) -> None:
    if valid_until < now:
        raise bad_argument("The time range end is in the past.", "ValidUntil")
    if not valid_from <= valid_until <= min(valid_from + _MAX_LIFETIME, _time.LAST):
        raise bad_argument("The time range is incorrect, or larger than 180 days.", "ValidUntil")
