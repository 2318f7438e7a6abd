"""The emulator, as its users meet it, and where it says more than the client can show."""

import base64
import hashlib
import hmac
import http.client
import json
import socket
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path
from typing import Any, Literal

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceResponseError
from azure.core.rest import HttpRequest

from azure.communication.rooms import RoomParticipant, RoomsClient, UnknownIdentifier
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

NOT_EXECUTED: list[dict[str, Any]] = [{"status": 503}, {"status": 200}, {"body": b"{}"}, {"drop": "before"}]


def new_client(emulator: RoomsEmulator) -> RoomsClient:
    return RoomsClient.from_connection_string(emulator.connection_string, retry_total=0)


def request_of(
    method: str,
    target: str,
    *,
    date: str | None = None,
    key: str = DEVELOPMENT_ACCESS_KEY,
    body: bytes = b"",
    host: str,
) -> dict[str, str]:
    """The headers of a request, signed here in the tests' own words."""
    date = date or formatdate(usegmt=True)
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    message = f"{method}\n{target}\n{date};{host};{digest}".encode()
    signature = base64.b64encode(hmac.digest(base64.b64decode(DEVELOPMENT_ACCESS_KEY), message, "sha256")).decode()
    authorization = f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
    return {"x-ms-date": date, "x-ms-content-sha256": digest, "Authorization": authorization}


def status_of(emulator: RoomsEmulator, headers: dict[str, str], target: str = "/rooms?api-version=2025-03-13") -> int:
    connection = http.client.HTTPConnection(emulator.endpoint.removeprefix("http://"))
    try:
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        json.loads(response.read())
        return response.status
    finally:
        connection.close()


def test_it_is_there_from_start_to_stop_and_can_be_started_again() -> None:
    emulator = RoomsEmulator()
    for _ in range(2):
        emulator.start()
        assert emulator.endpoint.startswith("http://127.0.0.1:")
        assert emulator.connection_string == f"endpoint={emulator.endpoint}/;accesskey={DEVELOPMENT_ACCESS_KEY}"
        client = new_client(emulator)
        assert list(client.list_rooms()) == []
        client.create_room()
        with pytest.raises(RuntimeError, match="started already"):
            emulator.start()
        emulator.stop()
        emulator.stop()
        with pytest.raises(RuntimeError, match="not started"):
            _ = emulator.connection_string


def test_it_answers_with_the_services_headers(client: RoomsClient) -> None:
    response = client.send_request(HttpRequest("POST", "/rooms?api-version=2025-03-13", json={}))
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.headers["Location"] == response.json()["id"]
    assert response.headers["Request-Context"] == "appId="
    assert response.headers["api-supported-versions"] == "2023-06-14, 2024-04-15, 2025-03-13"
    assert all(name in response.headers for name in ("MS-CV", "X-Azure-Ref", "api-deprecated-versions", "Date"))
    assert "Server" not in response.headers


def test_a_room_id_has_16_or_17_digits_and_begins_with_99(client: RoomsClient) -> None:
    room_id = client.create_room().id
    assert room_id.isdigit()
    assert room_id.startswith("99")
    assert len(room_id) in (16, 17)


def test_the_defaults_are_now_180_days_and_no_dial_out(client: RoomsClient) -> None:
    room = client.create_room()
    assert room.valid_from == room.created_at
    assert (room.valid_until - room.valid_from).days == 180
    assert room.pstn_dial_out_enabled is False


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("2100-01-01T00:00:00.1234567Z", "2100-01-01T00:00:00.1234567+00:00"),
        ("2100-01-01T00:00:00.120000Z", "2100-01-01T00:00:00.12+00:00"),
        ("2100-01-01T00:00:00.000Z", "2100-01-01T00:00:00+00:00"),
        ("2100-01-01T02:30:00+02:30", "2100-01-01T00:00:00+00:00"),
        ("2099-12-31T22:00:00-02:00", "2100-01-01T00:00:00+00:00"),
        ("2100-01-01t00:00:00.12345678z", "2100-01-01T00:00:00.1234567+00:00"),
    ],
)
def test_times_are_answered_in_the_services_form(client: RoomsClient, sent: str, answered: str) -> None:
    request = HttpRequest("POST", "/rooms?api-version=2025-03-13", json={"validFrom": sent})
    assert client.send_request(request).json()["validFrom"] == answered


