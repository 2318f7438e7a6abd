"""The errors that callers see: those that the service returns, and those for responses that it did not send."""

import gc
import pickle
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import datetime, timedelta, timezone

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ResourceNotModifiedError,
)
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import RoomParticipant, RoomsClient, UnknownIdentifier
from azure.communication.rooms.emulator import RoomsEmulator

from .support.operations import NO_ROOM, ROOM_OPERATIONS
from .support.scripted_server import Response, scripted_server

NOW = datetime.now(timezone.utc)
MALFORMED = "The request could not be understood by the server due to malformed syntax."
CANNOT_FIND = "The server cannot find the requested resource."
INVALID_LENGTH = "Invalid room ID length."
INVALID_RANGE = "The time range is incorrect, or larger than 180 days."
NOT_AN_ID = [RoomParticipant(UnknownIdentifier("nobody"))]
NO_SUCH_ROLE = [RoomParticipant(UnknownIdentifier("8:acs:r_u"), "Moderator")]

Call = Callable[[RoomsClient, str], object]


def with_room_id(room_id: str) -> list[Call]:
    """Return calls of all operations on a room. They use this room ID instead of the one they are given."""

    def with_this_id(call: Call) -> Call:
        return lambda client, _: call(client, room_id)

    return [with_this_id(operation.call) for operation in ROOM_OPERATIONS.values()]


@pytest.mark.parametrize(
    ("call", "status_code", "code", "message"),
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
            "Communication identifier nobody is not supported.",
        ),
        (
            lambda client, room_id: client.remove_participants(room_id, NOT_AN_ID),
            400,
            "BadRequest",
            "Communication identifier nobody is not supported.",
        ),
        *((call, 400, "BadRequest", INVALID_LENGTH) for call in with_room_id("123")),
        *((call, 400, "BadRequest", "Invalid room ID.") for call in with_room_id("not-only-digits-1")),
        *((call, 404, "NotFound", CANNOT_FIND) for call in with_room_id(NO_ROOM)),
    ],
)
def test_service_error(client: RoomsClient, call: Call, status_code: int, code: str, message: str) -> None:
    room_id = client.create_room().id
    with pytest.raises(HttpResponseError) as caught:
        call(client, room_id)
    error = caught.value
    assert error.status_code == status_code
    assert error.error is not None
    assert (error.error.code, error.error.message, error.error.details) == (code, message, [])
    assert isinstance(error.response, HttpResponse)
    assert error.response.headers["x-ms-error-code"] == code
    assert error.response.headers["MS-CV"]
    assert str(error).startswith(f"({code}) {message}\n")
    assert isinstance(error, ResourceNotFoundError) == (status_code == 404)


@pytest.mark.parametrize(
    ("call", "message", "target"),
    [
        (
            lambda client, _: client.create_room(valid_from=NOW, valid_until=NOW + timedelta(days=181)),
            INVALID_RANGE,
            "ValidUntil",
        ),
        (
            lambda client, room_id: client.update_room(
                room_id, valid_from=NOW + timedelta(days=2), valid_until=NOW + timedelta(days=1)
            ),
            INVALID_RANGE,
            "ValidUntil",
        ),
        (
            lambda client, _: client.create_room(valid_from=NOW, valid_until=NOW - timedelta(days=1)),
            "The time range end is in the past.",
            "ValidUntil",
        ),
        (
            lambda client, room_id: client.update_room(room_id, valid_until=NOW + timedelta(days=1)),
            "validFrom and validUntil should be set together.",
            "",
        ),
        (
            lambda client, room_id: client.add_or_update_participants(room_id, NO_SUCH_ROLE),
            "Invalid participant role. The valid roles are: Presenter, Attendee, Consumer, Collaborator.",
            "$.participants.8:acs:r_u.role",
        ),
    ],
)
def test_details_come_first(client: RoomsClient, call: Call, message: str, target: str) -> None:
    room_id = client.create_room().id
    with pytest.raises(HttpResponseError) as caught:
        call(client, room_id)
    error = caught.value
    assert error.status_code == 400
    assert error.error is not None
    assert (error.error.code, error.error.message) == ("BadRequest", MALFORMED)
    [detail] = error.error.details
    assert (detail.code, detail.message, detail.target) == ("BadArgument", message, target)
    shown_target = f" Target: {target}" if target else ""
    assert str(error).startswith(f"(BadArgument) {message}{shown_target}\n(BadRequest) {MALFORMED}\n")
    assert error.message == str(error)


