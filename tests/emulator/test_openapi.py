"""Tests the emulator with an OpenAPI description of the contract, and with requests that no client would send."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from azure.core.rest import HttpRequest, HttpResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .calls import ALICE, ROOMS, VERSION

BEARER_TOKEN = "test-token"
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
UNKNOWN_ROOM = f"/rooms/{'9' * 17}?api-version={VERSION}"


@pytest.fixture(scope="module")
def running_emulator() -> Iterator[RoomsEmulator]:
    with RoomsEmulator(page_size=3, bearer_token=BEARER_TOKEN) as emulator:
        yield emulator


def described() -> schemathesis.BaseSchema:
    """Load the OpenAPI description, with all but one of schemathesis's checks. Each run generates the same requests."""
    config = {
        "auth": {"openapi": {"bearerToken": {"bearer": BEARER_TOKEN}}},
        "generation": {"deterministic": True, "max-examples": 25},
        # A schema cannot express which time ranges are valid, so the emulator may rightly respond with 400.
        "checks": {"positive_data_acceptance": {"enabled": False}},
    }
    path = Path(__file__).with_name("openapi.yaml")
    return schemathesis.openapi.from_path(path, config=schemathesis.Config.from_dict(config))


@described().parametrize()
def test_operations_follow_their_description(case: schemathesis.Case[Any], running_emulator: RoomsEmulator) -> None:
    case.call_and_validate(base_url=running_emulator.endpoint)


def send(
    client: RoomsClient,
    method: str,
    target: str,
    content: bytes | None = None,
    content_type: str = JSON,
    **headers: str,
) -> HttpResponse:
    all_headers = {**headers, **({"Content-Type": content_type} if content is not None else {})}
    return client.send_request(HttpRequest(method, target, headers=all_headers, content=content))


def assert_rejected(response: HttpResponse, status: int) -> None:
    """Assert that the response has this status code and an error in the service's format."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    error = response.json()["error"]
    assert ("x-ms-error-code" in response.headers) is ("details" not in error)
    assert error["code"]
    assert error["message"]


@pytest.mark.parametrize(
    ("method", "target", "content_type", "status"),
    [
        ("POST", ROOMS, "text/plain", 415),
        ("POST", ROOMS, MERGE_PATCH, 415),
        ("PATCH", UNKNOWN_ROOM, JSON, 415),
        ("PATCH", UNKNOWN_ROOM, f"{MERGE_PATCH}; charset=utf-8", 404),
        ("DELETE", ROOMS, JSON, 405),
        ("TRACE", ROOMS, JSON, 405),
        ("POST", "/identities/x?api-version=2023-10-01", JSON, 405),
        ("PATCH", "/identities?api-version=2023-10-01", JSON, 405),
        ("GET", f"/?api-version={VERSION}", JSON, 404),
        ("GET", f"/rooms/?api-version={VERSION}", JSON, 404),
        ("GET", f"/rooms/1/participants/?api-version={VERSION}", JSON, 404),
        ("GET", f"/rooms/%00?api-version={VERSION}", JSON, 400),
        ("GET", f"/rooms/%F0%9F%98%80{'%ff' * 16}?api-version={VERSION}", JSON, 400),
        ("GET", "/rooms?api-version=%ff%00", JSON, 400),
    ],
)
def test_wrong_request(client: RoomsClient, method: str, target: str, content_type: str, status: int) -> None:
    response = send(client, method, target, b"{}", content_type)
    assert response.status_code == status
    if target.startswith("/rooms"):
        assert_rejected(response, status)
        allowed = ["GET", "HEAD", "POST"] if status == 405 else [""]
        assert sorted(response.headers.get("Allow", "").split(", ")) == allowed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from([ALICE, "role", "\ud800"]) | st.text(), children, max_size=3)
    ),
    max_leaves=10,
)
members = ["validFrom", "validUntil", "pstnDialOutEnabled", "participants", "createTokenWithScopes", "expiresInMinutes"]


@settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.dictionaries(st.sampled_from(members), json_values, max_size=3))
def test_any_json_gets_a_response(client: RoomsClient, caplog: pytest.LogCaptureFixture, body: object) -> None:
    room_id = client.create_room().id
    content = json.dumps(body).encode()  # includes NaN
    for method, path, content_type in (
        ("POST", "/rooms", JSON),
        ("PATCH", f"/rooms/{room_id}", MERGE_PATCH),
        ("PATCH", f"/rooms/{room_id}/participants", MERGE_PATCH),
    ):
        response = send(client, method, f"{path}?api-version={VERSION}", content, content_type)
        assert response.status_code in (200, 201, 400)
    assert send(client, "POST", "/identities?api-version=2023-10-01", content).status_code in (201, 400)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