@pytest.mark.parametrize(
    "sent", ["soon", "2100-01-01", "2100-01-01T00:00:00", "2100-02-30T00:00:00Z", "0001-01-01T00:00:00+23:59", 5, {}]
)
def test_what_is_no_time_is_refused(client: RoomsClient, sent: object) -> None:
    response = client.send_request(HttpRequest("POST", "/rooms?api-version=2025-03-13", json={"validFrom": sent}))
    assert response.status_code == 400
    assert response.json()["error"]["details"][0]["target"] == "$.validFrom"


def test_the_api_versions_differ(client: RoomsClient) -> None:
    def post(version: str, body: dict[str, object]) -> tuple[int, dict[str, Any]]:
        response = client.send_request(HttpRequest("POST", f"/rooms?api-version={version}", json=body))
        return response.status_code, response.json()

    collaborator: dict[str, object] = {"participants": {"8:acs:r_u": {"role": "Collaborator"}}}
    assert [post(v, collaborator)[0] for v in ("2023-06-14", "2024-04-15", "2025-03-13")] == [400, 400, 201]
    assert "pstnDialOutEnabled" not in post("2023-06-14", {"pstnDialOutEnabled": "ignored"})[1]
    assert post("2024-04-15", {"pstnDialOutEnabled": True})[1]["pstnDialOutEnabled"] is True


def test_a_room_past_its_end_is_gone(client: RoomsClient, running_emulator: RoomsEmulator) -> None:
    room = client.create_room()
    _, store = running_emulator._started()
    store._connection.execute("UPDATE rooms SET valid_until = 1")
    assert list(client.list_rooms()) == []
    for call in (client.get_room, client.update_room, client.delete_room, lambda i: list(client.list_participants(i))):
        with pytest.raises(ResourceNotFoundError):
            call(room.id)


def test_a_listing_is_stable_while_rooms_come_and_go_between_pages(client: RoomsClient) -> None:
    ids = [client.create_room().id for _ in range(9)][::-1]
    pages = client.list_rooms().by_page()
    seen = [room.id for room in next(pages)]
    for room_id in (ids[0], ids[2], ids[3], ids[8]):
        client.delete_room(room_id)
    client.create_room()  # takes the place of none that was deleted
    for page in pages:
        seen += [room.id for room in page]
    assert seen == [*ids[:3], *ids[4:8]]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6])
def test_only_a_page_that_is_followed_by_another_has_a_link(client: RoomsClient, count: int) -> None:
    for _ in range(count):
        client.create_room()
    pages = [list(page) for page in client.list_rooms().by_page()]
    assert [len(page) for page in pages] == {0: [0], 1: [1], 3: [3], 4: [3, 1], 6: [3, 3]}[count]


def test_a_link_has_the_scheme_host_and_port_that_were_called_and_a_token_with_all_of_base64(
    client: RoomsClient, emulator: RoomsEmulator
) -> None:
    for _ in range(4):
        client.create_room()
    localhost = RoomsClient.from_connection_string(emulator.connection_string.replace("127.0.0.1", "localhost"))
    for each, host in ((client, "127.0.0.1"), (localhost, "localhost")):
        link = each.send_request(HttpRequest("GET", "/rooms?api-version=2024-04-15")).json()["nextLink"]
        port = emulator.endpoint.rpartition(":")[2]
        assert link.startswith(f"http://{host}:{port}/rooms?nextLink=")
        assert link.endswith("&api-version=2024-04-15")
        assert len(link) > 2000
        assert {"+", "/", "="} <= set(link.partition("nextLink=")[2].partition("&")[0])


@pytest.mark.parametrize("token", ["", "x", "%00", "AAAA", "é", "LTE=", "OTk5OTk5OTk5OTk5OTk5OTk5OQ=="])
def test_a_link_that_it_did_not_make_is_refused(client: RoomsClient, token: str) -> None:
    response = client.send_request(HttpRequest("GET", f"/rooms?nextLink={token}&api-version=2025-03-13"))
    assert response.status_code == 400


