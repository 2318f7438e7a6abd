"""What an operation reads from its request."""

import json
import re
import uuid
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from starlette.requests import Request

from ._errors import ServiceError, bad_arguments, bad_request, status_error, wrong_type
from ._paging import decode_token, encode_token

_ENUM_MEMBER = re.compile(r"^ApiVersion\.V(\d{4})_(\d\d)_(\d\d)$", re.ASCII)


def request_target(request: Request) -> str:
    """The path and query as sent."""
    path: str = request.scope["path"]
    query = request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


class ServiceRequest:
    """An authenticated request. Raises a 400 error if its API version is missing or not supported."""

    def __init__(self, request: Request, body: bytes, api_versions: Sequence[str]) -> None:
        self.body = body
        self._request = request
        self._query = dict(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True))
        self.api_version = self._query.get("api-version", "")
        if "nextLink" in self._query:
            # To get a next page, the released Python client sends the name of its enum member instead of the version.
            self.api_version = _ENUM_MEMBER.sub(r"\1-\2-\3", self.api_version)
        if not self.api_version:
            raise ServiceError(400, "ApiVersionUnspecified", "An API version is required, but was not specified.")
        if self.api_version not in api_versions:
            raise ServiceError(
                400,
                "UnsupportedApiVersion",
                f"The HTTP resource that matches the request URI '{self._origin()}{request_target(request)}' "
                f"does not support the API version '{self.api_version}'.",
            )

    def json_object(self, media_type: str) -> dict[str, object]:
        """The body as a JSON object. Raises a 415 error for another media type, and a 400 error for another body."""
        if self._request.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
            raise status_error(415, f"The request's media type must be {media_type}.")
        try:
            data = json.loads(self.body, parse_constant=_reject_constant)
        except (ValueError, RecursionError):
            raise bad_arguments(("The request's body is not JSON.", "$")) from None
        if not isinstance(data, dict):
            raise wrong_type("an object", "$")
        return data

    def repeatability(self) -> tuple[str, str] | None:
        """The ID and date of a repeatable request. None if the request has neither."""
        request_id = self._request.headers.get("repeatability-request-id")
        first_sent = self._request.headers.get("repeatability-first-sent")
        if request_id is None and first_sent is None:
            return None
        try:
            return str(uuid.UUID(request_id or "")), parsedate_to_datetime(first_sent or "").isoformat()
        except (ValueError, OverflowError):
            message = "Repeatability-Request-ID must be a UUID, and Repeatability-First-Sent must be a date."
            raise bad_request(message) from None

    def page_position(self) -> int | None:
        """The position after which the requested page begins. None for the first page."""
        token = self._query.get("nextLink")
        return None if token is None else decode_token(token)

    def next_link(self, position: int) -> str:
        path = self._request.scope["path"]
        return f"{self._origin()}{path}?nextLink={encode_token(position)}&api-version={self.api_version}"

    def _origin(self) -> str:
        """The scheme, host and port that the client called."""
        scope = self._request.scope
        host, port = scope["server"]
        return f"{scope['scheme']}://{self._request.headers.get('host') or f'{host}:{port}'}"


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
