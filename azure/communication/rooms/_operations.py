"""Sends the requests of operations, and converts each response to a model or an exception."""

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
from ._options import RequestOptions, check_numbers
from ._pydantic import json_object
from ._repeatability import RepeatableRequest

_ERRORS: dict[int, type[exceptions.HttpResponseError]] = {
    401: exceptions.ClientAuthenticationError,
    404: exceptions.ResourceNotFoundError,
    409: exceptions.ResourceExistsError,
}


class _ServiceError(exceptions.ODataV4Format):
    """The service's error, as text with the details first: the main message is nearly always "malformed syntax"."""

    def __str__(self) -> str:
        return "\n".join(
            f"({error.code}) {error.message}" + (f" Target: {error.target}" if error.target else "")
            for error in (*self.details, self)
        )


_Model = TypeVar("_Model")
_Page = tuple[str | None, list[_Model]]


class RoomsOperations:
    """The operations on one endpoint, in one API version."""

    def __init__(self, pipeline: Pipeline[HttpRequest, HttpResponse], endpoint: str, api_version: str) -> None:
        self._pipeline = pipeline
        self._endpoint = endpoint
        self._prefix = urlsplit(endpoint).path
        self._query = f"?api-version={quote(api_version, safe='')}"

    def request(
        self,
        method: str,
        path_or_url: str,
        status_code: int,
        body: Mapping[str, object] | None = None,
        own_headers: Mapping[str, str] | None = None,
        /,
        **options: Unpack[RequestOptions],
    ) -> HttpResponse:
        """Send a request, and raise an error unless the response has this status code."""
        url = self._url(path_or_url) if path_or_url.startswith("/") else path_or_url
        headers, content = {"Accept": "application/json", **(own_headers or {})}, None
        if body is not None:
            headers["Content-Type"] = f"application/{'merge-patch+' if method == 'PATCH' else ''}json"
            content = json.dumps(body).encode("ascii")
        response = self.send_request(RepeatableRequest(method, url, headers=headers, content=content), **options)
        if response.status_code != status_code:
            error = _ERRORS.get(response.status_code, exceptions.HttpResponseError)
            raise error(response=response, error_format=_ServiceError)
        return response

    def list_items(
        self, path: str, model: Callable[[Mapping[str, object]], _Model], /, **options: Unpack[RequestOptions]
    ) -> ItemPaged[_Model]:
        first_url = _with_params(self._url(path), options.pop("params", None))

        def get_next(link: str | None) -> _Page[_Model]:
            if not isinstance(link, (str, type(None))):
                raise TypeError(f"continuation_token must be a str, not {type(link).__name__}")
            response = self.request("GET", self._next_url(link) if link else first_url, 200, **options)
            return read(response, lambda data: _page(data, model))

        return ItemPaged(get_next, lambda page: page)

    def send_request(
        self, request: HttpRequest, stream: bool = False, /, **options: Unpack[RequestOptions]
    ) -> HttpResponse:
        check_numbers(options)
        # A fragment is never sent, and params must not become a part of it.
        request.url = _with_params(request.url.partition("#")[0], options.pop("params", None))
        return self._pipeline.run(request, stream=stream, **options).http_response

    def _next_url(self, link: str) -> str:
        """Return the link's path and query, unchanged, on this endpoint, so no link can lead to another host."""
        _, _, path, query, _ = urlsplit(link)
        path = f"/{path.removeprefix('/')}"
        # A gateway may remove the prefix before the service sees it. Then the service's links lack it.
        prefix = "" if path.startswith(f"{self._prefix}/rooms") else self._prefix
        return f"{origin(self._endpoint)}{prefix}{path}?{query}"

    def _url(self, path: str) -> str:
        return f"{self._endpoint}{path}{self._query}"


def room_path(room_id: str) -> str:
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
    return link, [model(json_object(item)) for item in items]


def read(response: HttpResponse, model: Callable[[Mapping[str, object]], _Model]) -> _Model:
    """Convert the response's JSON to a model."""
    try:
        return model(json_object(json.loads(response.content or b"{}")))
    except (ValueError, RecursionError) as error:
        what = f"The response to {response.request.method} {urlsplit(response.request.url).path}"
        message = f"{what} is not the JSON that the service documents: {error}"
        decode_error = exceptions.DecodeError(message, error=error)
        # The constructor gets no response, because it would parse the body as an error and replace the message.
        decode_error.response, decode_error.reason = response, response.reason
        decode_error.status_code = response.status_code
        raise decode_error from error
