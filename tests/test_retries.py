"""The client retries what it can, and no retry duplicates work."""

import json
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline import PipelineRequest
from azure.core.rest import HttpRequest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .support.faults import BROKEN_CONNECTIONS
from .support.operations import NO_ROOM, OPERATIONS
from .support.wire_server import ROOM, Connection, Request, response, wire_server

NO_OPTIONS: Any = {}
CREATE = HttpRequest("POST", "/rooms?api-version=2025-03-13", json={})


def new_client(emulator: RoomsEmulator, **options: Any) -> RoomsClient:
    return RoomsClient.from_connection_string(emulator.connection_string, **options)


def status_codes(emulator: RoomsEmulator) -> list[int | None]:
    return [request.status_code for request in emulator.requests]


MALFORMED = ["garbage", "1, 2", "Mon, 32 Foo 2026 00:00:00 GMT", "Mon, 01 Jan 99999 00:00:00 GMT", "9" * 30 + " Jan 1"]


class TestAttempts:
    @pytest.mark.parametrize("name", OPERATIONS)
    def test_every_operation_is_retried(self, client: RoomsClient, emulator: RoomsEmulator, name: str) -> None:
        room_id = client.create_room().id
        emulator.inject(status=503)
        emulator.inject(drop="after")
        OPERATIONS[name].call(client, room_id)
        assert status_codes(emulator)[1:3] == [503, None]
        assert len(emulator.requests) == 4

    @pytest.mark.parametrize("status_code", [408, 429, 500, 502, 503, 504, 507])
    def test_retried_status_codes(self, client: RoomsClient, emulator: RoomsEmulator, status_code: int) -> None:
        emulator.inject(status=status_code)
        client.create_room()
        assert status_codes(emulator) == [status_code, 201]

    @pytest.mark.parametrize("status_code", [400, 403, 404, 409, 501, 505])
    def test_status_codes_retried_only_with_retry_after(
        self, client: RoomsClient, emulator: RoomsEmulator, status_code: int
    ) -> None:
        emulator.inject(status=status_code, retry_after=0)
        emulator.inject(status=status_code)
        with pytest.raises(HttpResponseError):
            client.create_room()
        assert status_codes(emulator) == [status_code, status_code]

    @pytest.mark.parametrize("fault", BROKEN_CONNECTIONS)
    def test_broken_connection(self, client: RoomsClient, emulator: RoomsEmulator, fault: str) -> None:
        emulator.inject(**BROKEN_CONNECTIONS[fault].arguments)
        room = client.create_room()
        assert len(emulator.requests) == 2
        assert list(client.list_rooms()) == [room]

    def test_read_timeout(self, client: RoomsClient, emulator: RoomsEmulator) -> None:
        timeouts = iter([0.1, 60])

        def set_timeout(request: PipelineRequest[HttpRequest]) -> None:
            request.context.options["read_timeout"] = next(timeouts)

        emulator.inject(delay=60)
        client.create_room(raw_request_hook=set_timeout)
        assert len(emulator.requests) == 2
        emulator.inject(delay=60)
        with pytest.raises(ServiceResponseTimeoutError):
            client.create_room(read_timeout=0.1, retry_total=0)

    def test_refused_connection(self, sleeps: list[float]) -> None:
        with RoomsClient("http://127.0.0.1:1", "a2V5") as client, pytest.raises(ServiceRequestError) as caught:
            client.create_room()
        assert not isinstance(caught.value, ServiceRequestTimeoutError)
        assert len(sleeps) == 3

    @pytest.mark.parametrize(
        ("options", "attempts"),
        [({}, 4), ({"retry_total": 0}, 1), ({"retry_status": 1}, 2), ({"retry_total": 2}, 3), ({"retry_status": 5}, 6)],
    )
    @pytest.mark.parametrize("per_call", [True, False])
    def test_number_of_attempts(
        self, emulator: RoomsEmulator, options: dict[str, Any], attempts: int, per_call: bool
    ) -> None:
        emulator.inject(status=500, times=10)
        for_client, for_call = (NO_OPTIONS, options) if per_call else (options, NO_OPTIONS)
        with new_client(emulator, retry_backoff_factor=0, **for_client) as client, pytest.raises(HttpResponseError):
            client.create_room(**for_call)
        assert len(emulator.requests) == attempts

    def test_every_attempt_sends_the_body_and_the_same_repeatability_id(
        self, client: RoomsClient, emulator: RoomsEmulator
    ) -> None:
        emulator.inject(drop="after")
        emulator.inject(status=503)
        room = client.create_room(pstn_dial_out_enabled=True)
        assert [json.loads(request.body) for request in emulator.requests] == [{"pstnDialOutEnabled": True}] * 3
        for header in ("repeatability-request-id", "repeatability-first-sent"):
            assert len({request.headers[header] for request in emulator.requests}) == 1
        assert list(client.list_rooms()) == [room]

    def test_repeated_delete(self, client: RoomsClient, emulator: RoomsEmulator) -> None:
        room_id = client.create_room().id
        emulator.inject(drop="after")
        client.delete_room(room_id)
        assert status_codes(emulator)[1:] == [None, 204]

    def test_not_found_after_a_retry_means_that_there_was_no_room(
        self, client: RoomsClient, emulator: RoomsEmulator
    ) -> None:
        emulator.inject(status=503)
        with pytest.raises(ResourceNotFoundError):
            client.delete_room(NO_ROOM)


