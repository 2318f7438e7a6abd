"""Replay the recordings with the network blocked, or make them again with ``--record-mode=rewrite``."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
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


@pytest.fixture
def client(connection_string: str) -> Iterator[RoomsClient]:
    with RoomsClient.from_connection_string(connection_string, api_version=API_VERSION, retry_total=0) as client:
        yield client


@pytest.fixture
def endpoint(connection_string: str) -> str:
    return parse_connection_string(connection_string)["endpoint"]
