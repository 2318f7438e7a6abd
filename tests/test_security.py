"""Credentials are sent only to the endpoint, and never appear in logs, messages or spans."""

import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
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

from .support.certificates import Certificates
from .support.credentials import Token, signature_headers
from .support.operations import OPERATIONS
from .support.scripted_server import Response, scripted_server

KEY = "c2VjcmV0LWFjY2Vzcy1rZXk="
TOKEN = "secret-bearer-token"
PASSWORD = "secret-proxy-password"
SECRETS = re.compile(r"c2VjcmV0|secret-access-key|secret-bearer|Signature=|Bearer [^R]")
EMPTY_PAGE = b'{"value":[]}'


@pytest.mark.parametrize("status_code", [301, 302, 307, 308])
def test_redirect_elsewhere_is_not_signed(status_code: int) -> None:
    with scripted_server(Response(body=EMPTY_PAGE)) as other:
        location = f"{other.endpoint.replace('127.0.0.1', 'localhost')}/rooms"
        with (
            scripted_server(Response(status_code, headers={"Location": location})) as server,
            RoomsClient(server.endpoint, AzureKeyCredential(KEY)) as client,
        ):
            list(client.list_rooms())
    assert "Authorization" in server.requests[0][2]
    assert "Authorization" not in other.requests[0][2]


def test_redirect_on_the_same_host_is_signed() -> None:
    moved = Response(307, headers={"Location": "/elsewhere"})
    with (
        scripted_server(moved, Response(body=b"{}")) as server,
        RoomsClient(server.endpoint, AzureKeyCredential(KEY)) as client,
    ):
        client.remove_participants("99", [])
    (_, _, first), (method, target, second) = server.requests
    assert (method, target) == ("PATCH", "/elsewhere")
    expected = signature_headers(
        "PATCH", "/elsewhere", second["x-ms-date"], second["Host"], b'{"participants": {}}', access_key=KEY
    )
    assert second["Authorization"] == expected["Authorization"] != first["Authorization"]


def without_tls(request: PipelineRequest[HttpRequest]) -> None:
    request.http_request.url = request.http_request.url.replace("https:", "http:")


def test_request_without_tls_is_not_signed() -> None:
    with scripted_server() as server:
        endpoint = server.endpoint.replace("http:", "https:")
        with (
            RoomsClient(endpoint, AzureKeyCredential(KEY), raw_request_hook=without_tls) as client,
            pytest.raises(ClientAuthenticationError, match="does not sign an http request"),
        ):
            client.create_room()
    assert server.requests == []


def test_bearer_token_never_leaves_tls() -> None:
    with scripted_server() as server:
        endpoint = server.endpoint.replace("http:", "https:")
        with (
            RoomsClient(endpoint, Token(TOKEN), raw_request_hook=without_tls) as client,
            pytest.raises(ServiceRequestError, match="not permitted for non-TLS"),
        ):
            client.create_room(retry_total=0)
    assert server.requests == []


INVALID_TOKENS = [f"{TOKEN}\n", f"{TOKEN}\r\nX: y", f"{TOKEN}\0", f"{TOKEN}\N{SNOWMAN}"]


@pytest.mark.parametrize("token", INVALID_TOKENS)
def test_invalid_token_is_not_shown(token: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        RoomsClient("https://127.0.0.1:1", Token(token), logging_enable=True) as client,
        pytest.raises(ClientAuthenticationError, match="characters that HTTP cannot send") as caught,
    ):
        client.create_room()
    assert TOKEN not in text_of(caught.value) + caplog.text


