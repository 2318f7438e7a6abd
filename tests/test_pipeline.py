"""Options, policies and transports reach the pipeline, and requests are sent exactly as they were signed."""

import platform
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import (
    HeadersPolicy,
    HTTPPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import RoomsClient, __version__
from azure.communication.rooms._api_version import DEFAULT_API_VERSION
from azure.communication.rooms.emulator import RoomsEmulator

MakeClient = Callable[..., RoomsClient]
API_VERSION = f"api-version={DEFAULT_API_VERSION.value}"


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


def test_signature_covers_hook_changes(make_client: MakeClient, emulator: RoomsEmulator) -> None:
    def change(request: PipelineRequest[HttpRequest]) -> None:
        http_request = request.http_request
        http_request.url = http_request.url.replace("127.0.0.1", "LOCALHOST") + "&hooked=%7e é+"
        http_request.headers["Content-Length"] = "30"
        http_request._data = b'{"pstnDialOutEnabled":   true}'

    room = make_client().create_room(raw_request_hook=change)
    assert room.pstn_dial_out_enabled is True
    assert emulator.requests[-1].query == f"{API_VERSION}&hooked=%7E%20%C3%A9+"
    assert emulator.requests[-1].headers["host"].startswith("localhost:")


def test_signature_covers_policy_changes(make_client: MakeClient, emulator: RoomsEmulator) -> None:
    class AddParameterPolicy(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
        def __init__(self, name: str) -> None:
            self.name = name

        def on_request(self, request: PipelineRequest[HttpRequest]) -> None:
            request.http_request.url += f"&{self.name}"

    client = make_client(
        per_call_policies=[AddParameterPolicy("call")], per_retry_policies=[AddParameterPolicy("attempt")]
    )
    emulator.inject(status=503)
    client.create_room()
    assert [request.query for request in emulator.requests] == [
        f"{API_VERSION}&call&attempt",
        f"{API_VERSION}&call&attempt&attempt",
    ]
    assert emulator.requests[-1].status_code == 201


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


@pytest.mark.parametrize(
    "name",
    [
        "user_agent_policy",
        "proxy_policy",
        "redirect_policy",
        "retry_policy",
        "custom_hook_policy",
        "authentication_policy",
        "logging_policy",
        "http_logging_policy",
    ],
)
def test_each_policy_can_be_replaced(make_client: MakeClient, name: str) -> None:
    class CountingPolicy(HTTPPolicy[HttpRequest, HttpResponse]):
        sent = 0

        def send(self, request: PipelineRequest[HttpRequest]) -> Any:
            self.sent += 1
            return self.next.send(request)

    policy = CountingPolicy()
    make_client(**{name: policy}).send_request(HttpRequest("GET", "/"))
    assert policy.sent == 1


def test_transport_of_the_caller(make_client: MakeClient) -> None:
    class CountingTransport(RequestsTransport):  # type: ignore[misc]
        sent = 0

        def send(self, request: Any, **kwargs: Any) -> Any:
            self.sent += 1
            return super().send(request, **kwargs)

    transport = CountingTransport()
    client = make_client(transport=transport)
    client.create_room()
    assert transport.sent == 1
    for room_id in ("..", "a/b c", "%41", "é"):
        with pytest.raises(HttpResponseError, match="Invalid room ID length"):
            client.get_room(room_id)


def test_params(make_client: MakeClient, emulator: RoomsEmulator) -> None:
    make_client().create_room(params={"colour": "blue"})
    assert emulator.requests[-1].query == f"colour=blue&{API_VERSION}"


def test_params_are_not_modified(make_client: MakeClient) -> None:
    client = make_client()
    rooms = [client.create_room() for _ in range(7)]
    params = {"colour": "blue"}
    for _ in range(2):
        assert list(client.list_rooms(params=params)) == rooms[::-1]
    assert params == {"colour": "blue"}


def test_operations_are_traced() -> None:
    assert RoomsClient.create_room.__wrapped__.__qualname__ == "RoomsClient.create_room"  # type: ignore[attr-defined]


def test_params_are_percent_encoded(make_client: MakeClient, emulator: RoomsEmulator) -> None:
    client = make_client()
    client.create_room(params={"a&b": "c&d=e f+é#%"})
    assert emulator.requests[-1].query == f"a%26b=c%26d%3De%20f%2B%C3%A9%23%25&{API_VERSION}"
    client.send_request(HttpRequest("GET", "/rooms#fragment"), params={"api-version": "2024-04-15"})
    assert emulator.requests[-1].query == "api-version=2024-04-15"
