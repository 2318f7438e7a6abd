"""The options of the client and of its calls."""

import ast
import inspect
import itertools
import logging
from typing import Any

import pytest
from azure.core.pipeline.policies import (
    CustomHookPolicy,
    HttpLoggingPolicy,
    NetworkTraceLoggingPolicy,
    ProxyPolicy,
    RedirectPolicy,
    RetryMode,
    RetryPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import ClientOptions, RequestOptions, RoomsClient
from azure.communication.rooms._options import check_options
from azure.communication.rooms.emulator import RoomsEmulator

from .support.operations import NO_ROOM, OPERATIONS, Call

BOTH: dict[str, object] = {
    "headers": {"x-mine": "1"},
    "request_id": "an-id",
    "user_agent": "contoso",
    "user_agent_overwrite": True,
    "connection_timeout": 5,
    "read_timeout": 5.5,
    "connection_verify": False,
    "connection_cert": "client.pem",
    "connection_data_block_size": 1024,
    "proxies": {"https": "http://127.0.0.1:1"},
    "permit_redirects": False,
    "redirect_max": 3,
    "retry_total": 3,
    "retry_connect": 2,
    "retry_read": 2,
    "retry_status": 2,
    "retry_backoff_factor": 0.1,
    "retry_backoff_max": 10,
    "timeout": 60,
    "raw_request_hook": lambda request: None,
    "raw_response_hook": lambda response: None,
    "logging_enable": True,
    "logger": logging.getLogger("mine"),
    "tracing_attributes": {"mine": 1},
    "network_span_namer": lambda request: "span",
}
PER_CALL: dict[str, object] = {
    **BOTH,
    "params": {"mine": "1"},
    "retry_on_methods": {"GET"},
    "tracing_options": {"enabled": False, "attributes": {"mine": 1}},
    "merge_span": True,
    "parent_span": None,
}
PER_CLIENT: dict[str, object] = {
    **BOTH,
    "credential_scopes": ["https://communication.azure.us/.default"],
    "use_env_settings": False,
    "auto_request_id": False,
    "request_id_header_name": "x-request-id",
    "user_agent_use_env": False,
    "sdk_moniker": "mine/1",
    "redirect_remove_headers": ["x-mine"],
    "redirect_on_status_codes": [399],
    "blocked_redirect_headers": ["x-mine"],
    "disable_redirect_cleanup": True,
    "retry_mode": RetryMode.Fixed,
    "retry_on_status_codes": [418],
    "additional_allowed_query_params": ["mine"],
    "per_call_policies": SansIOHTTPPolicy[HttpRequest, HttpResponse](),
    "per_retry_policies": [SansIOHTTPPolicy[HttpRequest, HttpResponse]()],
    "user_agent_policy": UserAgentPolicy("mine"),
    "proxy_policy": ProxyPolicy(),
    "redirect_policy": RedirectPolicy(),
    "retry_policy": RetryPolicy(),
    "custom_hook_policy": CustomHookPolicy(),
    "authentication_policy": SansIOHTTPPolicy[HttpRequest, HttpResponse](),
    "logging_policy": NetworkTraceLoggingPolicy(),
    "http_logging_policy": HttpLoggingPolicy(),
}
READ_ROOMS = HttpRequest("GET", "/rooms?api-version=2025-03-13")


def test_every_option_is_tested() -> None:
    assert PER_CALL.keys() == RequestOptions.__annotations__.keys()
    assert PER_CLIENT.keys() == ClientOptions.__annotations__.keys()


def test_every_option_is_documented() -> None:
    tree = ast.parse(inspect.getsource(inspect.getmodule(check_options) or ast))
    bodies = [node.body for node in tree.body if isinstance(node, ast.ClassDef)]
    documented = {
        ast.unparse(option.target)
        for body in bodies
        for option, text in itertools.pairwise(body)
        if isinstance(option, ast.AnnAssign) and isinstance(text, ast.Expr)
    }
    assert documented == PER_CALL.keys() | PER_CLIENT.keys()


@pytest.mark.parametrize("name", PER_CALL)
def test_call_takes_option(client: RoomsClient, name: str) -> None:
    options: Any = {name: PER_CALL[name]}
    room = client.create_room(**options)
    assert list(client.list_rooms(**options)) == [room]
    assert client.send_request(READ_ROOMS, **options).status_code == 200


@pytest.mark.parametrize("name", PER_CLIENT)
def test_client_takes_option(emulator: RoomsEmulator, name: str) -> None:
    options: Any = {name: PER_CLIENT[name]}
    with RoomsClient.from_connection_string(emulator.connection_string, **options) as client:
        response = client.send_request(READ_ROOMS)
    assert response.status_code == (401 if name == "authentication_policy" else 200)


def send_request(client: RoomsClient, room_id: str, **options: Any) -> object:
    return client.send_request(READ_ROOMS, **options)


CALLS: dict[str, Call] = {name: operation.call for name, operation in OPERATIONS.items()}
CALLS["send_request"] = send_request


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_call_names_closest_option(client: RoomsClient, emulator: RoomsEmulator, call: Call) -> None:
    with pytest.raises(TypeError, match=r"^read_timout is not an option: did you mean read_timeout\?$"):
        call(client, NO_ROOM, read_timout=5)
    assert emulator.requests == []


def test_client_names_closest_option(emulator: RoomsEmulator) -> None:
    with pytest.raises(TypeError, match=r"^retry_totl is not an option: did you mean retry_total\?$"):
        RoomsClient.from_connection_string(emulator.connection_string, retry_totl=5)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^api_versoin is not an option: did you mean api_version\?$"):
        RoomsClient(emulator.endpoint, "a2V5", api_versoin="2025-03-13")  # type: ignore[call-arg]


def test_closest_may_be_a_parameter(client: RoomsClient) -> None:
    with pytest.raises(TypeError, match=r"^validfrom is not an option: did you mean valid_from\?$"):
        client.create_room(validfrom="2026-12-01T09:00:00Z")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^valid_untill is not an option: did you mean valid_until\?$"):
        client.update_room(NO_ROOM, valid_untill="2026-12-01T09:00:00Z")  # type: ignore[call-arg]


def test_nothing_is_close(client: RoomsClient) -> None:
    with pytest.raises(TypeError, match="^qqq is not an option$"):
        client.get_room(NO_ROOM, qqq=1)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("cls", "raw_response_hook receives"), ("error_map", "catch the exceptions"), ("content_type", "sends JSON")],
)
def test_released_option_says_what_to_do(client: RoomsClient, name: str, hint: str) -> None:
    options: Any = {name: None}
    with pytest.raises(TypeError, match=f"^{name} is not an option: .*{hint}"):
        client.get_room(NO_ROOM, **options)