class TestSendRequest:
    """A POST or PATCH of the caller may not be repeatable."""

    @pytest.mark.parametrize(
        "fault", [{"drop": "after"}, {"status": 503}, {"status": 503, "retry_after": 0}, {"status": 429}]
    )
    def test_post_is_not_retried(self, client: RoomsClient, emulator: RoomsEmulator, fault: dict[str, Any]) -> None:
        emulator.inject(**fault)
        if "drop" in fault:
            with pytest.raises(ServiceResponseError):
                client.send_request(CREATE)
        else:
            assert client.send_request(CREATE).status_code == fault["status"]
        assert len(emulator.requests) == 1

    def test_post_is_retried_after_429_with_retry_after(self, client: RoomsClient, emulator: RoomsEmulator) -> None:
        emulator.inject(status=429, retry_after=0)
        assert client.send_request(CREATE).status_code == 201

    @pytest.mark.parametrize("method", ["POST", "PATCH"])
    def test_retry_on_methods(self, client: RoomsClient, emulator: RoomsEmulator, method: str) -> None:
        path = "/rooms" if method == "POST" else f"/rooms/{client.create_room().id}"
        headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
        request = HttpRequest(method, f"{path}?api-version=2025-03-13", headers=headers, json={})
        emulator.inject(drop="before")
        emulator.inject(status=503)
        assert client.send_request(request, retry_on_methods=[method]).status_code in (200, 201)

    def test_get_is_retried(self, client: RoomsClient, emulator: RoomsEmulator) -> None:
        emulator.inject(drop="before")
        assert client.send_request(HttpRequest("get", "/rooms?api-version=2025-03-13")).status_code == 200

    def test_operation_takes_retry_on_methods_too(self, client: RoomsClient, emulator: RoomsEmulator) -> None:
        emulator.inject(drop="before")
        with pytest.raises(ServiceResponseError):
            client.create_room(retry_on_methods=[])


