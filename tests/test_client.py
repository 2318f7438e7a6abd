import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ResourceNotFoundError
from azure.core.rest import HttpRequest

from azure.communication import identity
from azure.communication.rooms import (
    ApiVersion,
    CommunicationRoom,
    CommunicationUserIdentifier,
    ParticipantRole,
    PhoneNumberIdentifier,
    RoomParticipant,
    RoomsClient,
)
from azure.communication.rooms.emulator import RoomsEmulator

DOCTOR = CommunicationUserIdentifier("8:acs:r_doctor")
PATIENT = CommunicationUserIdentifier("8:acs:r_patient")
OPENS = datetime(2100, 1, 1, tzinfo=timezone.utc)
NO_ROOM = "99000000000000000"


def body(emulator: RoomsEmulator) -> object:
    return json.loads(emulator.requests[-1].body)


def test_a_room_lives_from_its_creation_to_its_deletion(client: RoomsClient) -> None:
    room = client.create_room(valid_from=OPENS, valid_until=OPENS + timedelta(days=1), pstn_dial_out_enabled=True)
    assert (room.valid_from, room.valid_until) == (OPENS, OPENS + timedelta(days=1))
    assert room.pstn_dial_out_enabled is True
    assert client.get_room(room.id) == room
    changed = client.update_room(room.id, pstn_dial_out_enabled=False)
    assert changed.pstn_dial_out_enabled is False
    assert (changed.valid_from, changed.valid_until) == (room.valid_from, room.valid_until)
    assert list(client.list_rooms()) == [changed]
    client.delete_room(room.id)
    with pytest.raises(ResourceNotFoundError):
        client.get_room(room.id)
    assert list(client.list_rooms()) == []


def test_participants_come_change_and_go(client: RoomsClient) -> None:
    room = client.create_room(participants=[RoomParticipant(DOCTOR, ParticipantRole.PRESENTER)])
    client.add_or_update_participants(room.id, [RoomParticipant(PATIENT), RoomParticipant(DOCTOR, "Consumer")])
    assert list(client.list_participants(room.id)) == [
        RoomParticipant(DOCTOR, ParticipantRole.CONSUMER),
        RoomParticipant(PATIENT, ParticipantRole.ATTENDEE),
    ]
    client.remove_participants(room.id, [PATIENT, *client.list_participants(room.id)])
    assert list(client.list_participants(room.id)) == []


def test_every_argument_can_be_given_by_keyword(client: RoomsClient) -> None:
    room_id = client.create_room(participants=[RoomParticipant(communication_identifier=DOCTOR, role=None)]).id
    client.get_room(room_id=room_id)
    client.update_room(room_id=room_id, valid_until=datetime.now(timezone.utc) + timedelta(days=1))
    client.add_or_update_participants(room_id=room_id, participants=[RoomParticipant(PATIENT)])
    client.remove_participants(room_id=room_id, participants=[PATIENT])
    assert len(list(client.list_participants(room_id=room_id))) == 1
    client.delete_room(room_id=room_id)


@pytest.mark.parametrize(
    ("create", "sent"),
    [
        (lambda client: client.create_room(), {}),
        (
            lambda client: client.create_room(
                valid_from=None, valid_until=None, pstn_dial_out_enabled=None, participants=None
            ),
            {},
        ),
        (lambda client: client.create_room(valid_from=OPENS), {"validFrom": "2100-01-01T00:00:00.000000Z"}),
        (lambda client: client.create_room(valid_until=OPENS, valid_from=OPENS - timedelta(hours=1)), {
            "validFrom": "2099-12-31T23:00:00.000000Z",
            "validUntil": "2100-01-01T00:00:00.000000Z",
        }),
        (lambda client: client.create_room(pstn_dial_out_enabled=False), {"pstnDialOutEnabled": False}),
        (lambda client: client.create_room(participants=[]), {"participants": {}}),
        (
            lambda client: client.create_room(participants=(RoomParticipant(user) for user in (DOCTOR, PATIENT))),
            {"participants": {"8:acs:r_doctor": {"role": "Attendee"}, "8:acs:r_patient": {"role": "Attendee"}}},
        ),
    ],
)  # fmt: skip
def test_a_create_sends_what_was_given_and_nothing_else(
    client: RoomsClient, emulator: RoomsEmulator, create: Callable[[RoomsClient], CommunicationRoom], sent: object
) -> None:
    create(client)
    assert body(emulator) == sent
    assert emulator.requests[-1].headers["content-type"] == "application/json"


