"""Each row of the contract's error table that a resource can be made to answer, replayed from recordings.

What cannot be provoked, throttling, is in ``test_service.py``.
"""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase

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


def refused(status: int, code: str, message: str, call: Callable[[], object]) -> HttpResponseError:
    """The error of a call that is refused as the table says; in the message, ``*`` stands for anything."""
    with pytest.raises(HttpResponseError) as raised:
        call()
    error = raised.value
    assert error.status_code == status
    assert error.error is not None
    assert error.error.code == code
    assert fnmatchcase(str(error.error.message), message)
    assert error.response is not None
    assert error.response.headers["x-ms-error-code"] == code
    return error


def bad_argument(call: Callable[[], object]) -> tuple[str, str]:
    """The message and the target of the one detail of a call that is refused for a bad argument."""
    error = refused(400, "BadRequest", MALFORMED_SYNTAX, call).error
    assert error is not None
    (detail,) = error.details
    assert detail.code == "BadArgument"
    return str(detail.message), str(detail.target)


def test_create_with_a_malformed_raw_id(client: RoomsClient) -> None:
    refused(
        400,
        "BadRequest",
        "Invalid format for communication identifier.",
        lambda: client.create_room(valid_from=VALID_FROM, participants=[MALFORMED]),
    )


def test_malformed_raw_id_added_or_removed(client: RoomsClient) -> None:
    room = client.create_room(valid_from=VALID_FROM)

    for change in (client.add_or_update_participants, client.remove_participants):
        refused(
            400, "BadRequest", "Invalid value for the Participants.", lambda change=change: change(room.id, [MALFORMED])
        )


def test_range_that_ends_before_it_starts(client: RoomsClient) -> None:
    message, target = bad_argument(
        lambda: client.create_room(valid_from=VALID_FROM, valid_until=VALID_FROM - timedelta(seconds=1))
    )

    assert (message, target) == ("The time range is incorrect, or larger than 180 days.", "ValidUntil")


def test_range_longer_than_180_days(client: RoomsClient) -> None:
    message, target = bad_argument(
        lambda: client.create_room(valid_from=VALID_FROM, valid_until=VALID_FROM + timedelta(days=181))
    )

    assert (message, target) == ("The time range is incorrect, or larger than 180 days.", "ValidUntil")


def test_range_that_ended_in_the_past(client: RoomsClient) -> None:
    message, target = bad_argument(lambda: client.create_room(valid_from=VALID_FROM, valid_until=PAST))

    assert (message, target) == ("The time range end is in the past.", "ValidUntil")


def test_unknown_role(client: RoomsClient) -> None:
    moderator = RoomParticipant(CommunicationUserIdentifier(ALICE), "Moderator")

    message, target = bad_argument(lambda: client.create_room(valid_from=VALID_FROM, participants=[moderator]))

    assert message.startswith("The JSON value could not be converted to ")
    assert f"RoleDto. Path: $.participants.{ALICE}.role" in message
    assert target == f"$.participants.{ALICE}.role"


def test_room_id_of_a_wrong_length(client: RoomsClient) -> None:
    for room_id in ("invalid_id", "123"):
        refused(400, "BadRequest", "Invalid room ID length.", lambda room_id=room_id: client.get_room(room_id))


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
        error = refused(404, "NotFound", "The server cannot find the requested resource.", call)
        assert isinstance(error, ResourceNotFoundError)


def test_no_deleted_room_is_found(client: RoomsClient) -> None:
    room = client.create_room(valid_from=VALID_FROM)
    client.delete_room(room.id)

    refused(
        404, "NotFound", "The server cannot find the requested resource.", lambda: client.delete_room(room.id)
    )


def test_signature_by_another_key(endpoint: str) -> None:
    with RoomsClient(endpoint, AzureKeyCredential(ANOTHER_KEY)) as client:
        error = refused(
            401, "Denied", "Denied by the resource provider.", lambda: client.get_room(NO_SUCH_ROOM)
        )

    assert isinstance(error, ClientAuthenticationError)


class ChangeOnTheWay(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Changes the body after it was signed."""

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        request.http_request = HttpRequest(
            request.http_request.method,
            request.http_request.url,
            headers=request.http_request.headers,
            content=request.http_request.content.replace(b"true", b"null"),
        )


def test_body_that_was_changed_on_the_way(connection_string: str) -> None:
    # The policy that is given as the last of the pipeline sees the request as it is sent.
    with RoomsClient.from_connection_string(connection_string, http_logging_policy=ChangeOnTheWay()) as client:
        error = refused(
            401,
            "Denied",
            "Request 'x-ms-content-sha256' differs from generated content hash.",
            lambda: client.update_room(NO_SUCH_ROOM, pstn_dial_out_enabled=True),
        )

    assert isinstance(error, ClientAuthenticationError)


def test_api_version_missing(client: RoomsClient) -> None:
    response = client.send_request(HttpRequest("GET", "/rooms"))

    refused(
        400,
        "ApiVersionUnspecified",
        "An API version is required, but was not specified.",
        response.raise_for_status,
    )


def test_api_version_unknown(connection_string: str) -> None:
    with RoomsClient.from_connection_string(connection_string, api_version="2099-01-01") as client:
        refused(
            400,
            "UnsupportedApiVersion",
            "The HTTP resource that matches the request URI '*/rooms?api-version=2099-01-01' "
            "does not support the API version '2099-01-01'.",
            client.list_rooms().next,
        )
