"""Options, policies and transports reach the pipeline, and each attempt is signed as it is sent."""

import contextlib
import platform
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import HeadersPolicy, HTTPPolicy, RetryPolicy, SansIOHTTPPolicy, UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import RoomsClient, __version__
from azure.communication.rooms._authentication import HmacCredentialPolicy
from azure.communication.rooms.emulator import RoomsEmulator

from .support.operations import OPERATIONS

MakeClient = Callable[..., RoomsClient]
API_VERSION = "api-version=2025-03-13"


@pytest.fixture
def make_client(emulator: RoomsEmulator) -> Iterator[MakeClient]:
    """Makes clients of the emulator, and closes them at the end of the test."""
    with ExitStack() as clients:

        def make(**kwargs: Any) -> RoomsClient:
            return clients.enter_context(
                RoomsClient.from_connection_string(emulator.connection_string, retry_backoff_factor=0, **kwargs)
            )

        yield make


def test_user_agent(make_client: MakeClient, emulator: RoomsEmulator) -> None:
    make_client().create_room()
    agent = emulator.requests[-1].headers["user-agent"]
    assert agent.startswith(f"azsdk-python-communication-rooms/{__version__} Python/{platform.python_version()} (")


@pytest.mark.parametrize(
    ("option", "header", "value"),
    [
        ({"user_agent": "my-app"}, "user-agent", "my-app azsdk-python-communication-rooms/"),
        ({"headers": {"x-mine": "1"}}, "x-mine", "1"),
        ({"request_id": "id-1"}, "x-ms-client-request-id", "id-1"),
    ],
)
def test_headers(
    make_client: MakeClient, emulator: RoomsEmulator, option: dict[str, Any], header: str, value: str
) -> None:
    make_client(**option).create_room()
    make_client().create_room(**option)
    per_client, per_call = (request.headers[header] for request in emulator.requests)
    assert per_client.startswith(value)
    assert per_call.startswith(value)


def test_hook_changes_the_request_before_it_is_signed(make_client: MakeClient, emulator: RoomsEmulator) -> None:
    def change(request: PipelineRequest[HttpRequest]) -> None:
        request.http_request.url = request.http_request.url.replace("127.0.0.1", "LOCALHOST") + "&hooked=%7e+"

    make_client().create_room(raw_request_hook=change)
    assert emulator.requests[-1].query == f"{API_VERSION}&hooked=~+"
    assert emulator.requests[-1].headers["host"].startswith("localhost:")


class AddParameterPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    def __init__(self, name: str) -> None:
        self.name = name

    def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
        request.http_request.url += f"&{self.name}"


def test_policies_change_the_request_before_it_is_signed(make_client: MakeClient, emulator: RoomsEmulator) -> None:
    client = make_client(
        per_call_policies=[AddParameterPolicy("call")], per_retry_policies=[AddParameterPolicy("attempt")]
    )
    emulator.inject(status=503)
    client.create_room()
    assert [request.query for request in emulator.requests] == [
        f"{API_VERSION}&call&attempt",
        f"{API_VERSION}&call&attempt&attempt",
    ]


def test_single_policy_without_a_list(make_client: MakeClient, emulator: RoomsEmulator) -> None:
    policy: HeadersPolicy = HeadersPolicy({"x-mine": "1"})
    make_client(per_call_policies=policy).create_room()
    assert emulator.requests[-1].headers["x-mine"] == "1"


def test_policies_replace_the_pipeline(make_client: MakeClient, emulator: RoomsEmulator) -> None:
    with pytest.raises(ClientAuthenticationError, match="Denied"):
        make_client(policies=[UserAgentPolicy("mine")]).create_room()
    assert emulator.requests[-1].headers["user-agent"] == "mine"
    assert "x-ms-date" not in emulator.requests[-1].headers


@pytest.mark.parametrize("name", ["per_call_policies", "per_retry_policies"])
def test_policies_exclude_additional_ones(make_client: MakeClient, name: str) -> None:
    with pytest.raises(ValueError, match="policies replaces the whole pipeline"):
        make_client(policies=[], **{name: [UserAgentPolicy("mine")]})


