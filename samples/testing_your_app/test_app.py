"""The application's tests, which run against the emulator.

To run them, use ``pip install fastapi httpx2 pytest``, and in the checkout ``pytest samples/testing_your_app``.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from fastapi.testclient import TestClient

from azure.communication.rooms import ParticipantRole, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .app import app, get_rooms_client

DOCTOR = "8:acs:11111111-1111-1111-1111-111111111111_doctor"
PATIENT = "8:acs:11111111-1111-1111-1111-111111111111_patient"


def consultation(starts_in: timedelta = timedelta(hours=1)) -> dict[str, object]:
    starts = datetime.now(timezone.utc) + starts_in
    return {"doctor": DOCTOR, "patient": PATIENT, "starts": starts.isoformat()}


@pytest.fixture
def web(rooms_client: RoomsClient) -> Iterator[TestClient]:
    """The application with a client of the emulator that does not wait between retries."""
    app.dependency_overrides[get_rooms_client] = lambda: rooms_client
    with TestClient(app) as web:
        yield web
    app.dependency_overrides.clear()


def test_consultation_has_a_room_for_two(web: TestClient, rooms_client: RoomsClient) -> None:
    response = web.post("/consultations", json=consultation())
    assert response.status_code == 201
    participants = rooms_client.list_participants(response.json()["id"])
    roles = {participant.communication_identifier.raw_id: participant.role for participant in participants}
    assert roles == {DOCTOR: ParticipantRole.PRESENTER, PATIENT: ParticipantRole.ATTENDEE}


def test_throttled_request_is_retried(web: TestClient, rooms_emulator: RoomsEmulator) -> None:
    rooms_emulator.inject(status=429, times=2)
    assert web.post("/consultations", json=consultation()).status_code == 201
    assert [request.status_code for request in rooms_emulator.requests] == [429, 429, 201]


def test_long_throttling_is_reported(web: TestClient, rooms_emulator: RoomsEmulator) -> None:
    rooms_emulator.inject(status=429, times=100)
    response = web.post("/consultations", json=consultation())
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "30"


def test_broken_connection_makes_one_room(
    web: TestClient, rooms_client: RoomsClient, rooms_emulator: RoomsEmulator
) -> None:
    rooms_emulator.inject(drop="after", method="POST")  # the service creates the room, but the response is lost
    response = web.post("/consultations", json=consultation())
    assert response.status_code == 201
    assert [request.executed for request in rooms_emulator.requests] == [True, True]
    assert [room.id for room in rooms_client.list_rooms()] == [response.json()["id"]]


def test_broken_service_is_reported(web: TestClient, rooms_client: RoomsClient, rooms_emulator: RoomsEmulator) -> None:
    rooms_emulator.inject(drop="before", method="POST", times=100)
    assert web.post("/consultations", json=consultation()).status_code == 503
    assert list(rooms_client.list_rooms()) == []


def test_consultation_can_be_extended(web: TestClient, rooms_client: RoomsClient) -> None:
    room = rooms_client.get_room(web.post("/consultations", json=consultation()).json()["id"])
    assert web.post(f"/consultations/{room.id}/extension", params={"minutes": 15}).status_code == 200
    assert rooms_client.get_room(room.id).valid_until == room.valid_until + timedelta(minutes=15)


def test_ended_consultation_stays_ended(web: TestClient, rooms_emulator: RoomsEmulator) -> None:
    room_id = web.post("/consultations", json=consultation()).json()["id"]
    rooms_emulator.advance(timedelta(days=1))
    response = web.post(f"/consultations/{room_id}/extension", params={"minutes": 15})
    assert (response.status_code, response.json()) == (422, {"detail": ["The time range end is in the past."]})


def test_unknown_consultation(web: TestClient) -> None:
    assert web.post("/consultations/99400000000000000/extension", params={"minutes": 15}).status_code == 404
