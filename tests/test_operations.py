"""The request that each operation sends, and the links between pages."""

import json
from typing import Any

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .support.operations import OPERATIONS, PARTICIPANTS, USERS, Operation
from .support.wire_server import response, wire_server

API_VERSION = "api-version=2025-03-13"
TOKEN = f"nextLink=a+b/c==&{API_VERSION}"


def page(link: str | None = None) -> bytes:
    return response(json.dumps({"value": [], "nextLink": link}).encode())


def targets(endpoint_path: str, *pages: bytes, room_id: str | None = None) -> list[str]:
    """List rooms, or the participants of a room, and return the target of each request."""
    with wire_server(*pages) as server, RoomsClient(server.endpoint + endpoint_path, "a2V5") as client:
        assert list(client.list_rooms() if room_id is None else client.list_participants(room_id)) == []
    assert len(server.requests) == len(pages)
    return [request.target for request in server.requests]


def test_every_operation_is_in_the_table() -> None:
    methods = {name for name, value in vars(RoomsClient).items() if callable(value) and not name.startswith("_")}
    assert methods == {*OPERATIONS, "close", "send_request"}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_request(client: RoomsClient, emulator: RoomsEmulator, operation: Operation) -> None:
    room_id = client.create_room().id
    operation.call(client, room_id)
    request = emulator.requests[1]
    assert (request.method, request.path) == (operation.method, operation.path.format(room_id=room_id))
    assert request.query == API_VERSION
    assert request.headers["accept"] == "application/json"
    content_type = {"POST": "application/json", "PATCH": "application/merge-patch+json"}.get(operation.method)
    assert request.headers.get("content-type") == content_type
    assert bool(request.body) == (content_type is not None)


def test_bodies(client: RoomsClient, emulator: RoomsEmulator) -> None:
    room_id = client.create_room().id
    for name in ("create_room", "add_or_update_participants", "remove_participants"):
        OPERATIONS[name].call(client, room_id)
    created, added, removed = (json.loads(request.body) for request in emulator.requests[1:])
    presenters = {participant.communication_identifier.raw_id: {"role": "Presenter"} for participant in PARTICIPANTS}
    assert created.keys() == {"validFrom", "validUntil", "pstnDialOutEnabled", "participants"}
    assert created["participants"] == presenters
    assert added == {"participants": presenters}
    assert removed == {"participants": {user.raw_id: None for user in USERS}}


@pytest.mark.parametrize(
    "origin", ["https://elsewhere.example/", "http://127.0.0.1:1/", "//elsewhere.example/", "/", ""]
)
def test_next_link_is_followed_on_the_endpoint(origin: str) -> None:
    assert targets("", page(f"{origin}rooms?{TOKEN}"), page())[1] == f"/rooms?{TOKEN}"


@pytest.mark.parametrize("link", ["@elsewhere.example/rooms?x", ":1@elsewhere.example/rooms?x", ".elsewhere.example"])
def test_next_link_never_changes_the_host(link: str) -> None:
    assert len(targets("", page(link), page())) == 2


@pytest.mark.parametrize("body", [b'{"value":[]}', b'{"value":[],"nextLink":null}', b'{"value":[],"nextLink":""}'])
def test_last_page(body: bytes) -> None:
    assert len(targets("", response(body))) == 1


def test_empty_page_before_the_last() -> None:
    assert len(targets("", page("/rooms?nextLink=a"), page("/rooms?nextLink=b"), page())) == 3


@pytest.mark.parametrize("prefix", ["/prefix", "/rooms", "/prefix/rooms"])
@pytest.mark.parametrize("is_in_link", [True, False])
def test_path_prefix(prefix: str, is_in_link: bool) -> None:
    origin = f"https://contoso.example{prefix if is_in_link else ''}"
    assert targets(prefix, page(f"{origin}/rooms?{TOKEN}"), page()) == [
        f"{prefix}/rooms?{API_VERSION}",
        f"{prefix}/rooms?{TOKEN}",
    ]
    assert targets(prefix, page(f"{origin}/rooms/99/participants?{TOKEN}"), page(), room_id="99") == [
        f"{prefix}/rooms/99/participants?{API_VERSION}",
        f"{prefix}/rooms/99/participants?{TOKEN}",
    ]


def test_continuation_token_must_be_a_str(client: RoomsClient) -> None:
    token: Any = 5
    with pytest.raises(TypeError, match="continuation_token must be a str, not int"):
        next(client.list_rooms().by_page(token))
