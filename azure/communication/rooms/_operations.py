"""The service's seven operations over HTTP: a request goes down the pipeline, JSON comes up and becomes a model."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from azure.core import PipelineClient
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceResponseError,
)
from azure.core.paging import ItemPaged
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RequestHistory
from azure.core.rest import HttpRequest, HttpResponse

from ._authentication import http_date
from ._models import CommunicationRoom, RoomParticipant
from ._policies import MERGE_PATCH, REPEATABILITY_REQUEST_ID

_JSON = "application/json"
_ERRORS: dict[int, type[HttpResponseError]] = {
    401: ClientAuthenticationError,
    404: ResourceNotFoundError,
    409: ResourceExistsError,
}

_Model = TypeVar("_Model")
_Page = tuple[str | None, list[_Model]]


class RoomsOperations:
    """The operations on one endpoint in one api-version."""

    def __init__(self, client: PipelineClient[HttpRequest, HttpResponse], endpoint: str, api_version: str) -> None:
        self._client = client
        self._endpoint = endpoint
        self._prefix = urlsplit(endpoint).path
        self._query = f"?api-version={quote(api_version, safe='')}"

    def create_room(self, body: Mapping[str, object], **kwargs: Any) -> CommunicationRoom:
        # One pair for all attempts makes the create repeatable, so the retry policy retries it like the others.
        headers = {
            "Content-Type": _JSON,
            REPEATABILITY_REQUEST_ID: str(uuid.uuid4()),
            "Repeatability-First-Sent": http_date(time.time()),
        }
        response = self._run("POST", self._url("/rooms"), headers, body, **kwargs)
        return _read(response, 201, CommunicationRoom)

    def get_room(self, room_path: str, **kwargs: Any) -> CommunicationRoom:
        return _read(self._run("GET", self._url(room_path), **kwargs), 200, CommunicationRoom)

    def list_rooms(self, **kwargs: Any) -> ItemPaged[CommunicationRoom]:
        return self._list("/rooms", CommunicationRoom, **kwargs)

    def update_room(self, room_path: str, body: Mapping[str, object], **kwargs: Any) -> CommunicationRoom:
        return _read(self._patch(room_path, body, **kwargs), 200, CommunicationRoom)

    def delete_room(self, room_path: str, **kwargs: Any) -> None:
        response = self._run("DELETE", self._url(room_path), **kwargs)
        attempts = response.context.get("history") or ()
        if response.http_response.status_code == 404 and any(map(_may_have_been_executed, attempts)):
            return  # as far as can be known, an earlier attempt of this very call deleted the room
        _expect(response, 204)

    def list_participants(self, room_path: str, **kwargs: Any) -> ItemPaged[RoomParticipant]:
        return self._list(f"{room_path}/participants", RoomParticipant, **kwargs)

    def update_participants(self, room_path: str, body: Mapping[str, object], **kwargs: Any) -> None:
        _read(self._patch(f"{room_path}/participants", body, **kwargs), 200, lambda _: None)

    def _url(self, path: str) -> str:
        return f"{self._endpoint}{path}{self._query}"

    def _next_url(self, link: str) -> str:
        """The link's path and query as they came, on this endpoint: a link never leads to another host."""
        _, _, path, query, _ = urlsplit(link)
        if not path.startswith("/"):
            path = f"/{path}"
        if path.startswith(f"{self._prefix}/"):  # the service may or may not know of the endpoint's path prefix
            path = path[len(self._prefix) :]
        return f"{self._endpoint}{path}?{query}"

    def _run(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        /,
        **kwargs: Any,
    ) -> PipelineResponse[HttpRequest, HttpResponse]:
        content = None if body is None else json.dumps(body).encode("ascii")
        headers = {"Accept": _JSON, **(headers or {})}
        params = dict(kwargs.pop("params", None) or {})  # a copy: azure-core writes into it what the URL has
        request = HttpRequest(method, url, params=params, headers=headers, content=content)
        return self._client._pipeline.run(request, stream=False, **kwargs)

    def _patch(
        self, path: str, body: Mapping[str, object], **kwargs: Any
    ) -> PipelineResponse[HttpRequest, HttpResponse]:
        return self._run("PATCH", self._url(path), {"Content-Type": MERGE_PATCH}, body, **kwargs)

    def _list(self, path: str, model: Callable[[Mapping[str, object]], _Model], **kwargs: Any) -> ItemPaged[_Model]:
        def get_next(link: str | None) -> _Page[_Model]:
            response = self._run("GET", self._next_url(link) if link else self._url(path), **kwargs)
            return _read(response, 200, lambda data: _page(data, model))

        return ItemPaged(get_next, lambda page: page)


def room_path(room_id: str) -> str:
    """The path of a room. The ID is percent-encoded whole, so that no ID leads to another path."""
    if not isinstance(room_id, str):
        raise TypeError(f"room_id must be a str, not {type(room_id).__name__}")
    if not room_id:
        raise ValueError("room_id must not be empty")
    if room_id in (".", ".."):
        return f"/rooms/{room_id.replace('.', '%2E')}"
    return f"/rooms/{quote(room_id, safe='')}"


def _page(data: Mapping[str, object], model: Callable[[Mapping[str, object]], _Model]) -> _Page[_Model]:
    items = data.get("value")
    if not isinstance(items, list):
        raise ValueError("'value' is missing or not an array")
    link = data.get("nextLink") or None
    if not (link is None or isinstance(link, str)):
        raise ValueError("'nextLink' is not a string")
    urlsplit(link or "")  # a ValueError where it is no URL
    return link, [model(_json_object(item)) for item in items]


def _json_object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"an object was expected, not {type(value).__name__}")
    return value


def _read(
    response: PipelineResponse[HttpRequest, HttpResponse],
    status: int,
    model: Callable[[Mapping[str, object]], _Model],
) -> _Model:
    _expect(response, status)
    http_response = response.http_response
    try:
        return model(_json_object(json.loads(http_response.content)))
    except (ValueError, RecursionError) as error:
        decode_error = DecodeError(
            f"The answer to {http_response.request.method} {urlsplit(http_response.request.url).path} "
            f"is not the JSON that the service promises: {error}",
            error=error,
        )
        # Set here, since given to the constructor it makes azure-core read the body as an error, in place of the above.
        decode_error.response = http_response
        decode_error.status_code = http_response.status_code
        decode_error.reason = http_response.reason
        raise decode_error from error


def _expect(response: PipelineResponse[HttpRequest, HttpResponse], status: int) -> None:
    http_response = response.http_response
    if http_response.status_code != status:
        raise _ERRORS.get(http_response.status_code, HttpResponseError)(response=http_response)


def _may_have_been_executed(attempt: RequestHistory[HttpRequest, HttpResponse]) -> bool:
    """Whether the service may have done what a failed attempt asked, though it did not say so."""
    if attempt.http_response is None:
        return isinstance(attempt.error, ServiceResponseError)
    return attempt.http_response.status_code == 408 or attempt.http_response.status_code >= 500
