"""Credentials stay where they belong: on the endpoint, and out of every log, message and span."""

import logging
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError
from azure.core.pipeline import PipelineRequest
from azure.core.rest import HttpRequest
from azure.core.settings import settings
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .scripted_server import Answer, scripted_server

KEY = "c2VjcmV0LWFjY2Vzcy1rZXk="
TOKEN = "secret-bearer-token"
SECRETS = re.compile(r"c2VjcmV0|secret-access-key|secret-bearer|Signature=|Bearer [^R]")
EMPTY_PAGE = b'{"value":[]}'


class Token:
    def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:
        return AccessToken(TOKEN, 2**33)


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/rooms?nextLink=a+b/c==&api-version=2025-03-13",
        "http://127.0.0.1:1/rooms?nextLink=a+b/c==&api-version=2025-03-13",
        "//elsewhere.example/rooms?nextLink=a+b/c==&api-version=2025-03-13",
        "/rooms?nextLink=a+b/c==&api-version=2025-03-13",
        "rooms?nextLink=a+b/c==&api-version=2025-03-13",
    ],
)
def test_a_next_link_is_followed_on_the_clients_own_endpoint_with_path_and_query_as_they_came(link: str) -> None:
    with scripted_server(
        Answer(body=f'{{"value":[],"nextLink":"{link}"}}'.encode()), Answer(body=EMPTY_PAGE)
    ) as server:
        assert list(RoomsClient(server.endpoint, AzureKeyCredential(KEY)).list_rooms()) == []
    method, target, headers = server.requests[1]
    assert (method, target) == ("GET", "/rooms?nextLink=a+b/c==&api-version=2025-03-13")
    assert headers["Host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("link", ["@elsewhere.example/rooms?x", ":1@elsewhere.example/rooms?x", ".elsewhere.example"])
def test_no_next_link_can_become_a_part_of_the_host(link: str) -> None:
    with scripted_server(
        Answer(body=f'{{"value":[],"nextLink":"{link}"}}'.encode()), Answer(body=EMPTY_PAGE)
    ) as server:
        assert list(RoomsClient(server.endpoint, AzureKeyCredential(KEY)).list_rooms()) == []
    assert len(server.requests) == 2


@pytest.mark.parametrize("path", ["/rooms", "/prefix/rooms"])
def test_a_next_link_is_followed_below_the_endpoints_path_prefix(path: str) -> None:
    link = f"https://contoso.example{path}?nextLink=a&api-version=2025-03-13"
    with scripted_server(
        Answer(body=f'{{"value":[],"nextLink":"{link}"}}'.encode()), Answer(body=EMPTY_PAGE)
    ) as server:
        list(RoomsClient(f"{server.endpoint}/prefix", AzureKeyCredential(KEY)).list_rooms())
    assert [target for _, target, _ in server.requests] == [
        "/prefix/rooms?api-version=2025-03-13",
        "/prefix/rooms?nextLink=a&api-version=2025-03-13",
    ]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_host_does_not_take_the_authorization_along(status: int) -> None:
    with scripted_server(Answer(body=EMPTY_PAGE)) as other:
        redirect = Answer(status, headers={"Location": f"http://localhost:{other.port}/rooms"})
        with scripted_server(redirect) as server:
            list(RoomsClient(server.endpoint, AzureKeyCredential(KEY)).list_rooms())
    assert "Authorization" in server.requests[0][2]
    assert "Authorization" not in other.requests[0][2]


def test_a_redirect_on_the_same_host_is_signed_anew(emulator: RoomsEmulator) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string)
    room = client.create_room()
    moved = Answer(307, headers={"Location": f"/rooms/{room.id}?api-version=2025-03-13"})
    with scripted_server(moved, Answer(body=b"{}")) as server:
        client = RoomsClient(server.endpoint, AzureKeyCredential(KEY))
        client.remove_participants("99", [])
    (_, _, first), (_, target, second) = server.requests
    assert target == f"/rooms/{room.id}?api-version=2025-03-13"
    assert first["Authorization"] != second["Authorization"]


def without_tls(request: PipelineRequest[HttpRequest]) -> None:
    request.http_request.url = request.http_request.url.replace("https:", "http:")


