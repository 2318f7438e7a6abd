"""The client's methods, as its callers use them."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from azure.communication import identity
from azure.communication.rooms import (
    ApiVersion,
    CommunicationRoom,
    ParticipantRole,
    RoomParticipant,
    RoomsClient,
)
from azure.communication.rooms.emulator import RoomsEmulator

from .support.credentials import ACCESS_KEY, signature_headers
from .support.operations import NO_ROOM, ROOM_OPERATIONS, USERS, Operation
from .support.wire_server import response, wire_server

DOCTOR, PATIENT, VISITOR, *_ = USERS
NOW = datetime.now(timezone.utc)
CLOSES = NOW + timedelta(days=2)


@dataclass
class Guest:
    """A participant that is not a ``RoomParticipant``, but has its attributes."""

    communication_identifier: Any
    role: Any


GUEST = Guest(PATIENT, ParticipantRole.CONSUMER)


def body(emulator: RoomsEmulator) -> object:
    return json.loads(emulator.requests[-1].body)


def test_room_lifecycle(client: RoomsClient) -> None:
    room = client.create_room(valid_from=NOW, valid_until=CLOSES, pstn_dial_out_enabled=True)
    assert (room.valid_from, room.valid_until) == (NOW, CLOSES)
    assert room.pstn_dial_out_enabled is True
    assert client.get_room(room.id) == room
    updated = client.update_room(room.id, pstn_dial_out_enabled=False)
    assert updated.pstn_dial_out_enabled is False
    assert (updated.valid_from, updated.valid_until) == (room.valid_from, room.valid_until)
    assert list(client.list_rooms()) == [updated]
    client.delete_room(room.id)
    client.delete_room(room.id)
    with pytest.raises(ResourceNotFoundError):
        client.get_room(room.id)
    assert list(client.list_rooms()) == []


def test_participants_lifecycle(client: RoomsClient) -> None:
    room = client.create_room(participants=[RoomParticipant(DOCTOR, ParticipantRole.PRESENTER)])
    client.add_or_update_participants(room.id, [RoomParticipant(PATIENT), RoomParticipant(DOCTOR, "Consumer")])
    assert list(client.list_participants(room.id)) == [
        RoomParticipant(DOCTOR, ParticipantRole.CONSUMER),
        RoomParticipant(PATIENT, ParticipantRole.ATTENDEE),
    ]
    client.remove_participants(room.id, [PATIENT, *client.list_participants(room.id)])
    assert list(client.list_participants(room.id)) == []


def test_arguments_by_keyword(client: RoomsClient) -> None:
    room_id = client.create_room(participants=[RoomParticipant(communication_identifier=DOCTOR, role=None)]).id
    client.get_room(room_id=room_id)
    client.update_room(room_id=room_id, valid_from=NOW, valid_until=CLOSES)
    client.add_or_update_participants(room_id=room_id, participants=[RoomParticipant(PATIENT)])
    client.remove_participants(room_id=room_id, participants=[PATIENT])
    assert len(list(client.list_participants(room_id=room_id))) == 1
    client.delete_room(room_id=room_id)


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({}, {}),
        ({"valid_from": None, "valid_until": None, "pstn_dial_out_enabled": None, "participants": None}, {}),
        ({"valid_from": NOW}, {"validFrom": f"{NOW:%Y-%m-%dT%H:%M:%S.%f}Z"}),
        ({"valid_from": NOW.replace(tzinfo=None)}, {"validFrom": f"{NOW:%Y-%m-%dT%H:%M:%S.%f}Z"}),
        ({"valid_until": CLOSES.date()}, {"validUntil": f"{CLOSES.date()}T00:00:00.000000Z"}),
        ({"valid_until": f"{CLOSES.date()}"}, {"validUntil": f"{CLOSES.date()}T00:00:00.000000Z"}),
        ({"valid_until": f"{CLOSES.date()}T09:00+02:00"}, {"validUntil": f"{CLOSES.date()}T07:00:00.000000Z"}),
        ({"pstn_dial_out_enabled": False}, {"pstnDialOutEnabled": False}),
        ({"participants": []}, {"participants": {}}),
        ({"participants": iter([RoomParticipant(DOCTOR)])}, {"participants": {DOCTOR.raw_id: {"role": "Attendee"}}}),
        ({"participants": [RoomParticipant(DOCTOR)] * 2}, {"participants": {DOCTOR.raw_id: {"role": "Attendee"}}}),
        (
            {"participants": [{"rawId": DOCTOR.raw_id, "role": "Presenter"}, GUEST]},
            {"participants": {DOCTOR.raw_id: {"role": "Presenter"}, PATIENT.raw_id: {"role": "Consumer"}}},
        ),
    ],
)
def test_create_sends_only_what_is_given(
    client: RoomsClient, emulator: RoomsEmulator, arguments: dict[str, Any], sent: object
) -> None:
    client.create_room(**arguments)
    assert body(emulator) == sent


def test_update_sends_only_what_is_given(client: RoomsClient, emulator: RoomsEmulator) -> None:
    room = client.create_room()
    assert client.update_room(room.id) == room
    assert body(emulator) == {}
    client.update_room(room.id, valid_from=NOW.date(), valid_until=f"{CLOSES.date()}")
    assert body(emulator) == {
        "validFrom": f"{NOW.date()}T00:00:00.000000Z",
        "validUntil": f"{CLOSES.date()}T00:00:00.000000Z",
    }


def test_participants_of_other_types(client: RoomsClient, emulator: RoomsEmulator) -> None:
    room = client.create_room()
    visitor = identity.CommunicationUserIdentifier(VISITOR.raw_id)
    client.add_or_update_participants(room.id, [{"rawId": DOCTOR.raw_id}, GUEST, RoomParticipant(visitor)])
    assert list(client.list_participants(room.id)) == [
        RoomParticipant(DOCTOR),
        RoomParticipant(PATIENT, "Consumer"),
        RoomParticipant(visitor),
    ]
    client.remove_participants(room.id, [{"rawId": DOCTOR.raw_id}, GUEST, visitor])
    assert body(emulator) == {"participants": {DOCTOR.raw_id: None, PATIENT.raw_id: None, VISITOR.raw_id: None}}
    assert list(client.list_participants(room.id)) == []


def test_listing_spans_pages(client: RoomsClient, emulator: RoomsEmulator) -> None:
    created = [client.create_room() for _ in range(7)]
    assert list(client.list_rooms()) == created[::-1]
    assert [request.method for request in emulator.requests[-3:]] == ["GET", "GET", "GET"]
    participants = [RoomParticipant(user) for user in USERS]
    client.add_or_update_participants(created[0].id, participants)
    assert list(client.list_participants(created[0].id)) == participants


def test_listing_resumes_at_a_page(client: RoomsClient) -> None:
    created = [client.create_room().id for _ in range(7)][::-1]
    pages = client.list_rooms().by_page()
    assert [room.id for room in next(pages)] == created[:3]
    token = pages.continuation_token  # type: ignore[attr-defined]
    assert [[room.id for room in page] for page in client.list_rooms().by_page(token)] == [created[3:6], created[6:]]


def test_listing_is_lazy(client: RoomsClient, emulator: RoomsEmulator) -> None:
    client.list_rooms()
    client.list_participants(NO_ROOM)
    assert emulator.requests == []


@pytest.mark.parametrize("operation", ROOM_OPERATIONS.values(), ids=ROOM_OPERATIONS)
def test_invalid_room_id_sends_nothing(client: RoomsClient, emulator: RoomsEmulator, operation: Operation) -> None:
    call: Any = operation.call
    for room_id in ("", ".", ".."):  # each would lead to another path
        with pytest.raises(ValueError, match=f"room_id must be a room's ID, not '{room_id}'"):
            call(client, room_id)
    with pytest.raises(TypeError, match="room_id must be a str, not int"):
        call(client, 99445276259151407)
    with pytest.raises(TypeError, match="room_id must be a str, not NoneType"):
        call(client, None)
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"valid_from": "soon"}, ValueError, "valid_from must be an ISO 8601 time such as .*, not 'soon'"),
        ({"valid_until": 5}, TypeError, "valid_until must be a datetime, a date or an ISO 8601 string, not int"),
        ({"pstn_dial_out_enabled": 1}, TypeError, "pstn_dial_out_enabled must be a bool, not int"),
        ({"participants": 5}, TypeError, "participants must be an iterable of participants, not int"),
        ({"participants": "8:acs:x"}, TypeError, "participants must be an iterable of participants, not str"),
        ({"participants": {"8:acs:x": {}}}, TypeError, "participants must be an iterable of participants, not dict"),
        ({"participants": ["8:acs:x"]}, TypeError, r"participants\[0\] must be a RoomParticipant, a mapping .*not str"),
        (
            {"participants": [RoomParticipant(DOCTOR), DOCTOR]},
            TypeError,
            r"participants\[1\] must be .* communication_identifier and role, not CommunicationUserIdentifier",
        ),
        (
            {"participants": [RoomParticipant(DOCTOR, "Presenter"), RoomParticipant(DOCTOR, "Consumer")]},
            ValueError,
            f"participants has '{DOCTOR}' twice, with different roles",
        ),
        ({"participants": [{"role": "Presenter"}]}, ValueError, r"participants\[0\]: .*'rawId' is missing"),
        (
            {"participants": [Guest("8:acs:x", "Consumer")]},
            TypeError,
            r"participants\[0\]: communication_identifier must be a CommunicationIdentifier.* not str; identifier_from",
        ),
        ({"participants": [Guest(DOCTOR, 5)]}, TypeError, r"participants\[0\]: role must be a ParticipantRole or"),
    ],
)
def test_invalid_argument_sends_nothing(
    client: RoomsClient, emulator: RoomsEmulator, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        client.create_room(**arguments)
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("participants", "message"),
    [
        (["8:acs:x"], r"participants\[0\] must be a CommunicationIdentifier.*not str; identifier_from_raw_id\(\)"),
        ([DOCTOR, None], r"participants\[1\] must be a CommunicationIdentifier.*not NoneType"),
        ([{"role": "Attendee"}], r"participants\[0\]: RoomParticipant: 'rawId' is missing"),
        ([GUEST, Guest("8:acs:x", None)], r"participants\[1\] must be a CommunicationIdentifier.*not str"),
        (DOCTOR, "participants must be an iterable of participants, not CommunicationUserIdentifier"),
    ],
)
def test_invalid_removal_sends_nothing(
    client: RoomsClient, emulator: RoomsEmulator, participants: object, message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        client.remove_participants(NO_ROOM, participants)  # type: ignore[arg-type]
    assert emulator.requests == []


@pytest.mark.parametrize("api_version", [*ApiVersion, "2023-06-14"])
def test_every_api_version(emulator: RoomsEmulator, api_version: str) -> None:
    with RoomsClient.from_connection_string(emulator.connection_string, api_version=api_version) as client:
        room = client.create_room(pstn_dial_out_enabled=True)
        assert room.pstn_dial_out_enabled is (None if api_version == "2023-06-14" else True)
        assert emulator.requests[-1].query == f"api-version={str.__str__(api_version)}"
        assert [listed.id for listed in client.list_rooms()] == [room.id]


def test_other_api_versions(emulator: RoomsEmulator) -> None:
    with pytest.raises(TypeError, match="api_version must be a str or an ApiVersion, not int"):
        RoomsClient.from_connection_string(emulator.connection_string, api_version=2025)  # type: ignore[arg-type]
    with (
        RoomsClient.from_connection_string(emulator.connection_string, api_version="2099-01-01") as client,
        pytest.raises(HttpResponseError, match="does not support the API version '2099-01-01'"),
    ):
        client.create_room()


@pytest.mark.parametrize("url", ["/rooms", "rooms", "{endpoint}/rooms", "{ENDPOINT}/rooms"])
def test_send_request(client: RoomsClient, emulator: RoomsEmulator, url: str) -> None:
    url = url.format(endpoint=emulator.endpoint, ENDPOINT=emulator.endpoint.upper())
    request = HttpRequest("POST", url, params={"api-version": "2024-04-15"}, json={"pstnDialOutEnabled": True})
    before = request.url
    response = client.send_request(request, params={"a": "b c"})
    assert response.status_code == 201
    assert CommunicationRoom(response.json()).pstn_dial_out_enabled is True
    assert emulator.requests[-1].query == "api-version=2024-04-15&a=b+c"
    assert request.url == before


def test_send_request_returns_errors(client: RoomsClient, emulator: RoomsEmulator) -> None:
    response = client.send_request(HttpRequest("GET", "/rooms"), params={"a": "b"})
    assert response.json()["error"]["code"] == "ApiVersionUnspecified"
    assert emulator.requests[-1].query == "a=b"


def test_send_request_streams(client: RoomsClient) -> None:
    with client.send_request(HttpRequest("GET", "/rooms?api-version=2024-04-15"), stream=True) as response:
        assert not response.is_stream_consumed
        assert b"".join(response.iter_bytes()) == b'{"value":[]}'


def test_send_request_stays_on_the_endpoint(client: RoomsClient, emulator: RoomsEmulator) -> None:
    for url in ("https://elsewhere.example/rooms", "//elsewhere.example/rooms", "http://127.0.0.1:1/rooms"):
        with pytest.raises(ValueError, match="URL must have the scheme, host and port of the client's endpoint"):
            client.send_request(HttpRequest("GET", url))
    with pytest.raises(TypeError, match=r"request must be an azure\.core\.rest\.HttpRequest, not str"):
        client.send_request("/rooms")  # type: ignore[arg-type]
    assert emulator.requests == []


@pytest.mark.parametrize("path", ["/../rooms", "rooms/./1", "/rooms/%2e%2E", "{endpoint}/a/..", ".."])
def test_send_request_takes_no_dot_segments(client: RoomsClient, emulator: RoomsEmulator, path: str) -> None:
    with pytest.raises(ValueError, match="must not have dot segments"):
        client.send_request(HttpRequest("GET", path.format(endpoint=emulator.endpoint)))
    assert emulator.requests == []


@pytest.mark.parametrize("origin", ["http://contoso:80", "HTTP://Contoso", "http://contoso:"])
def test_send_request_sends_what_it_signs(origin: str) -> None:
    with wire_server(response()) as proxy:
        client = RoomsClient("http://contoso", ACCESS_KEY, proxies={"http": proxy.endpoint})
        client.send_request(HttpRequest("GET", f"{origin}/rooms?a=%7e"))
    [request] = proxy.requests
    assert (request.target, request.headers["Host"]) == ("http://contoso/rooms?a=~", "contoso")
    expected = signature_headers("GET", "/rooms?a=~", request.headers["x-ms-date"], "contoso")
    assert request.headers["Authorization"] == expected["Authorization"]


@pytest.mark.parametrize("used_before", [True, False])
def test_closed_client(emulator: RoomsEmulator, used_before: bool) -> None:
    with RoomsClient.from_connection_string(emulator.connection_string) as client:
        if used_before:
            client.create_room()
    client.close()
    with pytest.raises(ValueError, match="^the client is closed$"):
        client.create_room()
    with pytest.raises(ValueError, match="^the client is closed$"), client:
        pass