def test_a_repeatable_create_is_executed_once_and_answered_alike(client: RoomsClient) -> None:
    def post(body: dict[str, object], first_sent: str = "Thu, 27 Jul 2023 16:34:41 GMT") -> tuple[int, object, object]:
        headers = {
            "Repeatability-Request-ID": "4E1F5B8E-7A2D-4B0E-9D3A-1C2B3D4E5F60",
            "Repeatability-First-Sent": first_sent,
        }
        response = client.send_request(HttpRequest("POST", "/rooms?api-version=2025-03-13", headers=headers, json=body))
        assert response.headers["Repeatability-Result"] == "accepted"
        return response.status_code, response.json(), response.headers["Location"]

    assert post({}) == post({"pstnDialOutEnabled": True})
    assert post({}) != post({}, "Thu, 27 Jul 2023 16:34:42 GMT")
    assert len(list(client.list_rooms())) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Repeatability-Request-ID": "4e1f5b8e-7a2d-4b0e-9d3a-1c2b3d4e5f60"},
        {"Repeatability-First-Sent": "Thu, 27 Jul 2023 16:34:41 GMT"},
        {"Repeatability-Request-ID": "1", "Repeatability-First-Sent": "Thu, 27 Jul 2023 16:34:41 GMT"},
        {"Repeatability-Request-ID": "4e1f5b8e-7a2d-4b0e-9d3a-1c2b3d4e5f60", "Repeatability-First-Sent": "now"},
    ],
)
def test_half_or_malformed_repeatability_is_refused(client: RoomsClient, headers: dict[str, str]) -> None:
    request = HttpRequest("POST", "/rooms?api-version=2025-03-13", headers=headers, json={})
    assert client.send_request(request).status_code == 400
    assert list(client.list_rooms()) == []


def test_a_change_of_participants_is_all_or_nothing(client: RoomsClient) -> None:
    room = client.create_room()
    good, bad = (RoomParticipant(UnknownIdentifier(raw_id)) for raw_id in ("8:acs:r_u", "8:acs:"))
    with pytest.raises(HttpResponseError, match="Invalid value for the Participants"):
        client.add_or_update_participants(room.id, [good, bad])
    assert list(client.list_participants(room.id)) == []


@pytest.mark.parametrize("prefix", ["8:acs:", "8:spool:", "8:orgid:", "8:teamsvisitor:", "28:gcch:", "4:", "9:", ""])
def test_a_raw_id_needs_a_known_prefix_and_something_after_it(client: RoomsClient, prefix: str) -> None:
    room = client.create_room()
    known = prefix not in ("9:", "")
    for raw_id, accepted in ((prefix + "x", known), (prefix, False)):
        request = HttpRequest(
            "PATCH",
            f"/rooms/{room.id}/participants?api-version=2025-03-13",
            headers={"Content-Type": "application/merge-patch+json"},
            json={"participants": {raw_id: {}}},
        )
        assert client.send_request(request).status_code == (200 if accepted else 400)


@pytest.mark.parametrize(
    ("seconds", "status"), [(0, 200), (-290, 200), (290, 200), (-310, 401), (310, 401), (-86400, 401)]
)
def test_a_signature_holds_for_five_minutes(emulator: RoomsEmulator, seconds: int, status: int) -> None:
    target = "/rooms?api-version=2025-03-13"
    host = emulator.endpoint.removeprefix("http://")
    date = formatdate(time.time() + seconds, usegmt=True)
    assert status_of(emulator, request_of("GET", target, date=date, host=host)) == status


@pytest.mark.parametrize(
    "change",
    [
        lambda headers: headers.pop("Authorization"),
        lambda headers: headers.pop("x-ms-date"),
        lambda headers: headers.pop("x-ms-content-sha256"),
        lambda headers: headers.update({"x-ms-date": "yesterday"}),
        lambda headers: headers.update({"x-ms-date": formatdate(time.time() + 1, usegmt=True)}),
        lambda headers: headers.update({"x-ms-content-sha256": "AAAA"}),
        lambda headers: headers.update({"Authorization": headers["Authorization"][:-4] + "AAA="}),
        lambda headers: headers.update({"Authorization": headers["Authorization"] + "é"}),
        lambda headers: headers.update({"Authorization": "Bearer token"}),
        lambda headers: headers.update({"Authorization": "Basic dTpw"}),
        lambda headers: headers.update({"Host": "contoso.communication.azure.com"}),
    ],
)
def test_a_wrong_or_missing_part_of_a_signature_is_denied(
    emulator: RoomsEmulator, change: Callable[[dict[str, str]], object]
) -> None:
    headers = request_of("GET", "/rooms?api-version=2025-03-13", host=emulator.endpoint.removeprefix("http://"))
    assert status_of(emulator, headers) == 200
    change(headers)
    assert status_of(emulator, headers) == 401


