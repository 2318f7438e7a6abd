"""Where a response begins and ends, and how its body is read."""

import gc
import gzip
import json
import zlib
from collections.abc import Iterator

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResponseNotReadError,
    ServiceResponseError,
    StreamClosedError,
    StreamConsumedError,
)
from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import RoomsClient

from .support.certificates import Certificates
from .support.wire_server import ROOM, Step, raw_response, response, then_close, wire_server

KEY = "a2V5"
OTHER = ROOM.replace(b"99445276259151407", b"99000000000000000")
CHUNKED = "Transfer-Encoding: chunked"


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


def get(client: RoomsClient, stream: bool = False) -> HttpResponse:
    return client.send_request(HttpRequest("GET", "/rooms/99?api-version=2025-03-13"), stream=stream)


def room_ids(*steps: Step, count: int = 2) -> list[str]:
    """The IDs of the rooms that so many calls of one client get."""
    with wire_server(*steps) as server, RoomsClient(server.endpoint, KEY, retry_total=0, read_timeout=5) as client:
        return [client.get_room("99").id for _ in range(count)]


OWN = [json.loads(ROOM)["id"], json.loads(OTHER)["id"]]


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints", "199 Whatever"])
@pytest.mark.parametrize("headers", ["", "Link: </style>\r\n", "Content-Length: 5\r\n"])
def test_interim_responses_are_skipped(status: str, headers: str) -> None:
    interim = f"HTTP/1.1 {status}\r\n{headers}\r\n".encode()
    assert room_ids(interim + response(ROOM), interim * 3 + response(OTHER)) == OWN


def test_switching_protocols_is_an_error() -> None:
    with pytest.raises(ServiceResponseError):
        room_ids(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + response(ROOM))


@pytest.mark.parametrize("length", range(len(response(b"")) - 1))
def test_a_cut_off_head_is_an_error(length: int) -> None:
    with pytest.raises(ServiceResponseError):
        room_ids(then_close(response(b"")[:length]))


@pytest.mark.parametrize("interim", [b"HTTP/1.1 100 Continue\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n"])
def test_a_cut_off_interim_head_is_an_error(interim: bytes) -> None:
    with pytest.raises(ServiceResponseError):
        room_ids(then_close(interim))


def test_a_cut_off_head_is_retried() -> None:
    with wire_server(then_close(b"HTTP/1.1 200 OK\r\nContent-"), response()) as server:
        assert RoomsClient(server.endpoint, KEY, retry_backoff_factor=0).get_room("99").id


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 5_0",
        "Content-Length: +5",
        "Content-Length: -1",
        "Content-Length: 0x5",
        "Content-Length: five",
        "Content-Length: 5, 6",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 99999999999999999999",
        "Content-Length: 999999999999999999",
        "Content-Length: ",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding:\r\n chunked",
        "X: a\rContent-Length: 5",
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_unclear_length_is_an_error(headers: str, stream: bool) -> None:
    with wire_server(then_close(raw_response(headers, ROOM))) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        with pytest.raises(ServiceResponseError):
            list(get(client, stream).iter_bytes())


