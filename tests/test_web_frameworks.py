"""FastAPI, pydantic and Flask convert rooms and participants with their own encoders."""

from datetime import datetime
from typing import Any

import flask
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict

from azure.communication.rooms import CommunicationRoom, MicrosoftTeamsUserIdentifier, RoomParticipant, RoomsClient

USER = MicrosoftTeamsUserIdentifier("a-user")
PARTICIPANT = {
    "communication_identifier": {
        "raw_id": "8:orgid:a-user",
        "kind": "microsoft_teams_user",
        "properties": {"user_id": "a-user", "is_anonymous": False, "cloud": "PUBLIC"},
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

    @app.get("/rooms/{room_id}")
    def get_room(room_id: str) -> CommunicationRoom:
        return client.get_room(room_id)

    @app.get("/rooms")
    def list_rooms() -> list[CommunicationRoom]:
        return list(client.list_rooms())

    @app.get("/untyped/{room_id}", response_model=None)
    def untyped(room_id: str) -> object:
        return client.get_room(room_id)

    @app.get("/rooms/{room_id}/participants", response_model=None)
    def list_participants(room_id: str) -> list[RoomParticipant]:
        return list(client.list_participants(room_id))

    browser = TestClient(app)
    assert_is_room(browser.get(f"/rooms/{room.id}").json(), room)
    assert_is_room(browser.get(f"/untyped/{room.id}").json(), room)
    [listed] = browser.get("/rooms").json()
    assert_is_room(listed, room)
    assert browser.get(f"/rooms/{room.id}/participants").json() == [PARTICIPANT]
    schema = browser.get("/openapi.json").json()["components"]["schemas"]["CommunicationRoom"]
    assert schema["properties"]["valid_until"]["format"] == "date-time"


def test_pydantic(room: CommunicationRoom) -> None:
    class Meeting(BaseModel):
        subject: str
        room: CommunicationRoom

    class Times(BaseModel):
        model_config = ConfigDict(from_attributes=True)
        valid_from: datetime
        valid_until: datetime

    meeting = Meeting.model_validate_json(Meeting(subject="Check-up", room=room).model_dump_json())
    assert meeting.room == room
    assert CommunicationRoom(meeting.room.as_dict()) == room
    assert Times.model_validate(room).valid_until == room.valid_until


def test_flask(client: RoomsClient, room: CommunicationRoom) -> None:
    app = flask.Flask("application")
    app.add_url_rule("/rooms", "rooms", lambda: flask.jsonify(list(client.list_rooms())))
    app.add_url_rule("/room", "room", lambda: flask.jsonify(client.get_room(room.id).as_dict()))
    app.add_url_rule("/participants", "participants", lambda: flask.jsonify(list(client.list_participants(room.id))))
    browser = app.test_client()
    [listed] = browser.get("/rooms").json or []
    assert listed["id"] == room.id
    assert listed["valid_until"] == room.valid_until.strftime("%a, %d %b %Y %H:%M:%S GMT")  # Flask's form of a time
    assert CommunicationRoom(browser.get("/room").json or {}) == room
    assert browser.get("/participants").json == [PARTICIPANT]
