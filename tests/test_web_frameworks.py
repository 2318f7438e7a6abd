"""FastAPI, pydantic and Flask convert rooms and participants with their own encoders."""

from typing import Any

import flask
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

from azure.communication.rooms import CommunicationRoom, RoomParticipant, RoomsClient

from .support.operations import USERS

USER = USERS[0]
PARTICIPANT = {
    "communication_identifier": {
        "raw_id": USER.raw_id,
        "kind": "communication_user",
        "properties": {"id": USER.raw_id},
    },
    "role": "Presenter",
}


@pytest.fixture
def room(client: RoomsClient) -> CommunicationRoom:
    return client.create_room(participants=[RoomParticipant(USER, "Presenter")])


def assert_is_room(data: dict[str, Any], room: CommunicationRoom) -> None:
    assert data.keys() == vars(room).keys()
    assert CommunicationRoom(**data) == room


def test_fastapi(client: RoomsClient, room: CommunicationRoom) -> None:
    app = FastAPI()

    @app.get("/rooms")
    def list_rooms() -> list[CommunicationRoom]:
        return list(client.list_rooms())

    @app.get("/rooms/{room_id}", response_model=None)
    def get_room(room_id: str) -> object:
        return client.get_room(room_id)

    @app.get("/rooms/{room_id}/participants", response_model=None)
    def list_participants(room_id: str) -> list[RoomParticipant]:
        return list(client.list_participants(room_id))

    browser = TestClient(app)
    assert_is_room(browser.get(f"/rooms/{room.id}").json(), room)
    [listed] = browser.get("/rooms").json()
    assert_is_room(listed, room)
    assert browser.get(f"/rooms/{room.id}/participants").json() == [PARTICIPANT]
    schema = browser.get("/openapi.json").json()["components"]["schemas"]["CommunicationRoom"]
    assert schema["properties"]["valid_until"]["format"] == "date-time"


def test_pydantic(room: CommunicationRoom) -> None:
    class Meeting(BaseModel):
        subject: str
        room: CommunicationRoom

    meeting = Meeting.model_validate_json(Meeting(subject="Check-up", room=room).model_dump_json())
    assert meeting.room == room
    assert CommunicationRoom(meeting.room.as_dict()) == room


def test_flask(client: RoomsClient, room: CommunicationRoom) -> None:
    app = flask.Flask("application")
    app.add_url_rule("/rooms", "rooms", lambda: flask.jsonify(list(client.list_rooms())))
    app.add_url_rule("/json", "json", lambda: flask.jsonify(room.as_dict()))
    app.add_url_rule("/participants", "participants", lambda: flask.jsonify(list(client.list_participants(room.id))))
    browser = app.test_client()
    [listed] = browser.get("/rooms").json or []
    assert listed["id"] == room.id
    assert listed["valid_until"] == room.valid_until.strftime("%a, %d %b %Y %H:%M:%S GMT")  # Flask's form of a time
    assert CommunicationRoom(browser.get("/json").json or {}) == room
    assert browser.get("/participants").json == [PARTICIPANT]