@pytest.mark.parametrize(
    "body",
    [
        b"-1\r\nabc\r\n0\r\n\r\n",
        b"-5\r\nabc\r\n0\r\n\r\n",
        b"+3\r\nabc\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"0_3\r\nabc\r\n0\r\n\r\n",
        b" 3\r\nabc\r\n0\r\n\r\n",
        b"zz\r\nabc\r\n0\r\n\r\n",
        b"\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcdef\r\n0\r\n\r\n",
        b"ffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        b"fffffffffffffff\r\nabc\r\n0\r\n\r\n",
        b"3\r\nab",
        b"3\r\nabc",
        b"3\r\nabc\r\n",
        b"3" * 70000,
        b"",
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_malformed_chunks_are_an_error(body: bytes, stream: bool) -> None:
    with wire_server(then_close(raw_response(CHUNKED, body))) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        with pytest.raises(ServiceResponseError):
            list(get(client, stream).iter_bytes())


@pytest.mark.parametrize("size", [1, 3, 4096])
def test_chunks_are_joined(size: int) -> None:
    body = b"3;name=value\r\n" + ROOM[:3] + b"\r\n" + chunks(ROOM[3:90], ROOM[90:])[:-2] + b"Trailer: a\r\n\r\n"
    with wire_server(*[raw_response(CHUNKED, body)] * 3) as server:
        client = RoomsClient(server.endpoint, KEY, connection_data_block_size=size)
        assert client.get_room("99").as_dict() == json.loads(ROOM)
        assert b"".join(get(client, stream=True).iter_bytes()) == ROOM
        assert b"".join(get(client, stream=True).iter_raw()) == ROOM
    assert {request.connection for request in server.requests} == {0}


@pytest.mark.parametrize(
    "first",
    [
        response(ROOM) + response(OTHER),
        response(ROOM) + b"HTTP/1.1",
        response(ROOM) + b"\r\n",
        raw_response(CHUNKED, chunks(ROOM)) + response(OTHER),
        raw_response(f"{CHUNKED}\r\nContent-Length: 3", chunks(ROOM)) + response(OTHER),
        raw_response(f"Content-Length: 3\r\n{CHUNKED}", chunks(ROOM)),
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(ROOM),
    ],
)
def test_surplus_bytes_are_not_the_next_response(first: bytes) -> None:
    with wire_server(first, response(OTHER)) as server:
        client = RoomsClient(server.endpoint, KEY)
        assert [client.get_room("99").id for _ in range(2)] == OWN
    assert [request.connection for request in server.requests] == [0, 1]


@pytest.mark.parametrize("padding", [0, 7000, 9000, 12000])
def test_surplus_bytes_over_tls_are_not_the_next_response(padding: int, certificates: Certificates) -> None:
    first = response(ROOM, headers=f"X-Padding: {'a' * padding}\r\n") + response(b"{}")
    with wire_server(first, response(OTHER), certificates=certificates) as server:
        client = RoomsClient(server.endpoint, KEY, connection_verify=certificates.authority)
        assert [client.get_room("99").id for _ in range(2)] == OWN


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
@pytest.mark.parametrize("framing", ["Content-Length: {length}", CHUNKED])
def test_a_body_where_none_may_be_is_not_the_next_response(status: str, framing: str) -> None:
    body = response(b"{}")
    first = raw_response(framing.format(length=len(body)), body, status)
    with wire_server(first, response(OTHER)) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        assert get(client).read() == b""
        assert client.get_room("99").id == OWN[1]
    assert [request.connection for request in server.requests] == [0, 1]


def test_head_has_no_body() -> None:
    with wire_server(raw_response("Content-Length: 500", b""), response(OTHER)) as server:
        client = RoomsClient(server.endpoint, KEY, read_timeout=5)
        request = HttpRequest("HEAD", "/rooms/99")
        assert client.send_request(request).content == b""
        assert client.get_room("99").id == OWN[1]


@pytest.mark.parametrize(
    ("first", "connections"),
    [
        (response(ROOM), [0, 0]),
        (raw_response("Content-Length:  169 ", ROOM), [0, 0]),
        (raw_response(f"Content-Length: {len(ROOM)}\r\nContent-Length: {len(ROOM)}", ROOM), [0, 0]),
        (response(ROOM, headers="Connection: close\r\n"), [0, 1]),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n" % len(ROOM) + ROOM, [0, 0]),
        (b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(ROOM) + ROOM, [0, 1]),
        (then_close(b"HTTP/1.0 200 OK\r\n\r\n" + ROOM), [0, 1]),
        (then_close(raw_response("X: a", ROOM)), [0, 1]),
        (response(ROOM).replace(b"\r\n", b"\n"), [0, 0]),
        (then_close(raw_response(f"not a header\r\nContent-Length: {len(ROOM)}", ROOM)), [0, 1]),
    ],
)
def test_a_connection_is_kept_only_if_it_can_be(first: Step, connections: list[int]) -> None:
    if isinstance(first, bytes):
        first = first.replace(b" 169 ", b" %d " % len(ROOM))
    with wire_server(first, response(OTHER)) as server:
        client = RoomsClient(server.endpoint, KEY, read_timeout=5, retry_total=0)
        assert [client.get_room("99").id for _ in range(2)] == OWN
    assert [request.connection for request in server.requests] == connections


@pytest.mark.parametrize("stream", [False, True])
def test_a_cut_off_body_is_an_error(stream: bool) -> None:
    with wire_server(then_close(response()[:-1])) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        with pytest.raises(ServiceResponseError):
            list(get(client, stream).iter_bytes())


@pytest.mark.parametrize(
    ("coding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)],
)
def test_compressed_bodies_are_decoded(coding: str, compress: type[bytes]) -> None:
    compressed = response(compress(ROOM), headers=f"Content-Encoding: {coding}\r\n")
    with wire_server(*[compressed] * 3) as server:
        client = RoomsClient(server.endpoint, KEY)
        assert client.get_room("99").id == OWN[0]
        assert b"".join(get(client, stream=True).iter_bytes()) == ROOM
        assert b"".join(get(client, stream=True).iter_raw()) == compress(ROOM)
    assert server.requests[0].headers["Accept-Encoding"] == "gzip, deflate"


@pytest.mark.parametrize("stream", [False, True])
def test_a_body_that_cannot_be_decoded_is_an_error(stream: bool) -> None:
    with wire_server(response(b"not gzip", headers="Content-Encoding: gzip\r\n")) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        with pytest.raises(ServiceResponseError):
            list(get(client, stream).iter_bytes())


@pytest.fixture
def streamed() -> Iterator[HttpResponse]:
    with wire_server(response()) as server, RoomsClient(server.endpoint, KEY) as client:
        yield get(client, stream=True)


def test_a_stream_is_read_on_demand(streamed: HttpResponse) -> None:
    with pytest.raises(ResponseNotReadError):
        streamed.content  # noqa: B018
    assert streamed.read() == streamed.content == ROOM
    assert b"".join(streamed.iter_bytes()) == ROOM
    assert streamed.json() == json.loads(ROOM)
    assert (streamed.is_closed, streamed.is_stream_consumed) == (True, True)


def test_a_stream_is_read_once(streamed: HttpResponse) -> None:
    assert b"".join(streamed.iter_bytes()) == ROOM
    for read_again in (streamed.iter_bytes, streamed.iter_raw):
        with pytest.raises(StreamConsumedError):
            list(read_again())


def test_a_closed_stream_cannot_be_read(streamed: HttpResponse) -> None:
    streamed.close()
    with pytest.raises(StreamClosedError):
        streamed.read()


def test_raise_for_status() -> None:
    with wire_server(response(status="404 Not Found")) as server:
        not_found = get(RoomsClient(server.endpoint, KEY))
    with pytest.raises(HttpResponseError, match="Not Found"):
        not_found.raise_for_status()


@pytest.mark.parametrize("leave", ["close", "with", "abandon", "break"])
def test_a_half_read_stream_is_not_the_next_response(leave: str) -> None:
    with wire_server(response(ROOM * 1000), response(OTHER)) as server:
        client = RoomsClient(server.endpoint, KEY)
        streamed = get(client, stream=True)
        body = streamed.iter_bytes()
        assert next(body).startswith(ROOM)
        if leave == "close":
            streamed.close()
        elif leave == "with":
            with streamed:
                pass
        elif leave == "break":
            del body
        else:
            del streamed, body
            gc.collect()  # a ResourceWarning would be an error here
        assert client.get_room("99").id == OWN[1]
    assert [request.connection for request in server.requests] == [0, 1]


def test_a_stream_read_to_its_end_keeps_the_connection() -> None:
    with wire_server(*[response()] * 3) as server:
        client = RoomsClient(server.endpoint, KEY)
        for _ in range(3):
            assert b"".join(get(client, stream=True).iter_bytes()) == ROOM
    assert [request.connection for request in server.requests] == [0, 0, 0]


@pytest.mark.parametrize("first", ["503 Busy", "307 Moved"])
def test_a_streamed_response_nobody_reads_is_closed(first: str) -> None:
    unread = response(ROOM * 1000, first, headers="Location: /rooms/98?api-version=2025-03-13\r\n")
    with wire_server(unread, response(OTHER)) as server:
        client = RoomsClient(server.endpoint, KEY, retry_backoff_factor=0)
        assert get(client, stream=True).read() == OTHER
        gc.collect()
        [pool] = client._pipeline._transport._pools._pools[1].values()  # type: ignore[attr-defined]
        assert len(pool.pool._connections) == 1


@pytest.mark.parametrize(
    ("content_type", "text"),
    [("application/json", "é"), ("text/plain; charset=latin-1", "Ã©"), ("", "é")],
)
def test_text_is_decoded_by_its_charset(content_type: str, text: str) -> None:
    with wire_server(response("é".encode(), headers=f"Content-Type: {content_type}\r\n")) as server:
        assert get(RoomsClient(server.endpoint, KEY)).text() == text