def test_an_update_sends_what_was_given_and_nothing_else(client: RoomsClient, emulator: RoomsEmulator) -> None:
    room = client.create_room(valid_from=OPENS)
    assert client.update_room(room.id) == room
    assert body(emulator) == {}
    client.update_room(room.id, valid_until=OPENS + timedelta(days=1))
    assert body(emulator) == {"validUntil": "2100-01-02T00:00:00.000000Z"}
    assert emulator.requests[-1].headers["content-type"] == "application/merge-patch+json"


def test_a_removal_sends_null(client: RoomsClient, emulator: RoomsEmulator) -> None:
    room = client.create_room()
    client.remove_participants(room.id, {RoomParticipant(DOCTOR).communication_identifier, PATIENT})
    assert body(emulator) == {"participants": {"8:acs:r_doctor": None, "8:acs:r_patient": None}}


def test_identifiers_of_azure_communication_identity_work_in_place_of_ours(client: RoomsClient) -> None:
    doctor = identity.CommunicationUserIdentifier("8:acs:r_doctor")
    room = client.create_room(participants=[RoomParticipant(doctor)])
    client.remove_participants(room.id, [doctor])
    client.add_or_update_participants(room.id, [RoomParticipant(identity.PhoneNumberIdentifier("+14255550123"))])
    assert [p.communication_identifier for p in client.list_participants(room.id)] == [
        identity.PhoneNumberIdentifier("+14255550123")
    ]


def test_listings_go_over_all_pages_newest_first(client: RoomsClient, emulator: RoomsEmulator) -> None:
    created = [client.create_room() for _ in range(7)]
    assert list(client.list_rooms()) == created[::-1]
    assert [request.answer for request in emulator.requests[-3:]] == [200, 200, 200]
    participants = [RoomParticipant(PhoneNumberIdentifier(f"+1425555012{digit}")) for digit in range(7)]
    client.add_or_update_participants(created[0].id, participants)
    assert list(client.list_participants(created[0].id)) == participants


def test_a_listing_can_be_taken_up_again_at_a_page(client: RoomsClient) -> None:
    created = [client.create_room().id for _ in range(7)][::-1]
    pages = client.list_rooms().by_page()
    assert [room.id for room in next(pages)] == created[:3]
    token = pages.continuation_token  # type: ignore[attr-defined]
    assert [[room.id for room in page] for page in client.list_rooms().by_page(token)] == [created[3:6], created[6:]]


def test_nothing_is_sent_before_a_listing_is_iterated(client: RoomsClient, emulator: RoomsEmulator) -> None:
    client.list_rooms()
    client.list_participants(NO_ROOM)
    assert emulator.requests == []