def test_each_detail_has_a_line(client: RoomsClient) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.create_room(valid_from=NOW + timedelta(days=400), valid_until=NOW + timedelta(days=10))
    assert [line.rpartition(" Target: ")[2] for line in str(caught.value).splitlines()[:2]] == [
        "ValidFrom",
        "ValidUntil",
    ]


def test_wrong_key(emulator: RoomsEmulator) -> None:
    with (
        RoomsClient(emulator.endpoint, AzureKeyCredential("d3Jvbmc=")) as client,
        pytest.raises(ClientAuthenticationError, match=r"\(Denied\) Denied by the resource provider.") as caught,
    ):
        client.create_room()
    assert caught.value.status_code == 401


def test_body_changed_on_the_way(emulator: RoomsEmulator) -> None:
    class ChangeBodyPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
        def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
            request.http_request._data = b"[]"

    # http_logging_policy is the last policy, so it comes after the one that signs.
    with (
        RoomsClient.from_connection_string(
            emulator.connection_string, http_logging_policy=ChangeBodyPolicy()
        ) as client,
        pytest.raises(ClientAuthenticationError, match="differs from generated content hash"),
    ):
        client.create_room()


def test_missing_api_version(client: RoomsClient) -> None:
    error = client.send_request(HttpRequest("GET", "/rooms")).json()["error"]
    assert error == {
        "code": "ApiVersionUnspecified",
        "message": "An API version is required, but was not specified.",
    }


def test_unknown_api_version(emulator: RoomsEmulator) -> None:
    with (
        RoomsClient.from_connection_string(emulator.connection_string, api_version="2020-01-01") as client,
        pytest.raises(HttpResponseError) as caught,
    ):
        client.get_room(NO_ROOM)
    assert caught.value.error is not None
    assert caught.value.error.code == "UnsupportedApiVersion"
    assert caught.value.error.message == (
        f"The HTTP resource that matches the request URI '{emulator.endpoint}/rooms/{NO_ROOM}?api-version=2020-01-01' "
        "does not support the API version '2020-01-01'."
    )


