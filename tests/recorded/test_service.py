"""Responses that the service may send, but that no recording shows. They are replayed from exchanges written by hand.

These exchanges are never recorded again, and contain only the headers that matter.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import (
    CommunicationUserIdentifier,
    ParticipantRole,
    RoomParticipant,
    RoomsClient,
)

from .conftest import API_VERSION, REPLAYED
from .scrubbing import ALICE, BOB

pytestmark = [pytest.mark.vcr(record_mode="none"), pytest.mark.block_network]

ROOM_ID = "99000000000000001"


@pytest.fixture
def client() -> Iterator[RoomsClient]:
    """A client of an endpoint that does not exist."""
    with RoomsClient.from_connection_string(REPLAYED, api_version=API_VERSION, retry_backoff_factor=0) as client:
        yield client


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the client would have waited between attempts."""
    waits: list[float] = []

    def sleep(_: HttpTransport[HttpRequest, HttpResponse], duration: float) -> None:
        waits.append(duration)

    monkeypatch.setattr(HttpTransport, "sleep", sleep)
    return waits


def test_last_page_has_no_link(client: RoomsClient) -> None:
    listings = [[list(page) for page in client.list_participants(ROOM_ID).by_page()] for _ in range(3)]

    assert listings == [[[RoomParticipant(CommunicationUserIdentifier(ALICE))]]] * 3


def test_next_links_are_sent_as_received(client: RoomsClient) -> None:
    sent: list[str] = []
    links: list[str] = []

    def note(response: PipelineResponse[HttpRequest, HttpResponse]) -> None:
        sent.append(response.http_request.url)
        links.append(response.http_response.json().get("nextLink"))

    rooms = list(client.list_rooms(raw_response_hook=note))

    assert [room.id for room in rooms] == ["99000000000000003", "99000000000000002", ROOM_ID]
    assert sent[1:] == links[:-1]
    assert urlsplit(sent[1]).query == f"nextLink=sanitized+/token+/page==&api-version={API_VERSION}"
    assert urlsplit(sent[2]).query == f"nextLink=+sanitized/token//page+=&api-version={API_VERSION}"


def test_unknown_members_are_kept(client: RoomsClient) -> None:
    (room,) = client.list_rooms()
    (participant,) = client.list_participants(ROOM_ID)

    assert room.as_dict()["lobby"] == {"enabled": True, "admitters": ["Presenter"]}
    assert participant == RoomParticipant(CommunicationUserIdentifier(ALICE), ParticipantRole.PRESENTER)
    assert participant.as_dict()["joinedAt"] is None


def test_unknown_roles_are_kept(client: RoomsClient) -> None:
    moderator, attendee = client.list_participants(ROOM_ID)

    assert (moderator.role, type(moderator.role)) == ("Moderator", str)
    assert attendee == RoomParticipant(CommunicationUserIdentifier(BOB), ParticipantRole.ATTENDEE)

    client.add_or_update_participants(ROOM_ID, [moderator])


def test_429_when_no_retry_is_left(client: RoomsClient) -> None:
    with pytest.raises(HttpResponseError) as raised:
        client.get_room(ROOM_ID, retry_total=0)

    error: Any = raised.value
    assert (error.status_code, error.error.code) == (429, "TooManyRequests")
    assert error.response.headers["Retry-After"] == "30"


def test_429_with_retry_after(client: RoomsClient, waits: list[float]) -> None:
    assert client.update_room(ROOM_ID, pstn_dial_out_enabled=True).pstn_dial_out_enabled is True

    (wait,) = waits
    assert 30 <= wait <= 37.5


def test_429_without_retry_after(client: RoomsClient) -> None:
    sent: list[tuple[str, str]] = []

    def note(request: PipelineRequest[HttpRequest]) -> None:
        headers = request.http_request.headers
        sent.append((headers["Repeatability-Request-ID"], headers["Repeatability-First-Sent"]))

    room = client.create_room(pstn_dial_out_enabled=True, raw_request_hook=note)

    assert room.id == ROOM_ID
    assert len(sent) == 2
    assert sent[0] == sent[1]
