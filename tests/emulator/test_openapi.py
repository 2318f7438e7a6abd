"""Tests the emulator with an OpenAPI description of the contract, and with requests that no client would send."""

import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from azure.core.rest import HttpRequest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator
from azure.communication.rooms.emulator._api_versions import API_VERSIONS

from .calls import connect

DESCRIPTION = Path(__file__).with_name("openapi.yaml")
BEARER_TOKEN = "test-token"
QUERY = f"?api-version={API_VERSIONS[-1]}"
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

repeatable = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[RoomsEmulator]:
    with RoomsEmulator(page_size=3, bearer_token=BEARER_TOKEN) as emulator:
        yield emulator


def described(generation: dict[str, object]) -> schemathesis.BaseSchema:
    """Load the OpenAPI description, with all but one of schemathesis's checks. Each run generates the same requests."""
    config = {
        "auth": {"openapi": {"bearerToken": {"bearer": BEARER_TOKEN}}},
        "generation": {"deterministic": True, **generation},
        # A schema cannot express which time ranges are valid, so the emulator may rightly respond with 400.
        "checks": {"positive_data_acceptance": {"enabled": False}},
        # Follow only the links in the description, so that room IDs come from create operations.
        "phases": {"stateful": {"inference": {"algorithms": []}}},
    }
    return schemathesis.openapi.from_path(DESCRIPTION, config=schemathesis.Config.from_dict(config))


def test_every_api_version_is_described() -> None:
    description = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    assert description["components"]["parameters"]["ApiVersion"]["schema"]["enum"] == list(API_VERSIONS)


@described({"max-examples": 40}).parametrize()
def test_single_operations(case: schemathesis.Case[Any], emulator: RoomsEmulator) -> None:
    case.call_and_validate(base_url=emulator.endpoint)


def test_sequences_of_operations(emulator: RoomsEmulator) -> None:
    class Rooms(described({"mode": "positive"}).as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: schemathesis.Case[Any]) -> dict[str, Any]:
            return {"base_url": emulator.endpoint}

    Rooms.run(settings=settings(repeatable, max_examples=20))


def request(method: str, target: str, body: bytes = b"", **headers: str) -> bytes:
    """Return a request as bytes. It has credentials and the right length, unless the headers override them."""
    all_headers = {
        "Host": "127.0.0.1",
        "Connection": "close",
        "Authorization": f"Bearer {BEARER_TOKEN}",
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in all_headers.items() if value)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def create(body: bytes, content_type: str = JSON, **headers: str) -> bytes:
    return request("POST", f"/rooms{QUERY}", body, Content_Type=content_type, **headers)


def chunked(*chunks: bytes) -> bytes:
    return create(b"", Content_Length="", Transfer_Encoding="chunked") + b"".join(chunks)


def exchange(emulator: RoomsEmulator, sent: bytes) -> bytes:
    """Send the bytes. Return everything that the emulator sends until it closes the connection."""
    with connect(emulator) as connection:
        response = b""
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while received := connection.recv(65536):
                response += received
        except ConnectionError:  # the emulator may close the connection before it has read everything
            pass
        return response


def split(response: bytes) -> tuple[bytes, bytes]:
    """The head and the body of a response. The body may be chunked."""
    head, _, body = response.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        assert rest[length:] == b"\r\n0\r\n\r\n"
        body = rest[:length]
    return head, body


def assert_rejected(response: bytes, status: int) -> None:
    """Assert that the response has this status code and an error in the service's format."""
    head, body = split(response)
    status_line, *headers = head.decode("latin-1").lower().split("\r\n")
    assert status_line.startswith(f"http/1.1 {status} ")
    assert "content-type: application/json; charset=utf-8" in headers
    error = json.loads(body)["error"]
    assert (f"x-ms-error-code: {error['code'].lower()}" in headers) is ("details" not in error)
    assert error["code"]
    assert error["message"]