def test_a_signature_replayed_onto_another_path_is_denied(emulator: RoomsEmulator, client: RoomsClient) -> None:
    headers = request_of("GET", "/rooms?api-version=2025-03-13", host=emulator.endpoint.removeprefix("http://"))
    target = f"/rooms/{client.create_room().id}?api-version=2025-03-13"
    assert status_of(emulator, headers, target) == 401


@pytest.mark.parametrize("target", ["/rooms/a%20b?api-version=2025-03-13", "/rooms/a b?api-version=2025-03-13"])
def test_path_and_query_may_be_signed_as_sent_or_decoded(emulator: RoomsEmulator, target: str) -> None:
    headers = request_of("GET", target, host=emulator.endpoint.removeprefix("http://"))
    assert status_of(emulator, headers, "/rooms/a%20b?api-version=2025-03-13") == 400


@pytest.mark.parametrize(("token", "status"), [("token-1", 200), ("token-2", 401), ("", 401)])
def test_a_bearer_token_is_accepted_where_one_is_set(token: str, status: int) -> None:
    with RoomsEmulator(bearer_token="token-1") as emulator:
        assert status_of(emulator, {"Authorization": f"Bearer {token}"}) == status
    with RoomsEmulator() as emulator:
        assert status_of(emulator, {"Authorization": f"Bearer {token}"}) == 401


def test_the_requests_tell_what_arrived_and_what_was_answered(emulator: RoomsEmulator, client: RoomsClient) -> None:
    client.create_room(headers={"X-Mine": "1"})
    emulator.inject(drop="before")
    with pytest.raises(ServiceResponseError):
        client.get_room("a b", retry_total=0)
    created, dropped = emulator.requests
    assert (created.method, created.path, created.query) == ("POST", "/rooms", "api-version=2025-03-13")
    assert (created.body, created.status_code, created.executed) == (b"{}", 201, True)
    assert created.headers["x-mine"] == "1"
    assert "authorization" not in created.headers
    assert (dropped.path, dropped.status_code, dropped.executed) == ("/rooms/a%20b", None, False)


@pytest.mark.parametrize("fault", NOT_EXECUTED)
def test_a_fault_in_place_of_the_answer_leaves_the_request_undone(
    emulator: RoomsEmulator, fault: dict[str, Any]
) -> None:
    client = new_client(emulator)
    emulator.inject(**fault)
    with pytest.raises((HttpResponseError, ServiceResponseError)):
        client.create_room()
    assert not emulator.requests[-1].executed
    assert list(client.list_rooms()) == []


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"truncate": True}])
def test_a_fault_after_the_deed_leaves_the_request_done(emulator: RoomsEmulator, fault: dict[str, Any]) -> None:
    client = new_client(emulator)
    emulator.inject(**fault)
    with pytest.raises(ServiceResponseError):
        client.create_room()
    assert emulator.requests[-1].executed
    assert len(list(client.list_rooms())) == 1


def test_faults_wait_in_order_for_the_requests_that_match_them(emulator: RoomsEmulator) -> None:
    client = new_client(emulator)
    room = client.create_room()
    emulator.inject(status=500, method="patch")
    emulator.inject(status=501, path="/rooms/*/participants", times=2)
    emulator.inject(status=599, path="/room?")  # which stands for itself
    emulator.inject(status=502, path="/rooms")
    emulator.inject(status=403)
    calls: list[Callable[[], object]] = [
        lambda: list(client.list_participants(room.id)),
        lambda: list(client.list_participants(room.id)),
        lambda: list(client.list_participants(room.id)),
        client.create_room,
        lambda: client.update_room(room.id),
        lambda: client.update_room(room.id),
    ]
    for call in calls:
        with suppress(HttpResponseError):
            call()
    assert [request.status_code for request in emulator.requests[1:]] == [501, 501, 403, 502, 500, 200]


