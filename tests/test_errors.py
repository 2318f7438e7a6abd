"""Each row of the contract's error table, as the client's user sees it; and answers that are not the service's."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import RoomParticipant, RoomsClient, UnknownIdentifier
from azure.communication.rooms.emulator import RoomsEmulator

from .scripted_server import Answer, scripted_server

NOW = datetime.now(timezone.utc)
NO_ROOM = "99000000000000000"
MALFORMED = "The request could not be understood by the server due to malformed syntax."
CANNOT_FIND = "The server cannot find the requested resource."
NOT_AN_ID = [RoomParticipant(UnknownIdentifier("nobody"))]
NO_SUCH_ROLE = [RoomParticipant(UnknownIdentifier("8:acs:r_u"), "Moderator")]


@pytest.mark.parametrize(
    ("call", "status", "code", "message"),
    [
        (
            lambda client, _: client.create_room(participants=NOT_AN_ID),
            400,
            "BadRequest",
            "Invalid format for communication identifier.",
        ),
        (
            lambda client, room_id: client.add_or_update_participants(room_id, NOT_AN_ID),
            400,
            "BadRequest",
            "Invalid value for the Participants.",
        ),
        (
            lambda client, room_id: client.remove_participants(room_id, NOT_AN_ID),
            400,
            "BadRequest",
            "Invalid value for the Participants.",
        ),
        (lambda client, _: client.get_room("invalid_id"), 400, "BadRequest", "Invalid room ID length."),
        (lambda client, _: client.delete_room("123"), 400, "BadRequest", "Invalid room ID length."),
        (lambda client, _: client.update_room("123"), 400, "BadRequest", "Invalid room ID length."),
        (lambda client, _: list(client.list_participants("123")), 400, "BadRequest", "Invalid room ID length."),
        (lambda client, _: client.get_room(NO_ROOM), 404, "NotFound", CANNOT_FIND),
        (lambda client, _: client.update_room(NO_ROOM), 404, "NotFound", CANNOT_FIND),
        (lambda client, _: client.delete_room(NO_ROOM), 404, "NotFound", CANNOT_FIND),
        (lambda client, _: client.add_or_update_participants(NO_ROOM, []), 404, "NotFound", CANNOT_FIND),
        (lambda client, _: client.remove_participants(NO_ROOM, []), 404, "NotFound", CANNOT_FIND),
        (lambda client, _: list(client.list_participants(NO_ROOM)), 404, "NotFound", CANNOT_FIND),
    ],
)
def test_the_services_error_reaches_the_user_whole(
    client: RoomsClient, call: Callable[[RoomsClient, str], object], status: int, code: str, message: str
) -> None:
    room_id = client.create_room().id
    with pytest.raises(HttpResponseError) as caught:
        call(client, room_id)
    error = caught.value
    assert error.status_code == status
    assert error.error is not None
    assert (error.error.code, error.error.message) == (code, message)
    assert error.error.details == []
    assert isinstance(error.response, HttpResponse)
    assert error.response.headers["x-ms-error-code"] == code
    assert error.response.headers["MS-CV"]
    assert f"({code}) {message}" in str(error)
    assert isinstance(error, ResourceNotFoundError) == (status == 404)


@pytest.mark.parametrize(
    ("call", "message", "target"),
    [
        (
            lambda client, _: client.create_room(valid_from=NOW, valid_until=NOW + timedelta(days=181)),
            "The time range is incorrect, or larger than 180 days.",
            "ValidUntil",
        ),
        (
            lambda client, room_id: client.update_room(
                room_id, valid_from=NOW + timedelta(days=2), valid_until=NOW + timedelta(days=1)
            ),
            "The time range is incorrect, or larger than 180 days.",
            "ValidUntil",
        ),
        (
            lambda client, _: client.create_room(valid_from=NOW, valid_until=NOW - timedelta(days=1)),
            "The time range end is in the past.",
            "ValidUntil",
        ),
        (
            lambda client, room_id: client.update_room(room_id, valid_until=NOW - timedelta(days=400)),
            "The time range end is in the past.",
            "ValidUntil",
        ),
        (
            lambda client, _: client.create_room(participants=NO_SUCH_ROLE),
            "The JSON value could not be converted to RoleDto. Path: $.participants.8:acs:r_u.role.",
            "$.participants.8:acs:r_u.role",
        ),
        (
            lambda client, room_id: client.add_or_update_participants(room_id, NO_SUCH_ROLE),
            "The JSON value could not be converted to RoleDto. Path: $.participants.8:acs:r_u.role.",
            "$.participants.8:acs:r_u.role",
        ),
    ],
)
def test_the_details_of_a_malformed_request_are_there_and_in_the_message(
    client: RoomsClient, call: Callable[[RoomsClient, str], object], message: str, target: str
) -> None:
    room_id = client.create_room().id
    with pytest.raises(HttpResponseError) as caught:
        call(client, room_id)
    assert caught.value.status_code == 400
    assert caught.value.error is not None
    assert (caught.value.error.code, caught.value.error.message) == ("BadRequest", MALFORMED)
    [detail] = caught.value.error.details
    assert (detail.code, detail.message, detail.target) == ("BadArgument", message, target)
    assert message in str(caught.value)


def test_a_wrong_key_is_a_client_authentication_error(emulator: RoomsEmulator) -> None:
    client = RoomsClient(emulator.endpoint, AzureKeyCredential("d3Jvbmc="))
    with pytest.raises(ClientAuthenticationError, match=r"\(Denied\) Denied by the resource provider.") as caught:
        client.create_room()
    assert caught.value.status_code == 401


def test_a_body_that_was_changed_after_it_was_signed_is_a_client_authentication_error(
    emulator: RoomsEmulator,
) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string)
    session = client._client._pipeline._transport.session  # type: ignore[attr-defined]
    send = session.request
    session.request = lambda *args, **kwargs: send(*args, **{**kwargs, "data": b"[]"})
    with pytest.raises(ClientAuthenticationError, match="differs from generated content hash"):
        client.create_room()


def test_a_missing_api_version_is_told(client: RoomsClient) -> None:
    error = client.send_request(HttpRequest("GET", "/rooms")).json()["error"]
    assert error == {
        "code": "ApiVersionUnspecified",
        "message": "An API version is required, but was not specified.",
    }


def test_an_unknown_api_version_is_told_with_the_uri(emulator: RoomsEmulator) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string, api_version="2020-01-01")
    with pytest.raises(HttpResponseError) as caught:
        client.get_room(NO_ROOM)
    assert caught.value.error is not None
    assert caught.value.error.code == "UnsupportedApiVersion"
    assert caught.value.error.message == (
        f"The HTTP resource that matches the request URI '{emulator.endpoint}/rooms/{NO_ROOM}?api-version=2020-01-01' "
        "does not support the API version '2020-01-01'."
    )


def test_throttling_is_told_once_the_retries_are_used_up(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(status=429, times=4)
    with pytest.raises(HttpResponseError, match="TooManyRequests") as caught:
        client.create_room()
    assert caught.value.status_code == 429
    assert len(emulator.requests) == 4


def test_a_conflict_is_a_resource_exists_error(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(status=409)
    with pytest.raises(ResourceExistsError):
        client.create_room()


def test_an_error_without_the_services_body_is_still_its_status(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(status=403, body=b"<html>Forbidden by the proxy</html>")
    with pytest.raises(HttpResponseError, match="Forbidden by the proxy") as caught:
        client.create_room()
    assert (caught.value.status_code, caught.value.error) == (403, None)


ROOM = b'{"id":"99","createdAt":"2026-12-01T09:00:00+00:00","validFrom":"2026-12-01T09:00:00+00:00"'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>Log in to the hotel's network</html>", "Expecting value"),
        (b"", "Expecting value"),
        (ROOM, "Expecting ',' delimiter"),
        (ROOM + b"}", "'validUntil' is missing"),
        (ROOM + b',"validUntil":"soon"}', "'validUntil' is not a time"),
        (b"{}", "'id' is missing"),
        (b"[]", "an object was expected, not list"),
        (b'"room"', "an object was expected, not str"),
        (b"\xff\xfe\x00", "decode"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_a_room_that_is_none_is_a_decode_error_that_says_so(
    client: RoomsClient, emulator: RoomsEmulator, body: bytes, reason: str
) -> None:
    emulator.inject(status=200, body=body)
    with pytest.raises(DecodeError) as caught:
        client.get_room(NO_ROOM)
    message = str(caught.value)
    assert f"The answer to GET /rooms/{NO_ROOM} is not the JSON that the service promises: " in message
    assert reason in message
    assert caught.value.status_code == 200
    assert isinstance(caught.value.response, HttpResponse)
    assert caught.value.response.content == body


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "'value' is missing or not an array"),
        (b'{"value":{}}', "'value' is missing or not an array"),
        (b'{"value":[3]}', "an object was expected, not int"),
        (b'{"value":[{}]}', "'id' is missing"),
        (b'{"value":[],"nextLink":3}', "'nextLink' is not a string"),
        (b'{"value":[],"nextLink":"http://[oops"}', "Invalid IPv6 URL"),
    ],
)
def test_a_page_that_is_none_is_a_decode_error_that_says_so(
    client: RoomsClient, emulator: RoomsEmulator, body: bytes, reason: str
) -> None:
    emulator.inject(body=body)
    with pytest.raises(DecodeError, match=reason):
        list(client.list_rooms())


def test_an_error_in_the_middle_of_a_listing_can_be_taken_up_again(
    client: RoomsClient, emulator: RoomsEmulator
) -> None:
    ids = [client.create_room().id for _ in range(4)][::-1]
    pages = client.list_rooms(retry_total=0).by_page()
    seen = [room.id for room in next(pages)]
    emulator.inject(status=500)
    with pytest.raises(HttpResponseError) as caught:
        next(pages)
    for page in client.list_rooms().by_page(caught.value.continuation_token):
        seen += [room.id for room in page]
    assert seen == ids


@pytest.mark.parametrize("body", [b"<html>", b"[]"])
def test_a_change_of_participants_is_done_only_if_the_service_says_so(
    client: RoomsClient, emulator: RoomsEmulator, body: bytes
) -> None:
    emulator.inject(body=body)
    with pytest.raises(DecodeError):
        client.remove_participants(NO_ROOM, [])


def test_another_success_than_the_promised_one_is_an_error(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(status=202)
    with pytest.raises(HttpResponseError) as caught:
        client.delete_room(NO_ROOM)
    assert caught.value.status_code == 202


def test_a_byte_order_mark_and_unknown_members_do_no_harm() -> None:
    body = b"\xef\xbb\xbf" + ROOM + b',"validUntil":"2026-12-02T09:00:00+00:00","colour":"blue"}'
    with scripted_server(Answer(body=body, headers={"Content-Type": "application/json"})) as server:
        room = RoomsClient(server.endpoint, AzureKeyCredential("a2V5")).get_room("99")
    assert room.as_dict()["colour"] == "blue"
