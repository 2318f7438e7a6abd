"""Each row of the contract's error table that a resource can be made to answer, replayed from recordings.

What cannot be provoked, throttling, is in ``test_service.py``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import CommunicationUserIdentifier, RoomParticipant, RoomsClient, UnknownIdentifier

from .conftest import ANOTHER_KEY
from .scrubbing import ALICE, NO_SUCH_ROOM

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]

VALID_FROM = datetime(2100, 1, 1, tzinfo=timezone.utc)
PAST = datetime(2001, 1, 1, tzinfo=timezone.utc)
MALFORMED = RoomParticipant(UnknownIdentifier("alice"))
MALFORMED_SYNTAX = "The request could not be understood by the server due to malformed syntax."


Raised = pytest.ExceptionInfo[HttpResponseError]


@contextmanager
def refused(status: int, code: str, message: str) -> Iterator[Raised]:
    """The call is refused as the table says; in the message, ``*`` stands for anything."""
    with pytest.raises(HttpResponseError) as raised:
        yield raised
    error: Any = raised.value
    assert (error.status_code, error.error.code, error.response.headers["x-ms-error-code"]) == (status, code, code)
    assert fnmatchcase(error.error.message, message)


def details(raised: Raised) -> list[tuple[str, str, str]]:
    error: Any = raised.value.error
    return [(detail.code, detail.message, detail.target) for detail in error.details]


def test_create_with_a_malformed_raw_id(client: RoomsClient) -> None:
    with refused(400, "BadRequest", "Invalid format for communication identifier."):
        client.create_room(valid_from=VALID_FROM, participants=[MALFORMED])


def test_malformed_raw_id_added_or_removed(client: RoomsClient) -> None:
    room = client.create_room(valid_from=VALID_FROM)

    with refused(400, "BadRequest", "Invalid value for the Participants."):
        client.add_or_update_participants(room.id, [MALFORMED])
    with refused(400, "BadRequest", "Invalid value for the Participants."):
        client.remove_participants(room.id, [MALFORMED])


def test_range_that_ends_before_it_starts(client: RoomsClient) -> None:
    with refused(400, "BadRequest", MALFORMED_SYNTAX) as raised:
        client.create_room(valid_from=VALID_FROM, valid_until=VALID_FROM - timedelta(seconds=1))

    assert details(raised) == [
        ("BadArgument", "The time range is incorrect, or larger than 180 days.", "ValidUntil"),
    ]


def test_range_longer_than_180_days(client: RoomsClient) -> None:
    room = client.create_room(valid_from=VALID_FROM)

    with refused(400, "BadRequest", MALFORMED_SYNTAX) as raised:
        client.update_room(room.id, valid_until=VALID_FROM + timedelta(days=180, seconds=1))

    assert details(raised) == [
        ("BadArgument", "The time range is incorrect, or larger than 180 days.", "ValidUntil"),
    ]


def test_range_that_ended_in_the_past(client: RoomsClient) -> None:
    with refused(400, "BadRequest", MALFORMED_SYNTAX) as raised:
        client.create_room(valid_from=VALID_FROM, valid_until=PAST)

    assert details(raised) == [("BadArgument", "The time range end is in the past.", "ValidUntil")]


def test_unknown_role(client: RoomsClient) -> None:
    moderator = RoomParticipant(CommunicationUserIdentifier(ALICE), "Moderator")

    with refused(400, "BadRequest", MALFORMED_SYNTAX) as raised:
        client.create_room(valid_from=VALID_FROM, participants=[moderator])

    ((code, message, target),) = details(raised)
    assert (code, target) == ("BadArgument", f"$.participants.{ALICE}.role")
    assert message.startswith("The JSON value could not be converted to ")
    assert f"RoleDto. Path: $.participants.{ALICE}.role" in message


def test_room_id_of_a_wrong_length(client: RoomsClient) -> None:
    for room_id in ("invalid_id", "123"):
        with refused(400, "BadRequest", "Invalid room ID length."):
            client.get_room(room_id)


def test_no_operation_finds_a_room_that_does_not_exist(client: RoomsClient) -> None:
    alice = RoomParticipant(CommunicationUserIdentifier(ALICE))
    calls: list[Callable[[], object]] = [
        lambda: client.get_room(NO_SUCH_ROOM),
        lambda: client.update_room(NO_SUCH_ROOM, pstn_dial_out_enabled=True),
        lambda: client.delete_room(NO_SUCH_ROOM),
        lambda: client.add_or_update_participants(NO_SUCH_ROOM, [alice]),
        lambda: client.remove_participants(NO_SUCH_ROOM, [alice]),
        lambda: client.list_participants(NO_SUCH_ROOM).next(),
    ]
    for call in calls:
        with refused(404, "NotFound", "The server cannot find the requested resource.") as raised:
            call()
        assert isinstance(raised.value, ResourceNotFoundError)


def test_no_deleted_room_is_found(client: RoomsClient) -> None:
    room = client.create_room(valid_from=VALID_FROM)
    client.delete_room(room.id)

    with refused(404, "NotFound", "The server cannot find the requested resource."):
        client.delete_room(room.id)


def test_signature_by_another_key(endpoint: str) -> None:
    with (
        RoomsClient(endpoint, AzureKeyCredential(ANOTHER_KEY)) as client,
        refused(401, "Denied", "Denied by the resource provider.") as raised,
    ):
        client.get_room(NO_SUCH_ROOM)

    assert isinstance(raised.value, ClientAuthenticationError)


class ChangeOnTheWay(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Changes the body after it was signed."""

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        sent = request.http_request
        changed = sent.content.replace(b"true", b"null")
        request.http_request = HttpRequest(sent.method, sent.url, headers=sent.headers, content=changed)


def test_body_that_was_changed_on_the_way(connection_string: str) -> None:
    # What is given as the logging policy is the last of the pipeline, and sees requests as they are sent.
    with (
        RoomsClient.from_connection_string(connection_string, http_logging_policy=ChangeOnTheWay()) as client,
        refused(401, "Denied", "Request 'x-ms-content-sha256' differs from generated content hash.") as raised,
    ):
        client.update_room(NO_SUCH_ROOM, pstn_dial_out_enabled=True)

    assert isinstance(raised.value, ClientAuthenticationError)


def test_api_version_missing(client: RoomsClient) -> None:
    response = client.send_request(HttpRequest("GET", "/rooms"))

    with refused(400, "ApiVersionUnspecified", "An API version is required, but was not specified."):
        response.raise_for_status()


def test_api_version_unknown(connection_string: str) -> None:
    message = (
        "The HTTP resource that matches the request URI '*/rooms?api-version=2099-01-01' "
        "does not support the API version '2099-01-01'."
    )
    with (
        RoomsClient.from_connection_string(connection_string, api_version="2099-01-01") as client,
        refused(400, "UnsupportedApiVersion", message),
    ):
        client.list_rooms().next()
