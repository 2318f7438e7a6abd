"""What an operation reads from its request, and links to next pages."""

import base64
import json
import re
import uuid
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request

from ._errors import ServiceError, bad_arguments, bad_request, status_error, wrong_type

_ENUM_MEMBER = re.compile(r"^ApiVersion\.V(\d{4})_(\d\d)_(\d\d)$", re.ASCII)


def origin(request: Request) -> str:
    """The scheme, host and port that the client called."""
    host = request.headers["host"]
    if host in ("127.0.0.1", "localhost", "[::1]"):  # Microsoft's client for Java sends no port
        host += f":{request.scope['server'][1]}"
    return f"{request.scope['scheme']}://{host}"


def read_json(request: Request, media_type: str, body: bytes) -> object:
    """Parse the body as System.Text.Json does: UTF-8, no NaN. Raises ValueError, or a 415 error for another type."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
        raise status_error(415, f"The request's media type must be {media_type}.")

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        data: object = json.loads(body.decode("utf-8"), parse_constant=refuse)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    return data


class ServiceRequest:
    """An authenticated request. Raises a 400 error if its API version is missing or not supported."""

    def __init__(self, request: Request, api_versions: Sequence[str]) -> None:
        self.method = request.method
        self.any_credentials: bool = request.state.any_credentials
        self.body: bytes = request.state.body
        self.path_params = {name: unquote(value) for name, value in request.path_params.items()}
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
                f"The HTTP resource that matches the request URI '{self._uri()}' "
                f"does not support the API version '{self.api_version}'.",
            )

    def json_object(self, media_type: str) -> dict[str, object]:
        """The body as a JSON object. Raises a 415 error for another media type, and a 400 error for another body."""
        try:
            data = read_json(self._request, media_type, self.body)
        except ValueError:
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
        if token is None:
            return None
        try:
            position = int(base64.b64decode(token[:28]))
        except ValueError:
            position = -1
        if not 0 <= position < 2**63 or _page_token(position) != token:
            raise bad_request("The nextLink was not issued by this service.")
        return position

    def next_link(self, position: int) -> str:
        return f"{self._uri()}?nextLink={_page_token(position)}&api-version={self.api_version}"

    def _uri(self) -> str:
        """The URI that the client called, without the query."""
        return f"{origin(self._request)}{self._request.scope['path']}"


def _page_token(position: int) -> str:
    """An opaque token like the service's: 715 letters and digits, which are unpadded base64."""
    return base64.b64encode(f"{position:021}{'A' * 515}".encode("ascii")).decode("ascii").rstrip("=")
