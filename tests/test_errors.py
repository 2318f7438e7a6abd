"""The errors that callers see: those that the service returns, and those for responses that it did not send."""

import json
import pickle
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta, timezone

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.core.rest import HttpResponse

from azure.communication.rooms import RoomParticipant, RoomsClient, UnknownIdentifier
from azure.communication.rooms.emulator import RoomsEmulator

from .support.certificates import Certificates
from .support.credentials import Token
from .support.operations import NO_ROOM, OPERATIONS, ROOM_OPERATIONS
from .support.wire_server import ROOM, ROOM_ID, response, then_close, wire_server

NOW = datetime.now(timezone.utc)
MALFORMED = "The request could not be understood by the server due to malformed syntax."
INVALID_RANGE = "The time range is incorrect, or larger than 180 days."
USER = "8:acs:5a6f7c1e-8c0a-4a53-9f0e-2f7a1d3b9c10_6b0d1e2f-3a4b-4c5d-8e6f-7a8b9c0d1e2f"
NO_SUCH_ROLE = [RoomParticipant(UnknownIdentifier(USER), "Moderator")]

Call = Callable[[RoomsClient, str], object]


@pytest.mark.parametrize("name", ROOM_OPERATIONS)
def test_room_that_does_not_exist(client: RoomsClient, name: str) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        ROOM_OPERATIONS[name].call(client, NO_ROOM)
    error = caught.value
    assert error.error is not None
    message = "The server cannot find the requested resource."
    assert (error.status_code, error.error.code, error.error.message) == (404, "NotFound", message)
    assert error.error.details == []
    assert isinstance(error.response, HttpResponse)
    assert error.response.headers["x-ms-error-code"] == "NotFound"
    assert str(error) == f"(NotFound) {message}"


@pytest.mark.parametrize(
    ("call", "message", "target"),
    [
        (
            lambda client, _: client.create_room(valid_from=NOW, valid_until=NOW + timedelta(days=181)),
            INVALID_RANGE,
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
            f"$.participants.{USER}.role",
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
    assert str(error) == f"(BadArgument) {message}{shown_target}\n(BadRequest) {MALFORMED}"
    assert error.message == str(error)


def test_each_detail_has_a_line(client: RoomsClient) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.create_room(valid_from=NOW + timedelta(days=400), valid_until=NOW + timedelta(days=10))
    lines = str(caught.value).splitlines()
    assert [line.rpartition(" Target: ")[2] for line in lines[:2]] == ["ValidFrom", "ValidUntil"]
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("status_code", "error"),
    [(401, ClientAuthenticationError), (409, ResourceExistsError), (429, HttpResponseError), (304, HttpResponseError)],
)
def test_type_of_error(
    client: RoomsClient, emulator: RoomsEmulator, status_code: int, error: type[HttpResponseError]
) -> None:
    emulator.inject(status=status_code)
    with pytest.raises(HttpResponseError) as caught:
        client.create_room(retry_total=0)
    assert type(caught.value) is error
    assert caught.value.status_code == status_code


def test_error_without_the_services_body(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(status=403, body=b"<html>Forbidden by the proxy</html>")
    with pytest.raises(HttpResponseError, match="Forbidden by the proxy") as caught:
        client.create_room()
    assert (caught.value.status_code, caught.value.error) == (403, None)


@pytest.mark.parametrize("name", OPERATIONS)
def test_undocumented_success(client: RoomsClient, emulator: RoomsEmulator, name: str) -> None:
    emulator.inject(status=202)
    with pytest.raises(HttpResponseError) as caught:
        OPERATIONS[name].call(client, NO_ROOM)
    assert caught.value.status_code == 202


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>Log in to the hotel's network</html>", "Expecting value"),
        (b"", "'id' is missing"),
        (b"[" * 100_000, "recursion"),
        (ROOM[:-1], "Expecting ',' delimiter"),
        (ROOM.replace(b"validUntil", b"until"), "'validUntil' is missing"),
        (ROOM.replace(b"2026-12-02T09:00:00+00:00", b"soon"), "'validUntil' must be a time"),
        (b"[]", "expected an object, not list"),
        (b"\xff\xfe\x00", "decode"),
    ],
)
def test_invalid_room(client: RoomsClient, emulator: RoomsEmulator, body: bytes, reason: str) -> None:
    emulator.inject(body=body)
    with pytest.raises(DecodeError) as caught:
        client.get_room(NO_ROOM)
    message = str(caught.value)
    assert f"The response to GET /rooms/{NO_ROOM} is not the JSON that the service documents: " in message
    assert reason in message
    assert caught.value.status_code == 200
    assert isinstance(caught.value.response, HttpResponse)
    assert caught.value.response.content == body


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "'value' is missing or not an array"),
        (b'{"value":[3]}', "expected an object, not int"),
        (b'{"value":[{}]}', "'id' is missing"),
        (b'{"value":[],"nextLink":3}', "'nextLink' is not a string"),
        (b'{"value":[],"nextLink":"http://[oops"}', "Invalid IPv6 URL"),
    ],
)
def test_invalid_page(client: RoomsClient, emulator: RoomsEmulator, body: bytes, reason: str) -> None:
    emulator.inject(body=body)
    with pytest.raises(DecodeError, match=reason):
        list(client.list_rooms())


