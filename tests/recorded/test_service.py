"""What the live service does and the emulator does not: replayed from exchanges written by hand from the contract.

They are never recorded, and hold only the headers that matter.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import (
    ApiVersion,
    CommunicationUserIdentifier,
    ParticipantRole,
    RoomParticipant,
    RoomsClient,
)

from .conftest import REPLAYED
from .scrubbing import ALICE, BOB

pytestmark = [pytest.mark.vcr(record_mode="none"), pytest.mark.block_network]

ROOM_ID = "99000000000000001"


@pytest.fixture
def client() -> Iterator[RoomsClient]:
    """A client that has nowhere to send to, whatever the record mode."""
    with RoomsClient.from_connection_string(REPLAYED, retry_backoff_factor=0) as client:
        yield client


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited between attempts, or would have been."""
    waits: list[float] = []

    def sleep(_: RequestsTransport, duration: float) -> None:
        waits.append(duration)

    monkeypatch.setattr(RequestsTransport, "sleep", sleep)
    return waits


def test_times_have_seven_six_or_no_fractional_digits(client: RoomsClient) -> None:
    room = client.get_room(ROOM_ID)

    assert room.created_at == datetime(2023, 7, 5, 21, 57, 45, 168885, tzinfo=timezone.utc)
    assert room.valid_from == datetime(2023, 7, 5, 21, 57, 44, 903276, tzinfo=timezone.utc)
    assert room.valid_until == datetime(2023, 10, 5, 22, 0, tzinfo=timezone.utc)
    assert room.created_at.utcoffset() == timedelta(0)
    assert room.as_dict()["createdAt"] == "2023-07-05T21:57:45.1688857+00:00"


def test_bodies_come_chunked(client: RoomsClient) -> None:
    assert client.get_room(ROOM_ID).id == ROOM_ID
    assert [room.id for room in client.list_rooms()] == [ROOM_ID]


def test_room_ids_have_sixteen_or_seventeen_digits(client: RoomsClient) -> None:
    assert [client.get_room(room.id).id for room in client.list_rooms()] == ["9900000000000001", ROOM_ID]


def test_the_last_page_has_a_next_link_that_is_absent_null_or_empty(client: RoomsClient) -> None:
    listings = [[list(page) for page in client.list_participants(ROOM_ID).by_page()] for _ in range(3)]

    assert listings == [[[RoomParticipant(CommunicationUserIdentifier(ALICE))]]] * 3


def test_next_links_are_sent_exactly_as_they_came(client: RoomsClient) -> None:
    sent: list[str] = []
    links: list[str] = []

    def note(response: PipelineResponse[HttpRequest, HttpResponse]) -> None:
        sent.append(response.http_request.url)
        links.append(response.http_response.json().get("nextLink"))

    rooms = list(client.list_rooms(raw_response_hook=note))

    assert [room.id for room in rooms] == ["99000000000000003", "99000000000000002", ROOM_ID]
    assert sent[1:] == links[:-1]
    assert urlsplit(sent[1]).query == "nextLink=sanitized+/token+/page==&api-version=2025-03-13"
    assert urlsplit(sent[2]).query == "nextLink=+sanitized/token//page+=&api-version=2025-03-13"


def test_members_that_the_contract_does_not_name_are_kept_and_otherwise_ignored(client: RoomsClient) -> None:
    (room,) = client.list_rooms()
    (participant,) = client.list_participants(ROOM_ID)

    assert room.as_dict()["lobby"] == {"enabled": True, "admitters": ["Presenter"]}
    assert participant == RoomParticipant(CommunicationUserIdentifier(ALICE), ParticipantRole.PRESENTER)
    assert participant.as_dict()["joinedAt"] is None


def test_roles_that_are_not_known_stay_the_strings_that_they_are(client: RoomsClient) -> None:
    moderator, attendee = client.list_participants(ROOM_ID)

    assert (moderator.role, type(moderator.role)) == ("Moderator", str)
    assert attendee == RoomParticipant(CommunicationUserIdentifier(BOB), ParticipantRole.ATTENDEE)

    client.add_or_update_participants(ROOM_ID, [moderator])


def test_errors_have_details(client: RoomsClient) -> None:
    moderator = RoomParticipant(CommunicationUserIdentifier(ALICE), "Moderator")

    with pytest.raises(HttpResponseError) as raised:
        client.create_room(participants=[moderator])

    error: Any = raised.value.error
    assert raised.value.status_code == 400
    assert (error.code, error.message) == (
        "BadRequest",
        "The request could not be understood by the server due to malformed syntax.",
    )
    (detail,) = error.details
    assert (detail.code, detail.target) == ("BadArgument", f"$.participants.{ALICE}.role")
    assert detail.message.startswith("The JSON value could not be converted to ")
    assert detail.message in str(raised.value)


def test_a_room_of_the_first_api_version_does_not_tell_whether_phones_can_be_called() -> None:
    with RoomsClient.from_connection_string(REPLAYED, api_version=ApiVersion.V2023_06_14) as client:
        room = client.get_room(ROOM_ID)

    assert room.pstn_dial_out_enabled is None
    assert "pstnDialOutEnabled" not in room.as_dict()


def test_throttling_is_an_error_once_no_retry_is_left(client: RoomsClient) -> None:
    with pytest.raises(HttpResponseError) as raised:
        client.get_room(ROOM_ID, retry_total=0)

    error: Any = raised.value
    assert (error.status_code, error.error.code) == (429, "TooManyRequests")
    assert error.response.headers["Retry-After"] == "30"


def test_throttling_with_retry_after_is_waited_out(client: RoomsClient, waits: list[float]) -> None:
    assert client.update_room(ROOM_ID, pstn_dial_out_enabled=True).pstn_dial_out_enabled is True

    (wait,) = waits
    assert 30 <= wait <= 37.5


def test_throttling_without_retry_after_is_retried_as_the_same_create() -> None:
    sent: list[tuple[str, str]] = []

    def note(request: PipelineRequest[HttpRequest]) -> None:
        headers = request.http_request.headers
        sent.append((headers["Repeatability-Request-ID"], headers["Repeatability-First-Sent"]))

    # A hook of a call is called at the first attempt only, a hook of the client at each.
    with RoomsClient.from_connection_string(REPLAYED, retry_backoff_factor=0, raw_request_hook=note) as client:
        room = client.create_room(pstn_dial_out_enabled=True)

    assert room.id == ROOM_ID
    assert len(sent) == 2
    assert sent[0] == sent[1]
