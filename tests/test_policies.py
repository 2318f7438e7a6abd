"""Waits between attempts, timeouts, request IDs, hooks, logs, and requests that HTTP cannot send."""

import logging
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .support.scripted_server import Response, scripted_server

NO_OPTIONS: Any = {}
LIST_ROOMS = "/rooms?api-version=2025-03-13"
LOGGER = "azure.core.pipeline.policies._universal"  # azure-core's network trace
FAR_FUTURE = "Fri, 31 Dec 9999 23:59:59 GMT"


class Clock:
    """A clock that moves only while the client waits between attempts."""

    def __init__(self, waits: list[float]) -> None:
        self._waits = waits

    def now(self) -> float:
        return 1000.0 + sum(self._waits)


@pytest.fixture
def clock(sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    now = Clock(sleeps).now
    monkeypatch.setattr("azure.communication.rooms._policies.time", SimpleNamespace(monotonic=now))
    monkeypatch.setattr("azure.core.pipeline.policies._retry.time", SimpleNamespace(time=now))


def new_client(emulator: RoomsEmulator, **options: Any) -> RoomsClient:
    return RoomsClient.from_connection_string(emulator.connection_string, **options)


class TestWaits:
    def test_first_wait_and_jitter(self, emulator: RoomsEmulator, sleeps: list[float]) -> None:
        with new_client(emulator) as client:
            for _ in range(20):
                emulator.inject(status=429, times=3)
                client.create_room()
        for retry, (shortest, longest) in enumerate([(0.4, 0.8), (0.8, 1.6), (1.6, 3.2)]):
            waits = sleeps[retry::3]
            assert all(shortest <= wait <= longest for wait in waits)
            assert len(set(waits)) == 20

    def test_fixed_mode(self, emulator: RoomsEmulator, sleeps: list[float]) -> None:
        emulator.inject(drop="before", times=3)
        with new_client(emulator, retry_mode="fixed") as client:
            client.create_room()
        assert all(0.4 <= wait <= 0.8 for wait in sleeps)
        assert len(sleeps) == 3

    def test_retry_after_is_the_shortest_wait(self, emulator: RoomsEmulator, sleeps: list[float]) -> None:
        with new_client(emulator) as client:
            for _ in range(20):
                emulator.inject(status=429, retry_after=8)
                client.create_room()
        assert all(8 <= wait <= 10 for wait in sleeps)
        assert len(set(sleeps)) == 20

    @pytest.mark.parametrize("retry_after", ["soon", "inf", "nan", "-1", "1e400", "9" * 400, ""])
    def test_unusable_retry_after(self, emulator: RoomsEmulator, sleeps: list[float], retry_after: str) -> None:
        emulator.inject(status=429, retry_after=retry_after)
        with new_client(emulator) as client:
            client.create_room()
        assert all(0.4 <= wait <= 120 for wait in sleeps)
        assert len(sleeps) == 1

    @pytest.mark.parametrize("retry_after", [3600, "99999999999", "1e300", FAR_FUTURE])
    def test_cap_of_retry_after(self, emulator: RoomsEmulator, sleeps: list[float], retry_after: float | str) -> None:
        emulator.inject(status=429, retry_after=retry_after)
        with new_client(emulator) as client:
            client.create_room()
        assert sleeps == [120]

    @pytest.mark.parametrize("retry_after", [None, 3600])
    @pytest.mark.parametrize("per_call", [True, False])
    def test_retry_backoff_max(
        self, emulator: RoomsEmulator, sleeps: list[float], retry_after: int | None, per_call: bool
    ) -> None:
        options: Any = {"retry_backoff_max": 5, "retry_backoff_factor": 100}
        emulator.inject(status=503, retry_after=retry_after, times=3)
        with new_client(emulator, **(NO_OPTIONS if per_call else options)) as client:
            client.create_room(**(options if per_call else NO_OPTIONS))
        assert len(sleeps) == 3
        assert all(2.5 <= wait <= 5 for wait in sleeps) if retry_after is None else sleeps == [5, 5, 5]

    def test_two_thousand_retries(self) -> None:
        class Unreachable(HttpTransport[HttpRequest, HttpResponse]):
            def __init__(self) -> None:
                self.waits: list[float] = []

            def sleep(self, duration: float) -> None:
                self.waits.append(duration)

            def send(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
                raise ServiceRequestError("unreachable")

            def open(self) -> None: ...
            def close(self) -> None: ...
            def __exit__(self, *args: object) -> None: ...

        transport = Unreachable()
        options: Any = {"retry_total": 2000, "retry_connect": 2000, "retry_backoff_max": 100}
        with (
            RoomsClient("http://contoso", "a2V5", transport=transport, **options) as client,
            pytest.raises(ServiceRequestError, match="unreachable"),
        ):
            client.create_room()
        assert len(transport.waits) == 2000
        assert all(50 <= wait <= 100 for wait in transport.waits[10:])


@pytest.mark.usefixtures("clock")
class TestTimeout:
    @pytest.mark.parametrize("retry_after", [6, 99999999999, formatdate(2**31, usegmt=True)])
    def test_retry_after_exceeds_it(
        self, emulator: RoomsEmulator, sleeps: list[float], retry_after: float | str
    ) -> None:
        emulator.inject(status=429, retry_after=retry_after)
        with new_client(emulator) as client, pytest.raises(HttpResponseError) as caught:
            client.create_room(timeout=2)
        assert caught.value.status_code == 429
        assert caught.value.error is not None
        assert caught.value.error.code == "TooManyRequests"
        assert sleeps == []
        assert len(emulator.requests) == 1

    def test_backoff_exceeds_it(self, emulator: RoomsEmulator, sleeps: list[float]) -> None:
        emulator.inject(status=503)
        with new_client(emulator, timeout=0.3) as client, pytest.raises(HttpResponseError) as caught:
            client.create_room()
        assert caught.value.status_code == 503
        assert sleeps == []

    def test_broken_connection(self, emulator: RoomsEmulator, sleeps: list[float]) -> None:
        emulator.inject(drop="after")
        with new_client(emulator) as client, pytest.raises(ServiceResponseError) as caught:
            client.create_room(timeout=0.3)
        assert type(caught.value) is ServiceResponseError
        assert sleeps == []

    def test_covers_all_attempts(self, emulator: RoomsEmulator, sleeps: list[float]) -> None:
        emulator.inject(status=503, times=9)
        with new_client(emulator) as client, pytest.raises(HttpResponseError) as caught:
            client.create_room(timeout=4, retry_status=9, retry_backoff_factor=1)
        assert caught.value.status_code == 503
        assert len(sleeps) in (2, 3)
        assert sum(sleeps) < 4

    def test_wait_fits(self, emulator: RoomsEmulator, sleeps: list[float]) -> None:
        emulator.inject(status=429, retry_after=6)
        with new_client(emulator) as client:
            client.create_room(timeout=8)
        assert len(sleeps) == 1

    def test_before_and_after_a_redirect(self, sleeps: list[float]) -> None:
        moved = Response(307, headers={"Location": "/elsewhere"})
        with (
            scripted_server(Response(503), moved, Response(503)) as server,
            RoomsClient(server.endpoint, "a2V5") as client,
            pytest.raises(HttpResponseError) as caught,
        ):
            client.get_room("99", timeout=1, retry_backoff_factor=1)
        assert caught.value.status_code == 503
        assert len(sleeps) == 1


class TestRequestId:
    def test_same_for_each_attempt(self, client: RoomsClient, emulator: RoomsEmulator) -> None:
        emulator.inject(status=503)
        client.create_room()
        client.create_room()
        ids = [request.headers["x-ms-client-request-id"] for request in emulator.requests]
        assert ids[0] == ids[1] != ids[2]

    def test_chosen_by_the_caller(self, emulator: RoomsEmulator) -> None:
        request = HttpRequest("GET", LIST_ROOMS, headers={"x-ms-client-request-id": "id-1"})
        with new_client(emulator) as client:
            client.send_request(request)
        with new_client(emulator, auto_request_id=False) as client:
            client.create_room()
        with new_client(emulator, request_id=None) as client:
            client.create_room()
        assert [r.headers.get("x-ms-client-request-id") for r in emulator.requests] == ["id-1", None, None]


def hooks(seen: list[object]) -> dict[str, Any]:
    return {
        "raw_request_hook": lambda request: seen.append(request.http_request.method),
        "raw_response_hook": lambda response: seen.append(response.http_response.status_code),
    }


class TestEveryAttempt:
    @pytest.mark.parametrize("per_call", [True, False])
    def test_calls_the_hooks(self, emulator: RoomsEmulator, per_call: bool) -> None:
        seen: list[object] = []
        options = hooks(seen)
        emulator.inject(status=500, times=2)
        with new_client(emulator, retry_backoff_factor=0, **(NO_OPTIONS if per_call else options)) as client:
            client.create_room(**(options if per_call else NO_OPTIONS))
            assert seen == ["POST", 500, "POST", 500, "POST", 201]

    @pytest.mark.parametrize("per_call", [True, False])
    def test_is_logged(self, emulator: RoomsEmulator, caplog: pytest.LogCaptureFixture, per_call: bool) -> None:
        caplog.set_level(logging.DEBUG, LOGGER)
        options: Any = {"logging_enable": True}
        emulator.inject(status=500, times=2)
        with new_client(emulator, retry_backoff_factor=0, **(NO_OPTIONS if per_call else options)) as client:
            client.create_room(pstn_dial_out_enabled=True, **(options if per_call else NO_OPTIONS))
        assert caplog.text.count('{"pstnDialOutEnabled": true}') == 3
        assert caplog.text.count("Response status: '500'") == 2
        assert caplog.text.count("Response status: '201'") == 1
        assert caplog.text.count("'Authorization': 'REDACTED'") == 3

    def test_has_the_timeouts_of_the_call(self, client: RoomsClient, emulator: RoomsEmulator) -> None:
        emulator.inject(delay=60, times=2)
        with pytest.raises(AzureError):
            client.create_room(read_timeout=0.3, retry_read=1)
        assert len(emulator.requests) == 2


def test_logging_of_a_call_ends_with_it(client: RoomsClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, LOGGER)
    client.create_room(logging_enable=True)
    caplog.clear()
    client.create_room()
    assert [record for record in caplog.records if record.name == LOGGER] == []


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (HttpRequest("GE T", LIST_ROOMS), "the method 'GE T' is not an HTTP token"),
        (HttpRequest("GET\r\nX: y", LIST_ROOMS), "is not an HTTP token"),
        (HttpRequest("", LIST_ROOMS), "the method '' is not an HTTP token"),
        (HttpRequest("GET", LIST_ROOMS, headers={"X y": "secret"}), "the header name 'X y' is not an HTTP token"),
        (HttpRequest("GET", LIST_ROOMS, headers={"X": "secret\r\nY: z"}), "the header 'X' has a value that HTTP"),
        (HttpRequest("GET", LIST_ROOMS, headers={"X": "secret\N{SNOWMAN}"}), "the header 'X' has a value that HTTP"),
        (HttpRequest("GET", LIST_ROOMS, headers={"X": b"secret"}), "the header 'X' has a value that HTTP"),  # type: ignore[dict-item]
    ],
)
def test_request_that_http_cannot_send(
    client: RoomsClient, emulator: RoomsEmulator, request_: HttpRequest, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        client.send_request(request_)
    assert "secret" not in str(caught.value)
    assert emulator.requests == []


def test_hook_that_breaks_a_header(client: RoomsClient, emulator: RoomsEmulator) -> None:
    def break_header(request: PipelineRequest[HttpRequest]) -> None:
        request.http_request.headers["X"] = "secret\n"

    with pytest.raises(ValueError, match="the header 'X' has a value that HTTP cannot send"):
        client.create_room(raw_request_hook=break_header)
    assert emulator.requests == []