@pytest.mark.parametrize("name", ["add_or_update_participants", "remove_participants"])
def test_change_of_participants_needs_no_body(client: RoomsClient, emulator: RoomsEmulator, name: str) -> None:
    emulator.inject(body=b"")
    OPERATIONS[name].call(client, NO_ROOM)
    emulator.inject(body=b"<html>")
    with pytest.raises(DecodeError):
        OPERATIONS[name].call(client, NO_ROOM)


@pytest.mark.parametrize(
    "location",
    ["ftp://127.0.0.1/", "mailto:a", "http://[", "http://127.0.0.1:99999/", "http://*.a/", "/rooms/\xe9", "//[x"],
)
def test_redirect_to_what_is_not_a_url(location: str) -> None:
    redirect = response(b"", "307 Temporary Redirect", f"Location: {location}\r\n")
    with wire_server(redirect) as server, pytest.raises(AzureError):
        RoomsClient(server.endpoint, "a2V5").get_room(ROOM_ID, retry_total=0)


@pytest.mark.parametrize("claims", ["a", "_w==", "YQ", "\xe9", "%", ""])  # among them: no base64, no UTF-8, no JSON
def test_malformed_claims_challenge(certificates: Certificates, claims: str) -> None:
    class Strict(Token):
        def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:
            json.loads(str(kwargs.get("claims", "{}")))
            return super().get_token(*scopes)

    header = f'WWW-Authenticate: Bearer error="insufficient_claims", claims="{claims}"\r\n'
    denied = b'{"error": {"code": "Denied", "message": "no"}}'
    with wire_server(forever=response(denied, "401 Unauthorized", header), certificates=certificates) as server:
        client = RoomsClient(server.endpoint, Strict(), connection_verify=certificates.authority)
        with pytest.raises(ClientAuthenticationError, match="Denied"):
            client.get_room(ROOM_ID)


def test_head_that_is_cut_off_is_an_empty_response() -> None:
    with wire_server(then_close(response()[:25])) as server, pytest.raises(DecodeError):
        RoomsClient(server.endpoint, "a2V5").get_room(ROOM_ID)


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


@pytest.mark.parametrize("copied", [deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_error_can_be_copied(client: RoomsClient, copied: Callable[[HttpResponseError], HttpResponseError]) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        client.get_room(NO_ROOM)
    copy = copied(caught.value)
    assert type(copy) is ResourceNotFoundError
    assert (str(copy), copy.status_code, copy.reason) == (str(caught.value), 404, caught.value.reason)