REPLACEABLE = "user_agent proxy redirect retry custom_hook authentication logging http_logging"


@pytest.mark.parametrize("name", [f"{name}_policy" for name in REPLACEABLE.split()])
def test_each_policy_can_be_replaced(make_client: MakeClient, name: str) -> None:
    class CountingPolicy(HTTPPolicy[HttpRequest, HttpResponse]):
        sent = 0

        def send(self, request: PipelineRequest[HttpRequest]) -> Any:
            self.sent += 1
            return self.next.send(request)

    policy = CountingPolicy()
    make_client(**{name: policy}).send_request(HttpRequest("GET", "/"))
    assert policy.sent == 1


def signing_policy(emulator: RoomsEmulator) -> HmacCredentialPolicy:
    return HmacCredentialPolicy(AzureKeyCredential(emulator.connection_string.partition("accesskey=")[2]))


POLICIES: dict[str, Callable[[RoomsEmulator], dict[str, Any]]] = {
    "none": lambda emulator: {},
    "retry_policy": lambda emulator: {"retry_policy": RetryPolicy[HttpRequest, HttpResponse]()},
    "retry_policy without options": lambda emulator: {"retry_policy": SansIOHTTPPolicy[HttpRequest, HttpResponse]()},
    "policies": lambda emulator: {"policies": [signing_policy(emulator)]},
    "both": lambda emulator: {"policies": [RetryPolicy(), signing_policy(emulator)], "retry_policy": RetryPolicy()},
}
TRANSPORTS: dict[str, Callable[[], dict[str, Any]]] = {
    "shared": dict,
    "own": lambda: {"transport": RequestsTransport()},
    "session": lambda: {"session": requests.Session()},
}


@pytest.mark.parametrize("with_block", [True, False])
@pytest.mark.parametrize("transport", TRANSPORTS.values(), ids=TRANSPORTS)
@pytest.mark.parametrize("policies", POLICIES.values(), ids=POLICIES)
def test_operations_work_with_policies_and_transports_of_the_caller(
    emulator: RoomsEmulator, policies: Any, transport: Any, with_block: bool
) -> None:
    for operation in OPERATIONS.values():
        client = RoomsClient.from_connection_string(emulator.connection_string, **policies(emulator), **transport())
        with client if with_block else contextlib.nullcontext():
            operation.call(client, client.create_room().id)
        client.close()


@pytest.mark.parametrize("tracing", [True, False])
@pytest.mark.parametrize("policies", ["none", "policies"])
def test_what_reaches_a_transport_of_the_caller(emulator: RoomsEmulator, policies: str, tracing: bool) -> None:
    class RecordingTransport(RequestsTransport):  # type: ignore[misc]
        def send(self, request: Any, **kwargs: Any) -> Any:
            received.update(kwargs)
            return super().send(request, **kwargs)

    received: dict[str, Any] = {}
    client = RoomsClient.from_connection_string(
        emulator.connection_string, transport=RecordingTransport(), **POLICIES[policies](emulator)
    )
    options: Any = {"tracing_attributes": {"a": "b"}, "network_span_namer": str, "user_agent_overwrite": True}
    room = client.create_room(**options, merge_span=True, tracing_options={"enabled": tracing}, read_timeout=5)
    assert list(client.list_rooms(**options, connection_timeout=5)) == [room]
    assert received.keys() - {"connection_timeout"} == {"stream", "read_timeout"}
    client.close()


def test_params(make_client: MakeClient, emulator: RoomsEmulator) -> None:
    client = make_client()
    for _ in range(4):  # two pages
        client.create_room(params={"a&b": "c&d=e f+é#%"})
    assert emulator.requests[-1].query == f"{API_VERSION}&a%26b=c%26d%3De+f%2B%C3%A9%23%25"
    params = {"colour": "blue"}
    assert len(list(client.list_rooms(params=params))) == 4
    assert ["colour=blue" in request.query for request in emulator.requests[-2:]] == [True, False]  # links stay as sent
    client.send_request(HttpRequest("GET", "/rooms#fragment"), params={"api-version": "2024-04-15"})
    assert emulator.requests[-1].query == "api-version=2024-04-15"