MALFORMED_BODIES = {
    "nothing": b"",
    "half an object": b'{"validFrom": ',
    "two objects": b"{}{}",
    "an array": b"[]",
    "null": b"null",
    "a string": b'"{}"',
    "a number": b"1",
    "not UTF-8": b'{"\xff\xfe\xfa": 1}',
    "NUL": b"\0",
    "NaN": b'{"validFrom": NaN}',
    "Infinity": b'{"x": [-Infinity]}',
    "deep arrays": b'{"x": ' + b"[" * 100_000,
    "deep objects": b'{"participants": ' * 50_000,
    "deep and closed": b'{"x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "a number of 5,000 digits": b'{"validFrom": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("body", MALFORMED_BODIES.values(), ids=MALFORMED_BODIES)
@pytest.mark.parametrize("operation", ["create", "update", "change participants"])
def test_malformed_body(emulator: RoomsEmulator, operation: str, body: bytes) -> None:
    room_id = "994" + "0" * 14  # the body is checked before the room
    sent = {
        "create": create(body),
        "update": request("PATCH", f"/rooms/{room_id}{QUERY}", body, Content_Type=MERGE_PATCH),
        "change participants": request(
            "PATCH", f"/rooms/{room_id}/participants{QUERY}", body, Content_Type=MERGE_PATCH
        ),
    }
    assert_rejected(exchange(emulator, sent[operation]), 400)


WRONG_MEMBERS: dict[str, str] = {
    **{
        f"validFrom {value}": f'{{"validFrom": {value}}}' for value in ("1", "1e999", "true", "[]", "{}", '""', '"now"')
    },
    **{
        f"validUntil {time}": json.dumps({"validUntil": time})
        for time in (
            "2026-11-23",
            "2026-11-23T12:00:00",
            "2026-02-30T00:00:00Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T12:00:00+24:00",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "99999-12-31T23:59:59Z",
            "\N{ARABIC-INDIC DIGIT TWO}026-11-23T12:00:00Z",
            "2026-11-23T12:00:00Z\n",
            "\ud800",
        )
    },
    **{
        f"pstnDialOutEnabled {value}": f'{{"pstnDialOutEnabled": {value}}}'
        for value in ("0", "1", '"true"', "[]", "{}")
    },
    **{f"participants {value}": f'{{"participants": {value}}}' for value in ("1", "true", '""', "[]", '["8:acs:a"]')},
    **{f"participant {value}": f'{{"participants": {{"8:acs:a": {value}}}}}' for value in ("1", "true", '""', "[]")},
    **{
        f"role {value}": f'{{"participants": {{"8:acs:a": {{"role": {value}}}}}}}'
        for value in ("1", "true", '""', "[]", "{}", '"attendee"', '"\\ud800"')
    },
    **{
        f"raw ID {raw_id!r}": json.dumps({"participants": {raw_id: {"role": "Attendee"}}})
        for raw_id in ("", "8:acs:", "4:", "9:acs:a", " 8:acs:a", "8:ACS:a", "8:acs:\ud800", "\0")
    },
}


@pytest.mark.parametrize("body", WRONG_MEMBERS.values(), ids=WRONG_MEMBERS)
def test_member_of_wrong_type_or_format(emulator: RoomsEmulator, body: str) -> None:
    room_id = json.loads(split(exchange(emulator, create(b"{}")))[1])["id"]
    path = f"/rooms/{room_id}/participants" if "participants" in body else f"/rooms/{room_id}"
    assert_rejected(exchange(emulator, create(body.encode())), 400)
    assert_rejected(exchange(emulator, request("PATCH", path + QUERY, body.encode(), Content_Type=MERGE_PATCH)), 400)


def get(target: str, **headers: str) -> bytes:
    return request("GET", target, b"", **headers)


LARGE = b'{"x": "' + b"x" * 1024 * 1024 + b'"}'
UUID = "7a0e04ae-9f1c-4c4c-9a9f-9b0c5f3c1a11"
DATE = "Mon, 23 Nov 2026 12:00:00 GMT"
SIGNED = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="

HOSTILE: dict[str, tuple[bytes, int]] = {
    # media types
    **{
        f"create as {content_type!r}": (create(b"{}", content_type), 415)
        for content_type in ("", "text/plain", "multipart/form-data", MERGE_PATCH, "json", ";", "application/json/x")
    },
    "update as JSON": (request("PATCH", f"/rooms/{'9' * 17}{QUERY}", b"{}", Content_Type=JSON), 415),
    # sizes
    "a body over 1 MB": (create(LARGE), 413),
    "a chunked body over 1 MB": (chunked(b"%x\r\n%b\r\n" % (len(LARGE), LARGE), b"0\r\n\r\n"), 413),
    "a header over 32 kB": (get(f"/rooms{QUERY}", X=40_000 * "x"), 431),
    "a thousand headers": (get(f"/rooms{QUERY}", **{f"X-{number}": "x" * 50 for number in range(1000)}), 431),
    "a room ID over 16 kB": (get(f"/rooms/{20_000 * '9'}{QUERY}"), 414),
    "a target over 64 kB": (get(f"/rooms{QUERY}&x={70_000 * 'x'}"), 400),
    # framing
    "a chunk whose size is not a number": (chunked(b"size\r\n{}\r\n0\r\n\r\n"), 400),
    "a chunk longer than its size": (chunked(b"1\r\n{}\r\n0\r\n\r\n"), 400),
    "a chunk of 2^70 bytes": (chunked(b"400000000000000000\r\n{}"), 400),
    "chunks that are not JSON": (chunked(b"1\r\n{\r\n", b"0\r\n\r\n"), 400),
    "a length that is not a number": (create(b"{}", Content_Length="two"), 400),
    "a negative length": (create(b"{}", Content_Length="-2"), 400),
    "a length of 2^70 bytes": (create(b"{}", Content_Length=str(2**70)), 400),
    "a length and chunks": (create(b"0\r\n\r\n", Transfer_Encoding="chunked"), 400),
    # credentials
    "no credentials": (get(f"/rooms{QUERY}", Authorization=""), 401),
    "a wrong token": (get(f"/rooms{QUERY}", Authorization="Bearer \xfftoken"), 401),
    "an empty token": (get(f"/rooms{QUERY}", Authorization="Bearer"), 401),
    "basic credentials": (get(f"/rooms{QUERY}", Authorization="Basic eDp5"), 401),
    "a signature without the rest": (get(f"/rooms{QUERY}", Authorization=SIGNED), 401),
    **{
        f"a signature of {date!r}": (get(f"/rooms{QUERY}", Authorization=f"{SIGNED}\xff", x_ms_date=date), 401)
        for date in (
            "now",
            "\xff",
            "Mon, 99 Nov 2026 99:99:99 GMT",
            f"{DATE} +{'9' * 30}",
            f"Mon, {'9' * 5000} Nov 1 1:1 Z",
        )
    },
    # repeatable requests
    "an ID alone": (create(b"{}", Repeatability_Request_ID=UUID), 400),
    "a date alone": (create(b"{}", Repeatability_First_Sent=DATE), 400),
    **{
        f"an ID {value[:20]!r}": (create(b"{}", Repeatability_Request_ID=value, Repeatability_First_Sent=DATE), 400)
        for value in ("1", "\xff", "{}", UUID[:-1], UUID + "0", "x" * 10_000)
    },
    **{
        f"a date {value[:40]!r}": (create(b"{}", Repeatability_Request_ID=UUID, Repeatability_First_Sent=value), 400)
        for value in (
            "now",
            "\xff",
            "0",
            "Mon, 99 Nov 2026 99:99:99 GMT",
            "Mon, 23 Nov 2026 12:00:00 +99999999999999999999",
            f"Mon, 23 Nov {'9' * 30} 12:00:00 GMT",
            "x" * 10_000,
        )
    },
    # room IDs
    **{
        f"the room {room_id[:20]}": (get(f"/rooms/{room_id}{QUERY}"), 400)
        for room_id in ("%00", ".", "..", "%2e%2e", "%", "%zz", "%ff", "a%2Fb", "'%20OR%201=1%20--", "9" * 10_000)
    },
    **{
        f"the room {room_id}": (get(f"/rooms/{room_id}{QUERY}"), 400)
        for room_id in ("%F0%9F%98%80" * 16, "%00" * 17, "99'%20OR%20'1'='1'%20--")
    },
    "an unknown room": (get(f"/rooms/{'9' * 17}{QUERY}"), 404),
    # hosts
    "another host": (get(f"/rooms{QUERY}", Host="evil.example"), 421),
    "no host": (get(f"/rooms{QUERY}", Host=""), 421),
    # paths
    **{
        f"the path {path}": (get(f"{path}{QUERY}"), 404)
        for path in (
            "/",
            "//",
            "/ROOMS",
            "/rooms/",
            "//rooms",
            "/rooms//",
            "/rooms//participants",
            "/rooms/1/participants/",
        )
    },
    "the path *": (request("OPTIONS", f"*{QUERY}"), 404),
    "a raw byte in the path": (get(f"/rooms/\xe9{QUERY}"), 400),
    # queries
    "no API version": (get("/rooms"), 400),
    "an empty API version": (get("/rooms?api-version="), 400),
    "an API version that is not UTF-8": (get("/rooms?api-version=%ff%00"), 400),
    "a long API version": (get(f"/rooms?api-version={10_000 * '1'}"), 400),
    **{
        f"the page {token!r}": (get(f"/rooms{QUERY}&nextLink={token}"), 400)
        for token in ("", "x", "%00", "%ff", "====", "AAAA", 4 * "A" * 1000)
    },
    # OTk5... is base64 of 19 nines, which is too large an integer for SQLite.
    "the page after the last integer": (get(f"/rooms{QUERY}&nextLink=OTk5OTk5OTk5OTk5OTk5OTk5OQ=="), 400),
    # methods
    "a method of another resource": (request("DELETE", f"/rooms{QUERY}"), 405),
    "a method of no resource": (request("TRACE", f"/rooms{QUERY}"), 405),
    "an unknown method": (request("BREW", f"/rooms{QUERY}"), 400),
    "a tunnel": (request("CONNECT", "127.0.0.1:443"), 400),
    # malformed HTTP, and other protocols
    "HTTP/9.9": (get("/rooms").replace(b"HTTP/1.1", b"HTTP/9.9"), 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a header without colon": (get("/rooms").replace(b"Host: ", b"Host "), 400),
    "a header with NUL": (get("/rooms", X="\0"), 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "NULs": (bytes(1000), 400),
    "text": (b"Let me in, please!\r\n\r\n", 400),
}


@pytest.mark.parametrize(("sent", "status"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_request(emulator: RoomsEmulator, caplog: pytest.LogCaptureFixture, sent: bytes, status: int) -> None:
    assert_rejected(exchange(emulator, sent), status)
    assert exchange(emulator, get(f"/rooms{QUERY}")).startswith(b"HTTP/1.1 200 OK\r\n")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


whole_requests = st.sampled_from([get(f"/rooms{QUERY}"), create(b"{}"), chunked(b"2\r\n{}\r\n0\r\n\r\n")])


@settings(repeatable, max_examples=200)
@given(whole_requests, st.data())
def test_garbled_request(
    emulator: RoomsEmulator, caplog: pytest.LogCaptureFixture, sent: bytes, data: st.DataObject
) -> None:
    caplog.clear()  # remove the records of the previous example
    begin = data.draw(st.integers(0, len(sent)), "begin")
    end = data.draw(st.integers(begin, len(sent)), "end")
    response = exchange(emulator, sent[:begin] + data.draw(st.binary(max_size=20), "garbage") + sent[end:])
    assert not response.startswith(b"HTTP/1.1 5")
    assert exchange(emulator, get(f"/rooms{QUERY}")).startswith(b"HTTP/1.1 200 OK\r\n")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(["8:acs:a", "role", "\ud800"]) | st.text(), children, max_size=3)
    ),
    max_leaves=10,
)
bodies = st.dictionaries(
    st.sampled_from(["validFrom", "validUntil", "pstnDialOutEnabled", "participants"]), json_values, max_size=3
)


@settings(repeatable, max_examples=200)
@given(bodies, st.sampled_from(["create", "update", "change participants"]))
@example({"participants": {"8:acs:\ud800": None}}, "change participants")
def test_any_json(emulator: RoomsEmulator, body: dict[str, object], operation: str) -> None:
    with RoomsClient.from_connection_string(emulator.connection_string) as client:
        room_id = client.create_room().id
        path, content_type = {
            "create": ("/rooms", JSON),
            "update": (f"/rooms/{room_id}", MERGE_PATCH),
            "change participants": (f"/rooms/{room_id}/participants", MERGE_PATCH),
        }[operation]
        method = "POST" if operation == "create" else "PATCH"
        content = json.dumps(body).encode()  # includes NaN
        response = client.send_request(
            HttpRequest(method, path + QUERY, headers={"Content-Type": content_type}, content=content)
        )
        client.delete_room(room_id)
    assert response.status_code in ((201 if operation == "create" else 200), 400)  # never 401 or 500
