"""Replay the recordings with the network blocked, or make them again with ``--record-mode=rewrite``."""

import base64
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline import PipelineResponse
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.utils import parse_connection_string
from vcr.cassette import Cassette  # type: ignore[import-untyped]

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .scrubbing import REPLACED_ENDPOINT, VCR_CONFIG

RECORDINGS = Path(__file__).parents[1] / "recordings"
ANOTHER_KEY = base64.b64encode(b"not the key of the resource").decode("ascii")
# The version of all recordings, so that a new default does not invalidate them.
API_VERSION = "2025-03-13"
REPLAYED = f"endpoint={REPLACED_ENDPOINT}/;accesskey={ANOTHER_KEY}"
CONNECTION_STRING_VARIABLE = "COMMUNICATION_CONNECTION_STRING_ROOMS"


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, object]:
    return VCR_CONFIG


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    return str(RECORDINGS / request.path.stem.removeprefix("test_"))


@pytest.fixture(autouse=True)
def every_recorded_request_is_sent(vcr: Cassette | None) -> Iterator[None]:
    yield
    if vcr is not None and vcr.write_protected:
        assert vcr.play_count == len(vcr)


@pytest.fixture(scope="module")
def connection_string(record_mode: str) -> Iterator[str]:
    """The resource to record from: the one in the environment, or else an emulator. Replay needs no real resource."""
    if record_mode == "none":
        yield REPLAYED
    elif CONNECTION_STRING_VARIABLE in os.environ:
        yield os.environ[CONNECTION_STRING_VARIABLE]
    else:
        with RoomsEmulator(page_size=3) as emulator:
            yield emulator.connection_string


@pytest.fixture(scope="module")
def created(record_mode: str, connection_string: str) -> Iterator[list[str]]:
    """The IDs of the rooms to delete at the end. The requests of module-scoped fixtures are not recorded."""
    room_ids: list[str] = []
    yield room_ids
    if record_mode != "none":
        with RoomsClient.from_connection_string(connection_string) as client:
            for room_id in room_ids:
                with suppress(ResourceNotFoundError):  # the test may have deleted it
                    client.delete_room(room_id)


@pytest.fixture
def client(connection_string: str, created: list[str]) -> Iterator[RoomsClient]:
    def note(response: PipelineResponse[HttpRequest, HttpResponse]) -> None:
        if response.http_response.status_code == 201:
            created.append(response.http_response.headers["Location"])

    with RoomsClient.from_connection_string(
        connection_string, api_version=API_VERSION, retry_total=0, raw_response_hook=note
    ) as client:
        yield client


@pytest.fixture
def endpoint(connection_string: str) -> str:
    return parse_connection_string(connection_string)["endpoint"]
