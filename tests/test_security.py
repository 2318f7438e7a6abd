"""Credentials are sent only to the endpoint, and never appear in logs, messages or spans."""

import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError, ServiceRequestError
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
from .support.wire_server import response, wire_server

KEY = "c2VjcmV0LWFjY2Vzcy1rZXk="
TOKEN = "secret-bearer-token"
PASSWORD = "secret-proxy-password"
SECRETS = re.compile(r"c2VjcmV0|secret-access-key|secret-bearer|secret-proxy|Signature=|Bearer [^R]")


def text_of(error: BaseException) -> str:
    """Return what a program shows or logs of an exception."""
    return "".join((*traceback.format_exception(error), str(error), repr(error)))


def test_redirect_elsewhere_is_not_signed() -> None:
    with wire_server(response(b'{"value":[]}')) as other:
        location = f"Location: {other.endpoint.replace('127.0.0.1', 'localhost')}/rooms\r\n"
        with wire_server(response(b"", "307", location)) as server:
            list(RoomsClient(server.endpoint, KEY).list_rooms())
    assert "Authorization" in server.requests[0].headers
    assert "Authorization" not in other.requests[0].headers


def test_redirect_on_the_same_host_is_signed() -> None:
    with wire_server(response(b"", "307", "Location: /elsewhere\r\n"), response(b"{}")) as server:
        RoomsClient(server.endpoint, KEY).remove_participants("99", [])
    request = server.requests[1]
    sent = request.headers["x-ms-date"], request.headers["Host"], b'{"participants": {}}'
    expected = signature_headers("PATCH", "/elsewhere", *sent, access_key=KEY)
    assert (request.method, request.target) == ("PATCH", "/elsewhere")
    assert request.headers["Authorization"] == expected["Authorization"]


def test_bearer_token_never_leaves_tls() -> None:
    def without_tls(request: PipelineRequest[HttpRequest]) -> None:
        request.http_request.url = request.http_request.url.replace("https:", "http:")

    with wire_server() as server:
        client = RoomsClient(server.endpoint.replace("http:", "https:"), Token(TOKEN), raw_request_hook=without_tls)
        with pytest.raises(ServiceRequestError, match="not permitted for non-TLS"):
            client.create_room(retry_total=0)
    assert server.requests == []


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN}\r\nX: y"])
def test_token_that_is_no_header_is_not_shown(
    token: str, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with wire_server(certificates=certificates) as server:
        options: Any = {"logging_enable": True, "connection_verify": certificates.authority}
        with pytest.raises(ValueError, match="a header .*is invalid") as caught:
            RoomsClient(server.endpoint, Token(token), **options).create_room()
    assert server.requests == []
    assert TOKEN not in text_of(caught.value) + caplog.text


@pytest.mark.parametrize("endpoint", ["http://contoso", "https://contoso"])
@pytest.mark.parametrize(
    "proxy",
    [
        f"http://user:{PASSWORD}@127.0.0.1:1",
        f"http://user:{PASSWORD}@127.0.0.1:port",
        f"http://user:{PASSWORD}@[x",
        f"http://user:{PASSWORD}\udc80@127.0.0.1:1",
    ],
)
def test_proxy_password_is_not_shown(proxy: str, endpoint: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = RoomsClient(endpoint, KEY, retry_total=0, logging_enable=True)
    with pytest.raises((AzureError, ValueError)) as caught:
        client.create_room(proxies={"http": proxy, "https": proxy})
    assert PASSWORD not in text_of(caught.value) + caplog.text


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    trace.set_tracer_provider(provider := TracerProvider())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    settings.tracing_enabled = True
    yield exporter
    settings.tracing_enabled.unset_value()
    exporter.clear()


def test_no_secret_is_shown(caplog: pytest.LogCaptureFixture, spans: InMemorySpanExporter) -> None:
    caplog.set_level(logging.DEBUG)
    failures: list[dict[str, Any]] = [{"drop": "after"}, {"status": 503}, {"status": 401}, {"body": b"<html>"}]
    texts: list[str] = []
    with RoomsEmulator(access_key=KEY, bearer_token=TOKEN, tls=True) as emulator:
        for credential in (AzureKeyCredential(KEY), Token(TOKEN)):
            options: Any = {"logging_enable": True, "connection_verify": emulator.ca_file, "retry_total": 0}
            client = RoomsClient(emulator.endpoint, credential, **options)
            texts.append(repr(client))
            for operation in OPERATIONS.values():
                room_id = client.create_room().id
                for failure in failures:
                    emulator.inject(**failure)
                    with pytest.raises(AzureError) as caught:
                        operation.call(client, room_id)
                    texts.append(text_of(caught.value))
    exported = spans.get_finished_spans()
    texts += [span.to_json() for span in exported]
    everything = "\n".join([*texts, *(repr(vars(record)) + record.getMessage() for record in caplog.records)])
    assert {"RoomsClient.get_room", "GET"} <= {span.name for span in exported}
    assert SECRETS.findall(everything) == []


def test_spans_of_calls_and_attempts(client: RoomsClient, emulator: RoomsEmulator, spans: InMemorySpanExporter) -> None:
    emulator.inject(status=503)
    client.create_room()
    *attempts, operation = spans.get_finished_spans()
    assert operation.name == "RoomsClient.create_room"
    names = {getattr(span.instrumentation_scope, "name", None) for span in (operation, *attempts)}
    assert names == {"azure-communication-rooms"}
    assert [(attempt.attributes or {})["http.response.status_code"] for attempt in attempts] == [503, 201]
    assert all(attempt.parent == operation.context for attempt in attempts)
    assert len({request.headers["traceparent"] for request in emulator.requests}) == 2