@pytest.mark.parametrize("token", INVALID_TOKENS)
def test_invalid_token_after_a_challenge(
    token: str, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    class TwoTokens:
        def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:
            return AccessToken(token if kwargs.get("claims") else "first-token", 2**33)

    caplog.set_level(logging.DEBUG)
    # {"access_token":{"nbf":{"essential":true}}}
    claims = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ=="
    challenge = Response(401, headers={"WWW-Authenticate": f'Bearer error="insufficient_claims", claims="{claims}"'})
    with (
        scripted_server(challenge, certificates=certificates) as server,
        RoomsClient(
            server.endpoint, TwoTokens(), connection_verify=certificates.authority, logging_enable=True
        ) as client,
        pytest.raises(ClientAuthenticationError, match="characters that HTTP cannot send") as caught,
    ):
        client.create_room()
    [(_, _, headers)] = server.requests
    assert headers["Authorization"] == "Bearer first-token"
    assert TOKEN not in text_of(caught.value) + caplog.text


@pytest.mark.parametrize(
    "proxy",
    [
        f"http://user:{PASSWORD}@127.0.0.1:1",
        f"http://user:{PASSWORD}@127.0.0.1:port",
        f"http://user:{PASSWORD}@127.0.0.1:99999",
        f"http://user:{PASSWORD}@[x",
        f"socks5://user:{PASSWORD}@127.0.0.1:1",
        f"user:{PASSWORD}@127.0.0.1:1",
        f"http://user:{PASSWORD}",
        f"//user:{PASSWORD}@127.0.0.1:1",
        f"http://user:{PASSWORD}\udc80@127.0.0.1:1",
    ],
)
@pytest.mark.parametrize("endpoint", ["http://contoso.example", "https://contoso.example"])
def test_proxy_password_is_not_shown(proxy: str, endpoint: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        RoomsClient(endpoint, KEY, retry_total=0, logging_enable=True) as client,
        pytest.raises((AzureError, ValueError)) as caught,
    ):
        client.create_room(proxies={"http": proxy, "https": proxy})
    assert PASSWORD not in text_of(caught.value) + caplog.text


def text_of(error: BaseException) -> str:
    """Return all text that a program could get from an exception and from the exceptions that caused it."""
    texts = traceback.format_exception(error)
    chain: BaseException | None = error
    while chain is not None:
        texts += [str(chain), repr(chain), repr(vars(chain))]
        chain = chain.__cause__ or chain.__context__
    return "".join(texts)


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


def call_everything(client: RoomsClient, emulator: RoomsEmulator) -> list[AzureError]:
    """Call each operation with a retry and with each kind of failure. Return the exceptions."""
    failures: list[dict[str, Any]] = [
        {"drop": "after", "times": 4},
        {"status": 503, "times": 4},
        {"status": 401},
        {"body": b"<html>"},
    ]
    errors: list[AzureError] = []
    for operation in OPERATIONS.values():
        emulator.inject(status=503)
        room_id = client.create_room().id
        for failure in failures:
            emulator.inject(**failure)
            with pytest.raises(AzureError) as caught:
                operation.call(client, room_id)
            errors.append(caught.value)
        operation.call(client, room_id)
    return errors


def test_no_secret_is_shown(
    certificates: Certificates,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    spans: InMemorySpanExporter,
) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    with RoomsEmulator(
        access_key=KEY, bearer_token=TOKEN, certfile=certificates.certfile, keyfile=certificates.keyfile
    ) as emulator:
        for credential in (AzureKeyCredential(KEY), Token(TOKEN)):
            with RoomsClient(
                emulator.endpoint,
                credential,
                logging_enable=True,
                connection_verify=certificates.authority,
                retry_backoff_factor=0,
            ) as client:
                texts += map(text_of, call_everything(client, emulator))
                texts += [repr(client), repr(vars(client._operations))]
        texts += [repr(emulator), repr(emulator.requests)]
    exported = spans.get_finished_spans()
    texts += [span.to_json() for span in exported]
    texts += [repr(vars(record)) + record.getMessage() for record in caplog.records]
    texts += capfd.readouterr()
    everything = "\n".join(texts)
    assert "'Authorization': 'REDACTED'" in everything
    assert {"RoomsClient.get_room", "GET"} <= {span.name for span in exported}
    assert "Request headers" in everything
    assert SECRETS.findall(everything) == []


def test_spans_of_calls_and_attempts(client: RoomsClient, emulator: RoomsEmulator, spans: InMemorySpanExporter) -> None:
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