def test_throttling_after_the_last_retry(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(status=429, times=4)
    with pytest.raises(HttpResponseError, match="TooManyRequests") as caught:
        client.create_room()
    assert caught.value.status_code == 429
    assert len(emulator.requests) == 4


def test_conflict(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(status=409)
    with pytest.raises(ResourceExistsError):
        client.create_room()


def test_error_without_the_services_body(client: RoomsClient, emulator: RoomsEmulator) -> None:
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
        (ROOM + b',"validUntil":"soon"}', "'validUntil' must be a time"),
        (b"{}", "'id' is missing"),
        (b"[]", "expected an object, not list"),
        (b'"room"', "expected an object, not str"),
        (b"\xff\xfe\x00", "decode"),
    ],
)
def test_invalid_room_raises_decode_error(
    client: RoomsClient, emulator: RoomsEmulator, body: bytes, reason: str
) -> None:
    emulator.inject(status=200, body=body)
    with pytest.raises(DecodeError) as caught:
        client.get_room(NO_ROOM)
    message = str(caught.value)
    assert f"The response to GET /rooms/{NO_ROOM} is not the JSON that the service documents: " in message
    assert reason in message
    assert caught.value.status_code == 200
    assert isinstance(caught.value.response, HttpResponse)
    assert caught.value.response.content == body


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """Turn garbage collection off, because finalizers of any test's objects fail if they run at the recursion limit."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.usefixtures("no_garbage_collection")
def test_deep_nesting_raises_decode_error(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(status=200, body=b"[" * 100_000)
    with pytest.raises(DecodeError, match="maximum recursion depth exceeded"):
        client.get_room(NO_ROOM)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "'value' is missing or not an array"),
        (b'{"value":{}}', "'value' is missing or not an array"),
        (b'{"value":[3]}', "expected an object, not int"),
        (b'{"value":[{}]}', "'id' is missing"),
        (b'{"value":[],"nextLink":3}', "'nextLink' is not a string"),
        (b'{"value":[],"nextLink":"http://[oops"}', "Invalid IPv6 URL"),
        (b'{"value":[],"nextLink":"https://h/rooms?nextLink=\\ud800"}', "surrogates not allowed"),
    ],
)
def test_invalid_page_raises_decode_error(
    client: RoomsClient, emulator: RoomsEmulator, body: bytes, reason: str
) -> None:
    emulator.inject(body=body)
    with pytest.raises(DecodeError, match=reason):
        list(client.list_rooms())


def test_listing_resumes_after_an_error(client: RoomsClient, emulator: RoomsEmulator) -> None:
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
def test_invalid_response_to_a_change(client: RoomsClient, emulator: RoomsEmulator, body: bytes) -> None:
    emulator.inject(body=body)
    with pytest.raises(DecodeError):
        client.remove_participants(NO_ROOM, [])


def test_undocumented_success(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(status=202)
    with pytest.raises(HttpResponseError) as caught:
        client.delete_room(NO_ROOM)
    assert caught.value.status_code == 202


def test_byte_order_mark_and_unknown_members() -> None:
    body = b"\xef\xbb\xbf" + ROOM + b',"validUntil":"2026-12-02T09:00:00+00:00","colour":"blue"}'
    with (
        scripted_server(Response(body=body, headers={"Content-Type": "application/json"})) as server,
        RoomsClient(server.endpoint, AzureKeyCredential("a2V5")) as client,
    ):
        room = client.get_room("99")
    assert room.as_dict()["colour"] == "blue"


@pytest.mark.usefixtures("no_garbage_collection")
@pytest.mark.parametrize("depth", [300, 900])
def test_deeply_nested_details(client: RoomsClient, emulator: RoomsEmulator, depth: int) -> None:
    body = b'{"error":{"code":"a","message":"b","details":[' * depth + b"{}" + b"]}}" * depth
    emulator.inject(status=400, body=body)
    with pytest.raises(HttpResponseError) as caught:
        client.get_room(NO_ROOM)
    assert caught.value.status_code == 400


def test_not_modified(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(status=304)
    with pytest.raises(ResourceNotModifiedError):
        client.get_room(NO_ROOM, headers={"If-None-Match": "a"})


def test_room_id_that_is_no_text(client: RoomsClient) -> None:
    for call in with_room_id("\ud800"):
        with pytest.raises(ValueError, match="room_id has characters"):
            call(client, "")


@pytest.mark.parametrize("copied", [deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_error_can_be_copied(client: RoomsClient, copied: Callable[[HttpResponseError], HttpResponseError]) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        client.get_room(NO_ROOM)
    copy = copied(caught.value)
    assert type(copy) is ResourceNotFoundError
    assert (str(copy), copy.status_code, copy.reason) == (str(caught.value), 404, caught.value.reason)
    assert copy.response is not None
    assert copy.response.text() == caught.value.response.text()  # type: ignore[union-attr]


@pytest.mark.parametrize("location", ["http://[", "http://[v1.x/", "//["])
def test_redirect_to_what_is_not_a_url(location: str) -> None:
    with scripted_server(Response(307, headers={"Location": location})) as server:
        client = RoomsClient(server.endpoint, AzureKeyCredential("a2V5"))
        with pytest.raises(HttpResponseError) as caught:
            client.create_room()
    assert caught.value.status_code == 307