def test_an_injected_answer_has_the_services_form(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(status=429, retry_after=7)
    response = client.send_request(HttpRequest("GET", "/rooms?api-version=2025-03-13"), retry_total=0)
    assert response.json()["error"]["code"] == response.headers["x-ms-error-code"] == "TooManyRequests"
    assert response.headers["Retry-After"] == "7"
    assert response.headers["MS-CV"]


@pytest.mark.parametrize(("body", "content_type"), [(b" <html>", "text/html"), (b"{}", "application/json")])
def test_an_injected_body_has_the_content_type_that_it_looks_like(
    emulator: RoomsEmulator, client: RoomsClient, body: bytes, content_type: str
) -> None:
    emulator.inject(body=body)
    response = client.send_request(HttpRequest("GET", "/rooms?api-version=2025-03-13"))
    assert (response.status_code, response.content) == (200, body)
    assert response.headers["Content-Type"].startswith(content_type)


def test_a_delayed_request_does_not_hold_up_others(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(delay=30)
    with pytest.raises(ServiceResponseError):
        client.create_room(read_timeout=0.05, retry_total=0)
    assert list(client.list_rooms()) == []


def test_reset_forgets_a_request_that_is_still_delayed(emulator: RoomsEmulator, client: RoomsClient) -> None:
    emulator.inject(delay=1.0, times=2)
    with ThreadPoolExecutor() as executor:
        delayed = [executor.submit(client.create_room, retry_total=0) for _ in range(2)]
        while len(emulator.requests) < 2:
            pass
        emulator.reset()
        assert all(isinstance(future.exception(), ServiceResponseError) for future in delayed)
    assert list(client.list_rooms()) == []


def test_the_requests_kept_are_bounded(emulator: RoomsEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure.communication.rooms.emulator._faults._BYTES_KEPT", 10)
    client = new_client(emulator)
    for _ in range(7):
        client.create_room()
    assert [request.body for request in emulator.requests] == [b"{}"] * 5


def test_reset_forgets_faults_requests_and_rooms(emulator: RoomsEmulator, client: RoomsClient) -> None:
    client.create_room()
    emulator.inject(status=500)
    emulator.reset()
    assert emulator.requests == []
    assert list(client.list_rooms()) == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({}, "nothing to inject"),
        ({"times": 2}, "nothing to inject"),
        ({"drop": "during"}, "drop must be 'before' or 'after', not 'during'"),
        ({"drop": "after", "status": 500}, "drop leaves no answer"),
        ({"drop": "after", "truncate": True}, "drop leaves no answer"),
        ({"delay": 1, "retry_after": 1}, "retry_after needs a status"),
        ({"retry_after": 1}, "retry_after needs a status"),
        ({"status": 99}, "status must be from 200 to 599, not 99"),
        ({"status": 204, "body": b"x"}, "an answer with status 204 has no body"),
        ({"status": 429, "retry_after": "1\r\nX: 1"}, "retry_after cannot be a header"),
        ({"status": 500, "times": 0}, "times must be at least 1, not 0"),
        ({"delay": -1}, "delay must not be negative: -1"),
        ({"status": 500, "path": "rooms"}, r"path must begin with / or \*: 'rooms'"),
    ],
)
def test_a_fault_that_makes_no_sense_is_a_value_error(
    emulator: RoomsEmulator, fault: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        emulator.inject(**fault)


@pytest.mark.parametrize("fault", [{"status": "500"}, {"body": "<html>"}])
def test_a_fault_of_a_wrong_type_is_a_type_error(emulator: RoomsEmulator, fault: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="must be (an int|bytes), not str"):
        emulator.inject(**fault)


def test_a_delayed_request_does_not_hold_up_the_end(caplog: pytest.LogCaptureFixture) -> None:
    with RoomsEmulator() as emulator:
        emulator.inject(delay=3600)
        with pytest.raises(ServiceResponseError):
            new_client(emulator).create_room(read_timeout=0.05)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"access_key": "not base64"}, "access_key is not base64"),
        ({"access_key": ""}, "access_key is not base64"),
        ({"page_size": 0}, "page_size must be at least 1, not 0"),
        ({"keyfile": "key.pem"}, "keyfile is given without certfile"),
        ({"port": 99999}, "port must be from 0 to 65535, not 99999"),
    ],
)
def test_an_argument_that_makes_no_sense_is_a_value_error(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RoomsEmulator(**arguments)


def test_rooms_in_a_file_survive_a_restart(tmp_path: Path) -> None:
    emulator = RoomsEmulator(database=str(tmp_path / "rooms.db"))
    with emulator:
        client = new_client(emulator)
        room = client.create_room(participants=[RoomParticipant(UnknownIdentifier("8:acs:r_u"), "Consumer")])
    with emulator:
        client = new_client(emulator)
        assert client.get_room(room.id) == room
        assert [participant.role for participant in client.list_participants(room.id)] == ["Consumer"]


def test_emulators_can_share_a_file(tmp_path: Path) -> None:
    database = str(tmp_path / "rooms.db")
    with RoomsEmulator(database=database) as one, RoomsEmulator(database=database) as other:
        clients = [new_client(one), new_client(other)]
        with ThreadPoolExecutor(8) as executor:
            ids = set(executor.map(lambda number: clients[number % 2].create_room().id, range(80)))
        assert all({room.id for room in client.list_rooms()} == ids for client in clients)
        assert len(ids) == 80


def test_a_database_that_fails_is_told_in_the_services_form(
    client: RoomsClient, running_emulator: RoomsEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*values: object) -> None:
        raise sqlite3.OperationalError("disk is full")

    _, store = running_emulator._started()
    with monkeypatch.context() as patch:
        patch.setattr(store, "add_room", fail)
        with pytest.raises(HttpResponseError, match=r"\(ServiceUnavailable\) The database failed: disk is full"):
            client.create_room(retry_total=0)
    assert client.create_room().id


def test_with_a_room_its_participants_go_from_the_database(
    client: RoomsClient, running_emulator: RoomsEmulator
) -> None:
    client.delete_room(client.create_room(participants=[RoomParticipant(UnknownIdentifier("8:acs:r_u"))]).id)
    _, store = running_emulator._started()
    assert store._connection.execute("SELECT count(*) FROM participants").fetchone() == (0,)


def test_what_cannot_be_opened_is_told_at_the_start_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "not.db").write_text("This is no database, but long enough to be taken for one." * 20)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        RoomsEmulator(database=str(tmp_path / "not.db")).start()
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        RoomsEmulator(database=str(tmp_path / "no" / "folder" / "rooms.db")).start()
    for name in ("none.pem", "not.db"):
        with pytest.raises(OSError, match="the certificate cannot be read"):
            RoomsEmulator(certfile=str(tmp_path / name)).start()
    with RoomsEmulator() as one, pytest.raises(OSError, match="in use"):
        RoomsEmulator(port=int(one.endpoint.rpartition(":")[2])).start()


