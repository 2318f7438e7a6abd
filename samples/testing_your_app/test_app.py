"""The application's tests, which run against the emulator.

To run them, use ``pip install azure-communication-identity fastapi httpx2 pytest``, and in the checkout
``pytest samples/testing_your_app``.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from fastapi.testclient import TestClient

from azure.communication.rooms import ParticipantRole, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .app import app, get_rooms_client


@pytest.fixture
def web(rooms_client: RoomsClient) -> Iterator[TestClient]:
    """The application with a client of the emulator that does not wait between retries."""
    app.dependency_overrides[get_rooms_client] = lambda: rooms_client
    with TestClient(app) as web:
        yield web
    app.dependency_overrides.clear()


@pytest.fixture
def consultation(rooms_emulator: RoomsEmulator) -> dict[str, str]:
    """The body of a request for a consultation in an hour."""
    starts = datetime.now(timezone.utc) + timedelta(hours=1)
    doctor, patient = rooms_emulator.create_user(), rooms_emulator.create_user()
    return {"doctor": doctor.raw_id, "patient": patient.raw_id, "starts": starts.isoformat()}


def test_consultation_has_a_room_for_two(
    web: TestClient, rooms_client: RoomsClient, consultation: dict[str, str]
) -> None:
    response = web.post("/consultations", json=consultation)
    assert response.status_code == 201
    participants = rooms_client.list_participants(response.json()["id"])
    assert {participant.communication_identifier.raw_id: participant.role for participant in participants} == {
        consultation["doctor"]: ParticipantRole.PRESENTER,
        consultation["patient"]: ParticipantRole.ATTENDEE,
    }


def test_throttled_request_is_retried(
    web: TestClient, rooms_emulator: RoomsEmulator, consultation: dict[str, str]
) -> None:
    rooms_emulator.inject(status=429, times=2)
    assert web.post("/consultations", json=consultation).status_code == 201
    assert [request.status_code for request in rooms_emulator.requests] == [429, 429, 201]


def test_broken_connection_makes_one_room(
    web: TestClient, rooms_client: RoomsClient, rooms_emulator: RoomsEmulator, consultation: dict[str, str]
) -> None:
    rooms_emulator.inject(drop="after", method="POST")  # the service creates the room, but the response is lost
    response = web.post("/consultations", json=consultation)
    assert [room.id for room in rooms_client.list_rooms()] == [response.json()["id"]]


def test_broken_service_is_reported(
    web: TestClient, rooms_emulator: RoomsEmulator, consultation: dict[str, str]
) -> None:
    rooms_emulator.inject(status=503, times=100)
    response = web.post("/consultations", json=consultation)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")


def test_ended_consultation_stays_ended(
    web: TestClient, rooms_emulator: RoomsEmulator, consultation: dict[str, str]
) -> None:
    room_id = web.post("/consultations", json=consultation).json()["id"]
    rooms_emulator.advance(timedelta(days=1))
    response = web.post(f"/consultations/{room_id}/extension", params={"minutes": 15})
    assert (response.status_code, response.json()) == (422, {"detail": ["The time range end is in the past."]})


def test_unknown_consultation(web: TestClient) -> None:
    assert web.post("/consultations/99400000000000000/extension", params={"minutes": 15}).status_code == 404


def test_users_get_tokens_and_meet(
    web: TestClient, rooms_environment: dict[str, str], consultation: dict[str, str]
) -> None:
    """The application finds the emulator in the environment, as it finds its resource in production."""
    doctor, patient = (web.post("/users").json() for _ in range(2))
    assert doctor["token"] != patient["token"]
    response = web.post("/consultations", json={**consultation, "doctor": doctor["id"], "patient": patient["id"]})
    assert response.status_code == 201
