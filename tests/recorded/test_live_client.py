"""The client sends the same requests as in the live exchanges, and understands the responses.

Two differences are on purpose: the client leaves out members that the released client sends as null, and it writes
times with six fractional digits, because a datetime has no more.
"""

import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline import PipelineRequest
from azure.core.rest import HttpRequest
from vcr import VCR  # type: ignore[import-untyped]

from azure.communication.rooms import (
    CommunicationRoom,
    RoomParticipant,
    RoomsClient,
    identifier_from_raw_id,
)

from .conftest import ANOTHER_KEY
from .live import EACH_EXCHANGE, ROOM_ID, TIME, Json, map_texts, read_time
from .scrubbing import VCR_CONFIG

pytestmark = pytest.mark.block_network

ENDPOINT = "https://endpoint.communication.azure.com"  # the host in the recorded links


@EACH_EXCHANGE
def test_same_request_and_result(exchange: Json, tmp_path: Path) -> None:
    sent: dict[str, str] = {}

    def note(request: PipelineRequest[HttpRequest]) -> None:
        sent.update(request.http_request.headers)

    write_cassette(exchange, tmp_path / "exchange.yaml")
    vcr = VCR(match_on=VCR_CONFIG["match_on"], before_record_request=VCR_CONFIG["before_record_request"])
    with (
        vcr.use_cassette(str(tmp_path / "exchange.yaml"), record_mode="none") as cassette,
        RoomsClient.from_connection_string(
            f"endpoint={ENDPOINT};accesskey={ANOTHER_KEY}",
            api_version=exchange["api_version"],
            retry_total=0,
            raw_request_hook=note,
        ) as client,
    ):
        if exchange["status"] < 400:
            check_result(call(client, exchange), exchange)
        else:
            with pytest.raises(HttpResponseError) as raised:
                call(client, exchange)
            check_error(raised.value, exchange)

    assert cassette.play_count == 1
    for name, value in exchange["request_headers"].items():
        if name != "Origin":  # browsers add it
            assert sent[name] == value if value is not None else sent[name]


def write_cassette(exchange: Json, path: Path) -> None:
    """Write the exchange in vcrpy's form, with the request as the client sends it."""
    sent = exchange["request_body"]
    request = {
        "method": exchange["method"],
        "uri": f"{ENDPOINT}{path_of(exchange)}?api-version={exchange['api_version']}",
        "body": None if sent is None else json.dumps(map_texts(without_null(sent), write_time)),
        "headers": {name: [value] for name, value in exchange["request_headers"].items() if value},
    }
    body = exchange["response_body"]
    response = {
        "status": {"code": exchange["status"], "message": HTTPStatus(exchange["status"]).phrase},
        "headers": {name: [value or "sanitized"] for name, value in exchange["response_headers"].items()},
        "body": {"string": "" if body is None else json.dumps(body)},
    }
    interactions = [{"request": request, "response": response}]
    path.write_text(yaml.safe_dump({"version": 1, "interactions": interactions}), encoding="utf-8")


def path_of(exchange: Json) -> str:
    path: str = exchange["path"]
    return path.replace("{room_id}", ROOM_ID).replace("{unknown_room_id}", ROOM_ID)


def without_null(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: member for name, member in body.items() if member is not None}


def write_time(text: str) -> str:
    return read_time(text).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if TIME.fullmatch(text) else text


def call(client: RoomsClient, exchange: Json) -> Any:
    """Make the recorded request with the client's method for it."""
    body = without_null(exchange["request_body"] or {})
    values = arguments(body)
    room_id = path_of(exchange).removeprefix("/rooms/").removesuffix("/participants")
    methods: dict[tuple[str, str], Callable[[], object]] = {
        ("POST", "/rooms"): lambda: client.create_room(**values),
        ("GET", "/rooms"): lambda: first_page(client),
        ("GET", "/rooms/{id}"): lambda: client.get_room(room_id),
        ("PATCH", "/rooms/{id}"): lambda: client.update_room(room_id, **values),
        ("DELETE", "/rooms/{id}"): lambda: client.delete_room(room_id),
        ("GET", "/rooms/{id}/participants"): lambda: list(client.list_participants(room_id)),
        ("PATCH", "/rooms/{id}/participants"): lambda: client.add_or_update_participants(room_id, **values),
    }
    if exchange["method"] == "PATCH" and None in body.get("participants", {}).values():
        return client.remove_participants(room_id, map(identifier_from_raw_id, body["participants"]))
    return methods[exchange["method"], re.sub("/rooms/[^/]+", "/rooms/{id}", exchange["path"])]()


def arguments(body: Mapping[str, Any]) -> dict[str, Any]:
    """The members of the body as keyword arguments."""
    read: dict[str, tuple[str, Callable[[Any], object]]] = {
        "validFrom": ("valid_from", read_time),
        "validUntil": ("valid_until", read_time),
        "pstnDialOutEnabled": ("pstn_dial_out_enabled", bool),
        "participants": ("participants", read_participants),
    }
    return {read[name][0]: read[name][1](member) for name, member in body.items()}


def read_participants(roles: Mapping[str, Any]) -> list[RoomParticipant]:
    return [RoomParticipant(identifier_from_raw_id(raw_id), **role) for raw_id, role in roles.items() if role]


def first_page(client: RoomsClient) -> dict[str, object]:
    pages: Any = client.list_rooms().by_page()
    page: dict[str, object] = {"value": list(next(pages))}
    return page | ({"nextLink": pages.continuation_token} if pages.continuation_token else {})


def check_result(result: Any, exchange: Json) -> None:
    recorded = exchange["response_body"]
    if not recorded:
        assert result is None
    elif "createdAt" in recorded:
        check_room(result, recorded)
    elif "participants" in exchange["path"]:
        assert [(participant.communication_identifier.raw_id, participant.role) for participant in result] == [
            (participant["rawId"], participant["role"]) for participant in recorded["value"]
        ]
    else:
        assert result.get("nextLink") == recorded.get("nextLink")
        for room, recorded_room in zip(result["value"], recorded["value"], strict=True):
            check_room(room, recorded_room)


def check_room(room: CommunicationRoom, recorded: Mapping[str, Any]) -> None:
    assert room.id == recorded["id"]
    assert room.created_at == read_time(recorded["createdAt"])
    assert room.valid_from == read_time(recorded["validFrom"])
    assert room.valid_until == read_time(recorded["validUntil"])
    assert room.pstn_dial_out_enabled is recorded.get("pstnDialOutEnabled")
    assert room.as_dict() == recorded


def check_error(error: Any, exchange: Json) -> None:
    recorded = exchange["response_body"]["error"]
    assert error.status_code == exchange["status"]
    assert isinstance(error, ResourceNotFoundError) is (exchange["status"] == 404)
    assert (error.error.code, error.error.message) == (recorded["code"], recorded["message"])
    assert recorded["message"] in str(error)
    details = [(detail.code, detail.message, detail.target) for detail in error.error.details]
    assert details == [(detail["code"], detail["message"], detail["target"]) for detail in recorded.get("details", ())]