@pytest.mark.parametrize(
    ("host", "endpoint"), [("localhost", "http://localhost:"), ("::1", "http://[::1]:"), ("127.0.0.1", "http://127.")]
)
def test_the_endpoint_is_on_the_host_that_was_asked_for(host: Literal["localhost"], endpoint: str) -> None:
    with RoomsEmulator(host=host) as emulator:
        assert emulator.endpoint.startswith(endpoint)
        assert new_client(emulator).create_room().id


def test_it_warns_when_other_machines_can_reach_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_server = socket.create_server  # listens on loopback all the same: this is about what is said
    monkeypatch.setattr(socket, "create_server", lambda address, **kwargs: create_server(("127.0.0.1", 0), **kwargs))
    with RoomsEmulator(host="0.0.0.0") as emulator:
        assert "listening on 0.0.0.0: other machines can reach this emulator" in caplog.text
        assert emulator.endpoint.startswith("http://127.0.0.1:")
        assert new_client(emulator).create_room().id
    caplog.clear()
    with RoomsEmulator():
        assert "other machines" not in caplog.text


def test_a_bad_method_on_a_known_path_is_not_allowed_and_an_unknown_path_not_found(client: RoomsClient) -> None:
    for method, path, status in (("PUT", "/rooms", 405), ("DELETE", "/rooms", 405), ("GET", "/room", 404)):
        response = client.send_request(HttpRequest(method, f"{path}?api-version=2025-03-13"))
        assert response.status_code == status
        assert response.json()["error"]["code"] == response.headers["x-ms-error-code"]


def test_a_slash_in_a_room_id_does_not_lead_to_its_participants(client: RoomsClient) -> None:
    room = client.create_room()
    response = client.send_request(HttpRequest("GET", f"/rooms/{room.id}%2Fparticipants?api-version=2025-03-13"))
    assert response.json()["error"]["message"] == "Invalid room ID length."