class TestWaits:
    def test_error_responses(self, emulator: RoomsEmulator, sleeps: list[float]) -> None:
        with new_client(emulator) as client:
            for _ in range(20):
                emulator.inject(status=429, times=3)
                client.create_room()
        for retry, (shortest, longest) in enumerate([(0.4, 0.8), (0.8, 1.6), (1.6, 3.2)]):
            waits = sleeps[retry::3]
            assert all(shortest <= wait <= longest for wait in waits)
            assert len(set(waits)) == 20

    def test_failed_connections(self, emulator: RoomsEmulator, sleeps: list[float]) -> None:
        emulator.inject(drop="before", times=3)
        with new_client(emulator) as client:
            client.create_room()
        first, second, third = sleeps
        assert first == 0
        assert 0.8 <= second <= 1.6
        assert 1.6 <= third <= 3.2

    def test_fixed_mode(self, emulator: RoomsEmulator, sleeps: list[float]) -> None:
        emulator.inject(status=503, times=3)
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

    def test_retry_after_as_a_date(self, emulator: RoomsEmulator, sleeps: list[float]) -> None:
        in_a_minute = format_datetime(datetime.now(timezone.utc) + timedelta(minutes=1), usegmt=True)
        emulator.inject(status=503, retry_after=in_a_minute)
        with new_client(emulator) as client:
            client.create_room()
        assert 30 < sleeps[0] <= 75

    def test_longest_wait(self, emulator: RoomsEmulator, sleeps: list[float]) -> None:
        emulator.inject(status=429, retry_after=119)
        emulator.inject(status=503)
        with new_client(emulator) as client:
            client.create_room()
            emulator.inject(status=503)
            client.create_room(retry_backoff_max=5, retry_backoff_factor=100)
        assert 119 <= sleeps[0] <= 120
        assert 2.5 <= sleeps[2] <= 5

    @pytest.mark.parametrize("seconds", ["121", "3600", "1e400"])
    def test_retry_after_beyond_the_longest_wait(
        self, emulator: RoomsEmulator, sleeps: list[float], seconds: str
    ) -> None:
        with wire_server(response(b"", "429", f"Retry-After: {seconds}\r\n")) as server:
            with pytest.raises(HttpResponseError) as caught:
                RoomsClient(server.endpoint, "a2V5").get_room(NO_ROOM)
            assert (caught.value.status_code, len(server.requests), sleeps) == (429, 1, [])
        emulator.inject(status=429, retry_after=3600)
        with new_client(emulator, retry_backoff_max=4500) as client:
            client.create_room()
        assert 3600 <= sleeps[0] <= 4500

    @pytest.mark.parametrize("malformed", MALFORMED)
    def test_malformed_retry_after_counts_as_none(self, sleeps: list[float], malformed: str) -> None:
        headers = f"Retry-After: {malformed}\r\n"
        with wire_server(*(response(b"", status, headers) for status in ("429", "503", "404"))) as server:
            with pytest.raises(ResourceNotFoundError):
                RoomsClient(server.endpoint, "a2V5").get_room(NO_ROOM)
            assert len(server.requests) == 3
        assert 0.4 <= sleeps[0] <= 0.8 <= sleeps[1] <= 1.6

    def test_more_retries_than_a_float_can_count(self, sleeps: list[float]) -> None:
        options: Any = {"retry_total": 10**9, "retry_connect": 1100, "retry_backoff_max": 30}
        with RoomsClient("http://127.0.0.1:1", "a2V5", **options) as client, pytest.raises(ServiceRequestError):
            client.get_room(NO_ROOM)
        assert len(sleeps) == 1100
        assert all(15 <= wait <= 30 for wait in sleeps[10:])

    @pytest.mark.parametrize(
        ("fault", "options"),
        [
            ({"status": 429, "retry_after": 6}, {"timeout": 5}),
            ({"status": 503}, {"timeout": 5, "retry_backoff_factor": 20}),
        ],
    )
    def test_wait_beyond_the_timeout(
        self, emulator: RoomsEmulator, sleeps: list[float], fault: dict[str, Any], options: Any
    ) -> None:
        emulator.inject(**fault)
        with new_client(emulator) as client, pytest.raises(HttpResponseError) as caught:
            client.create_room(**options)
        assert (caught.value.status_code, sleeps) == (fault["status"], [])
        assert len(emulator.requests) == 1
        emulator.inject(**fault)
        with new_client(emulator) as client:
            client.create_room(**options | {"timeout": 60})
        assert len(sleeps) == 1


class TestRedirects:
    """An option of a call applies after a redirect, too."""

    REDIRECT = response(b"", "307", "Location: /rooms/elsewhere\r\n")

    @pytest.mark.parametrize(
        ("options", "attempts"), [({"retry_total": 0}, 1), ({"retry_status": 1}, 2), ({"retry_on_methods": []}, 1)]
    )
    @pytest.mark.parametrize("redirects", [1, 2])
    def test_retries(self, sleeps: list[float], options: dict[str, Any], attempts: int, redirects: int) -> None:
        with wire_server(*[self.REDIRECT] * redirects, *[response(b"", "503")] * attempts) as server:
            with pytest.raises(HttpResponseError):
                RoomsClient(server.endpoint, "a2V5").get_room(NO_ROOM, **options)
            assert len(server.requests) == redirects + attempts

    def test_timeout(self, sleeps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("time.monotonic", lambda: sum(sleeps))
        busy = response(b"", "503", "Retry-After: 3\r\n")
        with wire_server(busy, self.REDIRECT, busy, response(b"", "400")) as server:
            with pytest.raises(HttpResponseError) as caught:
                RoomsClient(server.endpoint, "a2V5").get_room(NO_ROOM, timeout=5)
            assert (caught.value.status_code, len(server.requests), len(sleeps)) == (503, 3, 1)

    @pytest.mark.parametrize("method", ["create_room", "update_room"])
    def test_broken_connection(self, method: str) -> None:
        def break_once(connection: Connection, request: Request) -> None:
            if len(server.requests) == 1:
                connection.send(response(b"", "308 Permanent Redirect", "Location: /elsewhere\r\n"))
            elif len(server.requests) == 2:
                connection.close()
            else:
                connection.send(response(ROOM, "201 Created" if method == "create_room" else "200 OK"))

        with wire_server(forever=break_once) as server:
            OPERATIONS[method].call(RoomsClient(server.endpoint, "a2V5"), NO_ROOM)
        assert [request.target for request in server.requests[1:]] == ["/elsewhere"] * 2
        assert len({request.headers["Repeatability-Request-ID"] for request in server.requests}) == 1