@pytest.mark.parametrize(
    "call",
    [
        lambda client, room_id: client.get_room(room_id),
        lambda client, room_id: client.update_room(room_id),
        lambda client, room_id: client.delete_room(room_id),
        lambda client, room_id: client.list_participants(room_id),
        lambda client, room_id: client.add_or_update_participants(room_id, []),
        lambda client, room_id: client.remove_participants(room_id, []),
    ],
)
def test_a_room_id_is_a_str_and_not_empty(
    client: RoomsClient, emulator: RoomsEmulator, call: Callable[[RoomsClient, object], object]
) -> None:
    with pytest.raises(ValueError, match="room_id must not be empty"):
        call(client, "")
    with pytest.raises(TypeError, match="room_id must be a str, not int"):
        call(client, 99445276259151407)
    with pytest.raises(TypeError, match="room_id must be a str, not NoneType"):
        call(client, None)
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("room_id", "path"),
    [
        ("99445276259151407", "/rooms/99445276259151407"),
        ("a/participants?x#y", "/rooms/a%2Fparticipants%3Fx%23y"),
        ("%2F", "/rooms/%252F"),
        ("é", "/rooms/%C3%A9"),
        (".", "/rooms/%2E"),
        ("..", "/rooms/%2E%2E"),
    ],
)
def test_a_room_id_is_percent_encoded_whole(
    client: RoomsClient, emulator: RoomsEmulator, room_id: str, path: str
) -> None:
    with pytest.raises(Exception, match="Invalid room ID length|cannot find"):
        client.get_room(room_id)
    assert emulator.requests[-1].path == path


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"valid_from": "2026-12-01"}, TypeError, "valid_from must be a datetime, not str"),
        ({"valid_until": 5}, TypeError, "valid_until must be a datetime, not int"),
        ({"pstn_dial_out_enabled": "no"}, TypeError, "pstn_dial_out_enabled must be a bool, not str"),
        ({"pstn_dial_out_enabled": 1}, TypeError, "pstn_dial_out_enabled must be a bool, not int"),
        ({"participants": 5}, TypeError, "participants must be an iterable of participants, not int"),
        ({"participants": "8:acs:x"}, TypeError, "participants must be an iterable of participants, not str"),
        ({"participants": RoomParticipant(DOCTOR)}, TypeError, "participants must be an iterable"),
        ({"participants": ["8:acs:x"]}, TypeError, r"participants\[0\] must be a RoomParticipant, not str"),
        (
            {"participants": [RoomParticipant(DOCTOR), DOCTOR]},
            TypeError,
            r"participants\[1\] must be a RoomParticipant, not CommunicationUserIdentifier",
        ),
        (
            {"participants": [RoomParticipant(DOCTOR, "Presenter"), RoomParticipant(DOCTOR, "Consumer")]},
            ValueError,
            "participants has '8:acs:r_doctor' twice, with two roles",
        ),
    ],
)
def test_an_argument_that_cannot_be_right_is_an_error_that_names_it_before_anything_is_sent(
    client: RoomsClient, emulator: RoomsEmulator, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        client.create_room(**arguments)
    assert emulator.requests == []


def test_one_identifier_twice_with_one_role_is_no_error(client: RoomsClient, emulator: RoomsEmulator) -> None:
    client.create_room(participants=[RoomParticipant(DOCTOR), RoomParticipant(DOCTOR)])
    assert body(emulator) == {"participants": {"8:acs:r_doctor": {"role": "Attendee"}}}


@pytest.mark.parametrize(
    ("participants", "message"),
    [
        (["8:acs:x"], r"participants\[0\] must be a CommunicationIdentifier.*not str; identifier_from_raw_id\(\)"),
        ([DOCTOR, None], r"participants\[1\] must be a CommunicationIdentifier.*not NoneType"),
        (DOCTOR, "participants must be an iterable of participants, not CommunicationUserIdentifier"),
    ],
)
def test_remove_participants_takes_participants_and_identifiers_only(
    client: RoomsClient, emulator: RoomsEmulator, participants: object, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        client.remove_participants(NO_ROOM, participants)  # type: ignore[arg-type]
    assert emulator.requests == []


def test_an_argument_that_no_one_knows_is_a_type_error(client: RoomsClient, emulator: RoomsEmulator) -> None:
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'validfrom'"):
        client.create_room(validfrom=OPENS)
    assert emulator.requests == []


@pytest.mark.parametrize("api_version", [*ApiVersion, *map(str, ["2023-06-14", "2024-04-15", "2025-03-13"])])
def test_every_api_version_works(emulator: RoomsEmulator, api_version: str) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string, api_version=api_version)
    room = client.create_room(pstn_dial_out_enabled=True)
    assert room.pstn_dial_out_enabled is (None if api_version == "2023-06-14" else True)
    assert emulator.requests[-1].query == f"api-version={str.__str__(api_version)}"
    assert [listed.id for listed in client.list_rooms()] == [room.id]


def test_the_newest_api_version_is_the_default(client: RoomsClient, emulator: RoomsEmulator) -> None:
    client.create_room()
    assert emulator.requests[-1].query == "api-version=2025-03-13"


def test_an_unknown_api_version_is_the_services_to_refuse(emulator: RoomsEmulator) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string, api_version="2099-01-01")
    with pytest.raises(Exception, match="does not support the API version '2099-01-01'"):
        client.create_room()


