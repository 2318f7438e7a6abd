"""Code as a user writes it. mypy and pyright must find exactly the errors that are marked here."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from dataclasses import dataclass
from datetime import date, datetime

from azure.core.credentials import AzureKeyCredential
from azure.core.paging import ItemPaged
from azure.core.pipeline.policies import UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from requests import Session
from typing_extensions import assert_type

from azure.communication.rooms import (
    ClientOptions,
    CommunicationIdentifier,
    CommunicationRoom,
    CommunicationUserIdentifier,
    ParticipantRole,
    RequestOptions,
    RoomParticipant,
    RoomsClient,
)
from azure.communication.rooms._shared.models import PhoneNumberIdentifier
from azure.communication.rooms.emulator import RoomsEmulator


def clients() -> None:
    client = RoomsClient("https://contoso.communication.azure.com", AzureKeyCredential("a2V5"), retry_total=0)
    assert_type(client, RoomsClient)
    with RoomsClient.from_connection_string("endpoint=…", read_timeout=10) as opened:
        assert_type(opened, RoomsClient)

    options: ClientOptions = {"user_agent": "contoso", "session": Session(), "session_owner": False}
    RoomsClient.from_connection_string("endpoint=…", **options)
    policies: ClientOptions = {"transport": RequestsTransport(), "per_call_policies": [UserAgentPolicy()]}
    RoomsClient("https://contoso.communication.azure.com", "a2V5", **policies)

    RoomsClient("https://contoso.communication.azure.com", "a2V5", session="no session")  # type: ignore[arg-type]
    RoomsClient("https://contoso.communication.azure.com")  # type: ignore[call-arg]
    RoomsClient("https://contoso.communication.azure.com", AzureKeyCredential("a2V5"), read_timout=1)  # type: ignore[call-arg]


def rooms(client: RoomsClient, opens: datetime, closes: datetime) -> None:
    room = client.create_room(valid_from=opens, valid_until=closes, pstn_dial_out_enabled=True)
    assert_type(room, CommunicationRoom)
    assert_type(room.valid_until, datetime)
    assert_type(room.pstn_dial_out_enabled, bool | None)
    CommunicationRoom(id="1", created_at=opens, valid_from=date(2026, 12, 1), valid_until="2026-12-02")
    assert_type(client.get_room(room.id, timeout=5), CommunicationRoom)
    assert_type(client.update_room(room.id, valid_from=opens, valid_until=closes), CommunicationRoom)
    assert_type(client.list_rooms(), ItemPaged[CommunicationRoom])
    client.delete_room(room.id)
    client.create_room(valid_from=date(2026, 12, 1), valid_until="2026-12-02")
    client.create_room(valid_from="2026-12-01T09:00:00Z", raw_response_hook=lambda response: response.http_response)
    request_options: RequestOptions = {"retry_total": 20, "timeout": 2.5}
    client.get_room(room.id, **request_options)

    request_options["read_timout"] = 1  # type: ignore[typeddict-unknown-key]
    client.create_room(valid_form=opens)  # type: ignore[call-arg]
    client.create_room(valid_from=7)  # type: ignore[arg-type]
    client.get_room()  # type: ignore[call-arg]
    client.get_room(room)  # type: ignore[arg-type]
    client.get_room(room.id, read_timeout="soon")  # type: ignore[arg-type]
    room.valid_from = opens  # type: ignore[misc]
    print(room.topic)  # type: ignore[attr-defined]


@dataclass
class Guest:
    communication_identifier: CommunicationIdentifier
    role: ParticipantRole = ParticipantRole.CONSUMER


def participants(client: RoomsClient, room_id: str) -> None:
    user = CommunicationUserIdentifier("8:acs:contoso_user")
    assert_type(str(user), str)
    client.add_or_update_participants(room_id, [RoomParticipant(user, ParticipantRole.PRESENTER)])
    for participant in client.list_participants(room_id):
        assert_type(participant, RoomParticipant)
        assert_type(participant.communication_identifier, CommunicationIdentifier)
        assert_type(participant.communication_identifier.raw_id, str)
        assert_type(participant.role, ParticipantRole | str)
    client.remove_participants(room_id, client.list_participants(room_id))
    client.add_or_update_participants(room_id, [{"rawId": "8:acs:contoso_user", "role": "Presenter"}, Guest(user)])
    client.remove_participants(room_id, [{"rawId": "8:acs:contoso_user"}, Guest(user), user])

    client.add_or_update_participants(room_id, [user])  # type: ignore[list-item]
    client.add_or_update_participants(room_id, "8:acs:contoso_user")  # type: ignore[arg-type]
    RoomParticipant(user, 7)  # type: ignore[arg-type]
    user.raw_id = "8:acs:other"  # type: ignore[misc]
    print(PhoneNumberIdentifier("+14255550123").properties["number"])  # type: ignore[typeddict-item]


def requests(client: RoomsClient) -> None:
    assert_type(client.send_request(HttpRequest("GET", "/rooms"), stream=True), HttpResponse)
    client.send_request("/rooms")  # type: ignore[arg-type]


def emulator() -> None:
    with RoomsEmulator() as running:
        assert_type(running.connection_string, str)
    RoomsEmulator(prot=8787)  # type: ignore[call-arg]
