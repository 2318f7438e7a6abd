"""What the policies do for each call and each attempt: request IDs, hooks, logs, and the policies of the caller."""

import logging
from typing import Any

import pytest
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .test_retries import NO_OPTIONS, new_client

BODIES = "azure.core.pipeline.policies._universal"  # azure-core's logger of requests with their bodies


class TenantPolicy(HTTPPolicy[HttpRequest, HttpResponse]):
    """Takes an option of its own from each call, as azure-core's policies do."""

    def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, HttpResponse]:
        request.http_request.headers["x-tenant"] = request.context.options.pop("tenant", "none")
        return self.next.send(request)


@pytest.mark.parametrize("position", ["per_call_policies", "per_retry_policies"])
def test_policy_with_its_own_option(emulator: RoomsEmulator, position: str) -> None:
    emulator.inject(status=503)
    emulator.inject(drop="before")
    policies: Any = {position: TenantPolicy()}
    with new_client(emulator, retry_backoff_factor=0, **policies) as client:
        client.create_room(tenant="contoso")  # type: ignore[call-arg]
        client.create_room()
    assert [request.headers["x-tenant"] for request in emulator.requests] == ["contoso"] * 3 + ["none"]


def test_request_id_is_the_same_for_each_attempt(client: RoomsClient, emulator: RoomsEmulator) -> None:
    emulator.inject(status=503)
    client.create_room()
    client.create_room()
    ids = [request.headers["x-ms-client-request-id"] for request in emulator.requests]
    assert ids[0] == ids[1] != ids[2]
    assert {request.headers["x-ms-return-client-request-id"] for request in emulator.requests} == {"true"}


def test_request_id_of_the_caller(emulator: RoomsEmulator) -> None:
    with new_client(emulator) as client:
        client.create_room(request_id="id-1")
    with new_client(emulator, request_id=None) as client:
        client.create_room()
    assert [r.headers.get("x-ms-client-request-id") for r in emulator.requests] == ["id-1", None]


@pytest.mark.parametrize("per_call", [True, False])
def test_every_attempt_calls_the_hooks(emulator: RoomsEmulator, per_call: bool) -> None:
    seen: list[object] = []
    options: Any = {
        "raw_request_hook": lambda request: seen.append(request.http_request.method),
        "raw_response_hook": lambda response: seen.append(response.http_response.status_code),
    }
    emulator.inject(status=500, times=2)
    with new_client(emulator, retry_backoff_factor=0, **(NO_OPTIONS if per_call else options)) as client:
        client.create_room(**(options if per_call else NO_OPTIONS))
    assert seen == ["POST", 500, "POST", 500, "POST", 201]


@pytest.mark.parametrize("per_call", [True, False])
def test_every_attempt_is_logged_with_its_body(
    emulator: RoomsEmulator, caplog: pytest.LogCaptureFixture, per_call: bool
) -> None:
    caplog.set_level(logging.DEBUG, BODIES)
    options: Any = {"logging_enable": True}
    emulator.inject(status=500)
    with new_client(emulator, retry_backoff_factor=0, **(NO_OPTIONS if per_call else options)) as client:
        client.create_room(pstn_dial_out_enabled=True, **(options if per_call else NO_OPTIONS))
        assert caplog.text.count('{"pstnDialOutEnabled": true}') == 2
        assert caplog.text.count("'Authorization': 'REDACTED'") == 2
        assert caplog.text.count("Response status: '500'") == 1
        assert caplog.text.count("Response status: '201'") == 1
        caplog.clear()
        client.create_room()
        assert (BODIES in {record.name for record in caplog.records}) != per_call


def test_headers_are_logged_if_they_are_no_secret(client: RoomsClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    client.create_room(headers={"x-mine": "unknown"})
    log = caplog.text.lower()
    for header in ("repeatability-request-id", "repeatability-first-sent", "ms-cv", "repeatability-result"):
        assert f"'{header}': " in log
        assert f"'{header}': 'redacted'" not in log
    for header in ("x-mine", "authorization", "x-ms-content-sha256"):
        assert f"'{header}': 'redacted'" in log
