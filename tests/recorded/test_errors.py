"""Errors that are not in the exchanges with the live service, replayed from recordings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import CommunicationUserIdentifier, RoomParticipant, RoomsClient

from .conftest import ANOTHER_KEY, API_VERSION
from .scrubbing import ALICE, NO_SUCH_ROOM

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]

Raised = pytest.ExceptionInfo[HttpResponseError]


@contextmanager
def refused(status: int, code: str, message: str) -> Iterator[Raised]:
    """Expect an error with this code and message. In the message, ``*`` matches anything."""
    with pytest.raises(HttpResponseError) as raised:
        yield raised
    error: Any = raised.value
    assert (error.status_code, error.error.code, error.response.headers["x-ms-error-code"]) == (status, code, code)
    assert fnmatchcase(error.error.message, message)


def test_participants_of_no_such_room(client: RoomsClient) -> None:
    alice = RoomParticipant(CommunicationUserIdentifier(ALICE))
    calls: list[Callable[[], object]] = [
        lambda: client.add_or_update_participants(NO_SUCH_ROOM, [alice]),
        lambda: client.remove_participants(NO_SUCH_ROOM, [alice]),
        lambda: client.list_participants(NO_SUCH_ROOM).next(),
    ]
    for call in calls:
        with refused(404, "NotFound", "The server cannot find the requested resource.") as raised:
            call()
        assert isinstance(raised.value, ResourceNotFoundError)


def test_wrong_key(endpoint: str) -> None:
    with (
        RoomsClient(endpoint, AzureKeyCredential(ANOTHER_KEY), api_version=API_VERSION) as client,
        refused(401, "Denied", "Denied by the resource provider.") as raised,
    ):
        client.get_room(NO_SUCH_ROOM)

    assert isinstance(raised.value, ClientAuthenticationError)


class ChangeBodyPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Changes the body after it was signed."""

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        sent = request.http_request
        changed = sent.content.replace(b"true", b"null")
        request.http_request = HttpRequest(sent.method, sent.url, headers=sent.headers, content=changed)


def test_body_changed_after_signing(connection_string: str) -> None:
    # The logging policy is the last one before the transport, so it can change the request after it was signed.
    with (
        RoomsClient.from_connection_string(
            connection_string, api_version=API_VERSION, http_logging_policy=ChangeBodyPolicy()
        ) as client,
        refused(401, "Denied", "Request 'x-ms-content-sha256' differs from generated content hash.") as raised,
    ):
        client.update_room(NO_SUCH_ROOM, pstn_dial_out_enabled=True)

    assert isinstance(raised.value, ClientAuthenticationError)


def test_api_version_missing(client: RoomsClient) -> None:
    response = client.send_request(HttpRequest("GET", "/rooms"))

    with refused(400, "ApiVersionUnspecified", "An API version is required, but was not specified."):
        response.raise_for_status()


def test_api_version_unknown(connection_string: str) -> None:
    message = "The HTTP resource that matches the request URI '*/rooms' does not support the API version '2099-01-01'."
    with (
        RoomsClient.from_connection_string(connection_string, api_version="2099-01-01") as client,
        refused(400, "UnsupportedApiVersion", message),
    ):
        client.list_rooms().next()
