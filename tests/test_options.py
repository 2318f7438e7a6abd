"""The options of the client and of its calls."""

import ast
import inspect
import itertools
import logging
from typing import Any

import pytest
import requests
from azure.core.rest import HttpRequest

from azure.communication.rooms import ClientOptions, CommonOptions, RequestOptions, RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .support.operations import NO_ROOM, OPERATIONS

NOT_NUMBERS: dict[str, Any] = {
    "headers": {"x-mine": "1"},
    "request_id": "id-1",
    "user_agent": "contoso",
    "connection_cert": None,
    "proxies": {"https": "http://127.0.0.1:1"},
    "raw_request_hook": lambda request: None,
    "raw_response_hook": lambda response: None,
    "logger": logging.getLogger("mine"),
    "tracing_attributes": {"mine": 1},
    "network_span_namer": lambda request: "span",
    "params": {"mine": "1"},
    "retry_on_methods": ["GET"],
    "tracing_options": {"enabled": False},
    "parent_span": None,
}


def test_every_option_is_documented() -> None:
    for options in (CommonOptions, RequestOptions, ClientOptions):
        body: Any = ast.parse(inspect.getsource(options)).body
        for option, text in itertools.pairwise([*body[0].body, None]):
            assert not isinstance(option, ast.AnnAssign) or isinstance(text, ast.Expr), ast.unparse(option)


def test_calls_and_clients_take_every_option(client: RoomsClient, emulator: RoomsEmulator) -> None:
    names = RequestOptions.__annotations__.keys() - {"http_logging_level"}  # needs azure-core 1.40
    per_call: Any = {name: NOT_NUMBERS.get(name, 9) for name in names}
    room = client.create_room(**per_call)
    assert list(client.list_rooms(**per_call)) == list(client.list_rooms(user_agent_overwrite=True)) == [room]
    per_client = {name: value for name, value in per_call.items() if name in CommonOptions.__annotations__}
    with RoomsClient.from_connection_string(emulator.connection_string, **per_client) as other:
        assert other.get_room(room.id) == room


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("read_timout", ": did you mean read_timeout?"),
        ("valid_untill", ": did you mean valid_until?"),
        ("allow_redirects", ": did you mean permit_redirects?"),
        ("partcipants", ": did you mean participants?"),
        *((name, "") for name in ("auth", "json", "data", "cookies", "files", "hooks", "error_map")),
    ],
)
def test_unknown_option_of_a_call(
    client: RoomsClient, emulator: RoomsEmulator, name: str, option: str, hint: str
) -> None:
    with pytest.raises(TypeError) as caught:
        OPERATIONS[name].call(client, NO_ROOM, **{option: None})
    assert str(caught.value) == f"{option} is not an option{hint}"
    assert emulator.requests == []


def test_operations_do_not_stream(client: RoomsClient, emulator: RoomsEmulator) -> None:
    with pytest.raises(TypeError, match="stream"):
        client.create_room(stream=True)  # type: ignore[call-arg]
    assert emulator.requests == []


@pytest.mark.parametrize(
    "options", [{}, {"session": requests.Session()}, {"policies": []}], ids=["", "session", "none"]
)
def test_unknown_option_of_a_call_in_every_kind_of_client(emulator: RoomsEmulator, options: Any) -> None:
    with (
        RoomsClient.from_connection_string(emulator.connection_string, **options) as client,
        pytest.raises(TypeError, match="^auth is not an option$"),
    ):
        client.send_request(HttpRequest("GET", "/rooms"), auth=("me", "mine"))  # type: ignore[call-arg]
    assert emulator.requests == []


def test_argument_of_another_operation_is_not_an_option(client: RoomsClient) -> None:
    with pytest.raises(TypeError, match="^valid_until is not an option$"):
        client.get_room(NO_ROOM, valid_until="2026-12-01")  # type: ignore[call-arg]


@pytest.mark.parametrize(("name", "hint"), [("retry_totl", ": did you mean retry_total?"), ("qqq", "")])
def test_unknown_option_of_a_client(name: str, hint: str) -> None:
    options: Any = {name: 5}
    with pytest.raises(TypeError) as caught:
        RoomsClient("http://contoso", "a2V5", **options)
    assert str(caught.value) == f"{name} is not an option{hint}"


@pytest.mark.parametrize("options", [{"connection_timeout": -1}, {"headers": {"x": "\u2603"}}])
def test_invalid_value(client: RoomsClient, emulator: RoomsEmulator, options: Any) -> None:
    with pytest.raises(ValueError, match="[Tt]imeout|header"):
        client.get_room(NO_ROOM, **options)
    assert emulator.requests == []


@pytest.mark.parametrize("name", ["timeout", "read_timeout", "retry_total", "retry_backoff_factor"])
def test_number_as_text(client: RoomsClient, emulator: RoomsEmulator, name: str) -> None:
    options: Any = {name: "5"}  # as from an environment variable
    with pytest.raises(TypeError, match=f"^{name} must be a number, not str$"):
        RoomsClient("http://contoso", "a2V5", **options)
    with pytest.raises(TypeError, match=f"^{name} must be a number, not str$"):
        client.get_room(NO_ROOM, **options)
    assert emulator.requests == []