def test_an_api_version_is_a_str(emulator: RoomsEmulator) -> None:
    with pytest.raises(TypeError, match="api_version must be a str or an ApiVersion, not int"):
        RoomsClient.from_connection_string(emulator.connection_string, api_version=2025)


@pytest.mark.parametrize("url", ["/rooms", "rooms", "{endpoint}/rooms", "{ENDPOINT}/rooms"])
def test_send_request_sends_what_it_is_given_authenticated(
    client: RoomsClient, emulator: RoomsEmulator, url: str
) -> None:
    url = url.format(endpoint=emulator.endpoint, ENDPOINT=emulator.endpoint.upper())
    request = HttpRequest("POST", url, params={"api-version": "2024-04-15"}, json={"pstnDialOutEnabled": True})
    before = request.url
    response = client.send_request(request)
    assert response.status_code == 201
    assert response.json()["pstnDialOutEnabled"] is True
    assert request.url == before


def test_send_request_answers_an_error_status_as_it_is(client: RoomsClient) -> None:
    response = client.send_request(HttpRequest("GET", "/rooms"))
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "ApiVersionUnspecified"


def test_send_request_takes_a_request_only(client: RoomsClient) -> None:
    with pytest.raises(TypeError, match=r"request must be an azure\.core\.rest\.HttpRequest, not str"):
        client.send_request("/rooms")  # type: ignore[arg-type]


def test_send_request_can_stream(client: RoomsClient) -> None:
    with client.send_request(HttpRequest("GET", "/rooms?api-version=2025-03-13"), stream=True) as response:
        assert not response.is_stream_consumed
        assert b"".join(response.iter_bytes()) == b'{"value":[]}'


def test_send_request_does_not_leave_the_endpoint(client: RoomsClient) -> None:
    for url in ("https://elsewhere.example/rooms", "//elsewhere.example/rooms", "http://127.0.0.1:1/rooms"):
        with pytest.raises(ValueError, match="request has a URL that is not on the client's endpoint"):
            client.send_request(HttpRequest("GET", url))


def test_a_client_is_a_context_manager_and_can_be_closed_twice(emulator: RoomsEmulator) -> None:
    with RoomsClient.from_connection_string(emulator.connection_string) as client:
        client.create_room()
    client.close()
    client.close()


@pytest.mark.parametrize("used_before", [True, False])
def test_a_closed_client_says_so_when_it_is_used(emulator: RoomsEmulator, used_before: bool) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string)
    if used_before:
        client.create_room()
    client.close()
    with pytest.raises(ValueError, match="HTTP transport has already been closed"):
        client.create_room()


def test_an_endpoint_with_a_path_prefix_is_signed_and_called_with_it(emulator: RoomsEmulator) -> None:
    key = emulator.connection_string.partition("accesskey=")[2]
    client = RoomsClient(f"{emulator.endpoint}/prefix/", AzureKeyCredential(key))
    with pytest.raises(ResourceNotFoundError):  # and not a 401
        client.get_room(NO_ROOM)
    assert emulator.requests[-1].path == f"/prefix/rooms/{NO_ROOM}"