def test_client_option_is_not_for_a_call(client: RoomsClient) -> None:
    with pytest.raises(TypeError, match="use_env_settings is not an option"):
        client.get_room(NO_ROOM, use_env_settings=False)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"headers": [("a", "b")]}, "headers must be a mapping with str keys, not list"),
        ({"headers": {1: "b"}}, "headers must be a mapping with str keys, not dict"),
        ({"params": "a=b"}, "params must be a mapping with str keys, not str"),
        ({"proxies": "http://proxy"}, "proxies must be a mapping with str keys, not str"),
        ({"proxies": {"http": b"http://proxy"}}, "proxies must be a mapping of str, not dict"),
        ({"timeout": "5"}, "timeout must be a number, not str"),
        ({"timeout": None}, "timeout must be a number, not NoneType"),
        ({"timeout": 0}, "timeout must be more than 0, not 0"),
        ({"raw_request_hook": "hook"}, "raw_request_hook must be callable, not str"),
        ({"raw_response_hook": 5}, "raw_response_hook must be callable, not int"),
        ({"network_span_namer": "name"}, "network_span_namer must be callable, not str"),
        ({"connection_timeout": (1, 2)}, "connection_timeout must be a number, not tuple"),
        ({"read_timeout": "5"}, "read_timeout must be a number, not str"),
        ({"connection_data_block_size": "5"}, "connection_data_block_size must be an int, not str"),
        ({"connection_data_block_size": 0}, "connection_data_block_size must be at least 1, not 0"),
        ({"retry_total": None}, "retry_total must be a number, not NoneType"),
        ({"retry_backoff_factor": -1}, "retry_backoff_factor must be at least 0, not -1"),
        ({"retry_backoff_max": float("nan")}, "retry_backoff_max must be at least 0, not nan"),
        ({"retry_on_methods": "GET"}, "retry_on_methods must be a collection of str"),
        ({"retry_on_methods": [1]}, "retry_on_methods must be a collection of str"),
    ],
)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_invalid_value(
    client: RoomsClient, emulator: RoomsEmulator, call: Call, options: dict[str, object], message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call(client, NO_ROOM, **options)
    assert emulator.requests == []


@pytest.mark.parametrize("mode", ["linear", "Fixed", None])
def test_invalid_retry_mode(mode: Any) -> None:
    with pytest.raises(ValueError, match="retry_mode must be 'exponential' or 'fixed', not"):
        RoomsClient("https://contoso.example", "a2V5", retry_mode=mode)


@pytest.mark.parametrize("value", [10**400, float("inf")])
def test_very_long_times(client: RoomsClient, emulator: RoomsEmulator, sleeps: list[float], value: float) -> None:
    emulator.inject(status=503)
    client.create_room(timeout=value, retry_backoff_max=value, retry_backoff_factor=1)
    assert len(sleeps) == 1
