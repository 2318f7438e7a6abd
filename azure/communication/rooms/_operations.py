"""The service's operations: each sends a request and converts the response to a model or an exception."""

import json
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

from azure.core import exceptions
from azure.core.paging import ItemPaged
from azure.core.pipeline import Pipeline
from azure.core.rest import HttpRequest, HttpResponse
from typing_extensions import Unpack

from ._endpoint import origin
from ._models import CommunicationRoom, RoomParticipant
from ._options import RequestOptions

_ERRORS: dict[int, type[exceptions.HttpResponseError]] = {
    401: exceptions.ClientAuthenticationError,
    404: exceptions.ResourceNotFoundError,
    409: exceptions.ResourceExistsError,
}


class _ServiceError(exceptions.ODataV4Format):
    """The service's error, as text with the details first: the main message is nearly always "malformed syntax"."""

    def __str__(self) -> str:
        details = [
            f"({detail.code}) {detail.message}" + (f" Target: {detail.target}" if detail.target else "")
            for detail in self.details
        ]
        return "\n".join([*details, super().__str__()])


_Model = TypeVar("_Model")
_Page = tuple[str | None, list[_Model]]


class RoomsOperations:
    """The operations on one endpoint, in one API version."""

    def __init__(self, pipeline: Pipeline[HttpRequest, HttpResponse], endpoint: str, api_version: str) -> None:
        self._pipeline = pipeline
        self._endpoint = endpoint
        self._prefix = urlsplit(endpoint).path
        self._query = f"?api-version={quote(api_version, safe='')}"

    def create_room(
        self, body: Mapping[str, object], repeatability: Mapping[str, str], **options: Unpack[RequestOptions]
    ) -> CommunicationRoom:
        # All attempts carry the same repeatability headers, so the service executes only one of them.
        headers = {"Content-Type": "application/json", **repeatability}
        response = self._run("POST", self._url("/rooms"), headers, body, **options)
        return _read(response, 201, CommunicationRoom)

    def get_room(self, room_id: str, **options: Unpack[RequestOptions]) -> CommunicationRoom:
        return _read(self._run("GET", self._url(_room_path(room_id)), **options), 200, CommunicationRoom)

    def list_rooms(self, **options: Unpack[RequestOptions]) -> ItemPaged[CommunicationRoom]:
        return self._list("/rooms", CommunicationRoom, **options)

    def update_room(
        self, room_id: str, body: Mapping[str, object], **options: Unpack[RequestOptions]
    ) -> CommunicationRoom:
        return _read(self._patch(_room_path(room_id), body, **options), 200, CommunicationRoom)

    def delete_room(self, room_id: str, **options: Unpack[RequestOptions]) -> None:
        _check_status(self._run("DELETE", self._url(_room_path(room_id)), **options), 204)

    def list_participants(self, room_id: str, **options: Unpack[RequestOptions]) -> ItemPaged[RoomParticipant]:
        return self._list(f"{_room_path(room_id)}/participants", RoomParticipant, **options)

    def update_participants(self, room_id: str, body: Mapping[str, object], **options: Unpack[RequestOptions]) -> None:
        _read(self._patch(f"{_room_path(room_id)}/participants", body, **options), 200, lambda _: None)

    def send_request(
        self, request: HttpRequest, *, stream: bool = False, **options: Unpack[RequestOptions]
    ) -> HttpResponse:
        # A fragment is never sent, and params must not become a part of it.
        request.url = _with_params(request.url.partition("#")[0], options.pop("params", None))
        return self._pipeline.run(request, stream=stream, **options).http_response

    def _url(self, path: str) -> str:
        return f"{self._endpoint}{path}{self._query}"

    def _next_url(self, link: str) -> str:
        """Return the link's path and query, unchanged, on this endpoint, so no link can lead to another host."""
        _, _, path, query, _ = urlsplit(link)
        if not path.startswith("/"):
            path = f"/{path}"
        # A gateway may remove the prefix before the service sees it. Then the service's links lack it.
        prefix = "" if path.startswith(f"{self._prefix}/rooms") else self._prefix
        return f"{origin(self._endpoint)}{prefix}{path}?{query}"

    def _run(
        self,
        method: str,
        url: str,
        own_headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        /,
        **options: Unpack[RequestOptions],
    ) -> HttpResponse:
        """Send a request that the retry policy may repeat: the service executes it once, or it is idempotent."""
        content = None if body is None else json.dumps(body).encode("ascii")
        headers = {"Accept": "application/json", **(own_headers or {})}
        request = HttpRequest(method, url, headers=headers, content=content)
        options.setdefault("retry_on_methods", [method])
        return self.send_request(request, **options)

    def _patch(self, path: str, body: Mapping[str, object], **options: Unpack[RequestOptions]) -> HttpResponse:
        return self._run("PATCH", self._url(path), {"Content-Type": "application/merge-patch+json"}, body, **options)

    def _list(
        self, path: str, model: Callable[[Mapping[str, object]], _Model], **options: Unpack[RequestOptions]
    ) -> ItemPaged[_Model]:
        first_url = _with_params(self._url(path), options.pop("params", None))

        def get_next(link: str | None) -> _Page[_Model]:
            if not isinstance(link, (str, type(None))):
                raise TypeError(f"continuation_token must be a str, not {type(link).__name__}")
            response = self._run("GET", self._next_url(link) if link else first_url, **options)
            return _read(response, 200, lambda data: _page(data, model))

        return ItemPaged(get_next, lambda page: page)


def _room_path(room_id: str) -> str:
    """Return the path of a room. The whole ID is percent-encoded, so no ID can lead to another path."""
    if not isinstance(room_id, str):
        raise TypeError(f"room_id must be a str, not {type(room_id).__name__}")
    if room_id in ("", ".", ".."):
        raise ValueError(f"room_id must be a room's ID, not {room_id!r}")
    return f"/rooms/{quote(room_id, safe='')}"


def _with_params(url: str, params: Mapping[str, str] | None) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params)}" if params else url


def _page(data: Mapping[str, object], model: Callable[[Mapping[str, object]], _Model]) -> _Page[_Model]:
    items = data.get("value")
    if not isinstance(items, list):
        raise ValueError("'value' is missing or not an array")
    link = data.get("nextLink") or None
    if not isinstance(link, (str, type(None))):
        raise ValueError("'nextLink' is not a string")
    urlsplit(link or "").geturl().encode("utf-8")  # raises ValueError if it is not a URL
    return link, [model(_json_object(item)) for item in items]


def _json_object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, not {type(value).__name__}")
    return value


def _read(response: HttpResponse, status: int, model: Callable[[Mapping[str, object]], _Model]) -> _Model:
    _check_status(response, status)
    try:
        return model(_json_object(json.loads(response.content)))
    except ValueError as error:
        decode_error = exceptions.DecodeError(
            f"The response to {response.request.method} {urlsplit(response.request.url).path} "
            f"is not the JSON that the service documents: {error}",
            error=error,
        )
        # The constructor gets no response, because it would parse the body as an error and replace the message.
        decode_error.response = response
        decode_error.status_code = response.status_code
        decode_error.reason = response.reason
        raise decode_error from error


def _check_status(response: HttpResponse, status: int) -> None:
    if response.status_code != status:
        error = _ERRORS.get(response.status_code, exceptions.HttpResponseError)
        raise error(response=response, error_format=_ServiceError)