def test_a_redirect_or_hook_that_leaves_tls_is_not_signed() -> None:
    with scripted_server() as server:
        endpoint = server.endpoint.replace("http:", "https:")
        client = RoomsClient(endpoint, AzureKeyCredential(KEY), raw_request_hook=without_tls)
        with pytest.raises(ClientAuthenticationError, match="leaves TLS is not signed"):
            client.create_room()
    assert server.requests == []


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN}é", f"{TOKEN}\N{SNOWMAN}"])
def test_a_token_that_cannot_be_a_header_is_not_shown(token: str) -> None:
    class Odd:
        def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:
            return AccessToken(token, 2**33)

    with pytest.raises(ClientAuthenticationError, match="characters that cannot be sent") as caught:
        RoomsClient("https://127.0.0.1:1", Odd()).create_room()
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_a_bearer_token_is_not_sent_when_a_redirect_or_hook_leaves_tls() -> None:
    with scripted_server() as server:
        client = RoomsClient(server.endpoint.replace("http:", "https:"), Token(), raw_request_hook=without_tls)
        with pytest.raises(ServiceRequestError, match="not permitted for non-TLS"):
            client.create_room(retry_total=0)
    assert server.requests == []


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    settings.tracing_enabled = True
    try:
        yield exporter
    finally:
        settings.tracing_enabled.unset_value()


def use_everything(client: RoomsClient, emulator: RoomsEmulator) -> list[BaseException]:
    """Every operation, with a retry each, and every kind of failure. Answers the exceptions."""
    caught: list[BaseException] = []

    def call(operation: Callable[[], object], **fault: object) -> None:
        emulator.inject(**(fault or {"status": 503}))  # type: ignore[arg-type]
        try:
            operation()
        except (AzureError, ValueError) as error:
            caught.append(error)

    room = client.create_room()
    call(lambda: client.get_room(room.id))
    call(client.create_room)
    call(lambda: list(client.list_rooms()))
    call(lambda: list(client.list_participants(room.id)))
    call(lambda: client.update_room(room.id))
    call(lambda: client.remove_participants(room.id, []))
    call(lambda: client.get_room(room.id), drop="after", times=9)
    emulator.reset()
    call(lambda: client.get_room(room.id), body=b"<html>")
    call(lambda: client.get_room(room.id), status=401)
    call(lambda: client.get_room(room.id))
    return caught


def test_nothing_that_is_logged_raised_shown_or_traced_carries_a_secret(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    spans: InMemorySpanExporter,
) -> None:
    caplog.set_level(logging.DEBUG)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    shown: list[str] = []
    with RoomsEmulator(access_key=KEY, bearer_token=TOKEN, certfile=str(tmp_path / "server.pem")) as emulator:
        for credential in (AzureKeyCredential(KEY), Token()):
            client = RoomsClient(
                emulator.endpoint,
                credential,
                logging_enable=True,
                connection_verify=str(tmp_path / "authority.pem"),
                retry_backoff_factor=0,
            )
            errors = use_everything(client, emulator)
            assert len(errors) == 4
            shown += [repr(client), *(repr(vars(client._operations)) for _ in errors)]
            shown += ["".join(traceback.format_exception(error)) for error in errors]
            shown += [repr(error) + repr(vars(error)) for error in errors]
            client.close()
        shown += [repr(emulator), repr(emulator.requests)]
    exported = spans.get_finished_spans()
    shown += [span.to_json() for span in exported]
    shown += [repr(vars(record)) + record.getMessage() for record in caplog.records]
    shown += capfd.readouterr()
    everything = "\n".join(shown)
    assert "'Authorization': 'REDACTED'" in everything
    assert {"RoomsClient.get_room", "GET"} <= {span.name for span in exported}
    assert "Request headers" in everything
    assert SECRETS.findall(everything) == []


def test_an_operation_is_a_span_with_one_below_it_for_each_attempt(
    client: RoomsClient, emulator: RoomsEmulator, spans: InMemorySpanExporter
) -> None:
    emulator.inject(status=503)
    client.create_room()
    *attempts, operation = spans.get_finished_spans()
    assert operation.name == "RoomsClient.create_room"
    assert operation.instrumentation_scope is not None
    assert operation.instrumentation_scope.name == "azure-communication-rooms"
    assert [attempt.name for attempt in attempts] == ["POST", "POST"]
    assert [(attempt.attributes or {})["http.response.status_code"] for attempt in attempts] == [503, 201]
    assert all(attempt.parent == operation.context for attempt in attempts)
    assert len({request.headers["traceparent"] for request in emulator.requests}) == 2
