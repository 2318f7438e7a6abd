"""FastAPI and pydantic read and write the service's JSON. Flask uses its own encoder."""

import json
from typing import Any

import flask
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, TypeAdapter, ValidationError

from azure.communication.rooms import (
    CommunicationRoom,
    CommunicationUserIdentifier,
    CommunicationUserProperties,
    MicrosoftTeamsAppIdentifier,
    MicrosoftTeamsUserIdentifier,
    PhoneNumberIdentifier,
    RoomParticipant,
    RoomsClient,
    UnknownIdentifier,
)

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
ROOM = CommunicationRoom(
    {
        "id": "99445276259151407",
        "createdAt": "2023-07-05T21:57:45.1688857+00:00",
        "validFrom": "2023-07-05T21:57:44.9+00:00",
        "validUntil": "2024-01-01T21:57:44+00:00",
        "pstnDialOutEnabled": True,
        "colour": "blue",
    }
)
VALUES: list[tuple[Any, object]] = [
    (ROOM, ROOM.as_dict()),
    (RoomParticipant(USER, "Presenter"), {"rawId": USER.raw_id, "role": "Presenter"}),
    (RoomParticipant({"rawId": "4:+1", "since": 1}), {"rawId": "4:+1", "role": "Attendee", "since": 1}),
    (USER, USER.raw_id),
    (PhoneNumberIdentifier("+14255550123"), "4:+14255550123"),
    (MicrosoftTeamsUserIdentifier("o", cloud="DOD"), "8:dod:o"),
    (MicrosoftTeamsAppIdentifier("a"), "28:orgid:a"),
    (UnknownIdentifier("48:echo"), "48:echo"),
]


@pytest.mark.parametrize(("value", "data"), VALUES)
def test_pydantic_reads_and_writes_the_services_json(value: Any, data: object) -> None:
    kind: Any = type(value)
    forms: list[tuple[Any, object]] = [(kind, value), (list[kind], [value]), (kind | None, value)]
    for annotation, values in forms:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        expected = [data] if isinstance(values, list) else data
        assert json.loads(adapter.dump_json(values)) == adapter.dump_python(values) == expected
        assert adapter.validate_json(adapter.dump_json(values)) == values
        assert adapter.validate_python(values, strict=True) == values
        assert adapter.json_schema(mode="validation") == adapter.json_schema(mode="serialization")
    assert type(TypeAdapter(kind).validate_python(data)) is kind


@pytest.mark.parametrize("kind", dict.fromkeys(type(value) for value, _ in VALUES[:-1]))
@pytest.mark.parametrize("data", [None, 5, [], {}, {"rawId": 5}, {**ROOM.as_dict(), "validFrom": "soon"}, "48:echo"])
def test_pydantic_refuses_other_json(kind: type, data: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(data)


class Meeting(BaseModel):
    subject: str
    room: CommunicationRoom | None = None
    guests: list[RoomParticipant] = []
    host: CommunicationUserIdentifier


def test_fields_of_a_pydantic_model() -> None:
    meeting = Meeting(subject="Check-up", room=ROOM, guests=[RoomParticipant(USER)], host=USER)
    assert Meeting.model_validate_json(meeting.model_dump_json()) == meeting == Meeting.model_validate(dict(meeting))
    definitions = Meeting.model_json_schema()["$defs"]
    assert definitions["CommunicationRoom"]["required"] == ["id", "createdAt", "validFrom", "validUntil"]
    assert definitions["RoomParticipant"]["properties"]["rawId"] == {"type": "string"}
    assert TypeAdapter(CommunicationUserProperties).validate_python({"id": "a"}) == {"id": "a"}


@pytest.fixture
def room(client: RoomsClient) -> CommunicationRoom:
    return client.create_room(participants=[RoomParticipant(USER, "Presenter")])


def test_fastapi(client: RoomsClient, room: CommunicationRoom) -> None:
    app = FastAPI()

    @app.get("/rooms")
    def list_rooms() -> list[CommunicationRoom]:
        return list(client.list_rooms())

    @app.get("/untyped")
    def get_room():  # type: ignore[no-untyped-def]
        return room

    @app.put("/participants")
    def add(participants: list[RoomParticipant]) -> list[RoomParticipant]:
        client.add_or_update_participants(room.id, participants)
        return list(client.list_participants(room.id))

    @app.put("/meetings")
    def plan(meeting: Meeting, host: CommunicationUserIdentifier) -> Meeting:
        return meeting.model_copy(update={"host": host})

    browser = TestClient(app)
    assert browser.get("/rooms").json() == [room.as_dict()]
    assert CommunicationRoom(**browser.get("/untyped").json()) == room
    added = browser.put("/participants", json=[{"rawId": USER.raw_id, "role": "Consumer"}])
    assert added.json() == [{"rawId": USER.raw_id, "role": "Consumer"}]
    bad = browser.put("/participants", json=[{"role": "Consumer"}])
    assert (bad.status_code, "'rawId' is missing" in bad.text) == (422, True)
    data = {"subject": "a", "room": room.as_dict(), "guests": [], "host": USER.raw_id}
    planned = browser.put("/meetings", json={"meeting": data, "host": USERS[1].raw_id})
    assert planned.json() == {**data, "host": USERS[1].raw_id}
    schemas = browser.get("/openapi.json").json()["components"]["schemas"]
    assert schemas["CommunicationRoom"]["properties"]["validUntil"]["format"] == "date-time"
    assert {"RoomParticipant", "CommunicationUserIdentifier"} <= schemas.keys()


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
