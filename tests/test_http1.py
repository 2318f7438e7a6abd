"""HTTP/1.1: what a request contains, and where a response ends. No call gets a part of another call's response."""

import contextlib
import json
import string
from http.client import HTTPException

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.rest import HttpRequest
from hypothesis import given
from hypothesis import strategies as st

from azure.communication.rooms import RoomsClient
from azure.communication.rooms._http1 import Http1Response, request_bytes

from .support.certificates import Certificates
from .support.wire_server import KEY, OTHER_ROOM, ROOM, Step, get, raw_response, response, then_close, wire_server

CHUNKED = "Transfer-Encoding: chunked"


class Pieces:
    """A stream that returns its data in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    def recv(self, size: int) -> bytes:
        return self._pieces.pop(0)[:size] if self._pieces else b""


def cut(data: bytes, places: list[int]) -> Pieces:
    places = sorted({place % (len(data) + 1) for place in places})
    return Pieces(*filter(None, (data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True))))


def read(stream: Pieces, method: str = "GET") -> tuple[int, list[tuple[str, str]], bytes, bool]:
    """The status code, headers and body, and whether the connection can be reused."""
    ends: list[bool] = []
    response = Http1Response(stream, method, ends.append)
    body = response.read()
    response.close()
    response.close()
    [is_reusable] = ends
    return response.status, response.getheaders(), body, is_reusable


PLACES = st.lists(st.integers(0, 10_000), max_size=12)
TOKENS = st.text(string.ascii_letters + string.digits + "-_", min_size=1)
VALUES = st.text([chr(code) for code in range(32, 256) if code != 127]).map(lambda text: text.strip(" "))


@given(
    status=st.integers(200, 999).filter(lambda status: status not in (204, 304)),
    headers=st.lists(st.tuples(TOKENS.map(lambda name: f"X-{name}"), VALUES)),
    parts=st.lists(st.binary(min_size=1)),
    is_chunked=st.booleans(),
    places=PLACES,
)
def test_any_response_in_any_pieces(
    status: int,
    headers: list[tuple[str, str]],
    parts: list[bytes],
    is_chunked: bool,
    places: list[int],
) -> None:
    body = b"".join(parts)
    framing = ("Transfer-Encoding", "chunked") if is_chunked else ("Content-Length", str(len(body)))
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in [*headers, framing])]
    data = "\r\n".join([*lines, "", ""]).encode("latin-1") + (chunks(*parts) if is_chunked else body)
    assert read(cut(data, places)) == (status, [*headers, framing], body, True)
    assert read(Pieces(data + b"surplus")) == (status, [*headers, framing], body, False)


@given(data=st.binary() | st.binary().map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail), places=PLACES)
def test_any_bytes_are_response_or_error(data: bytes, places: list[int]) -> None:
    with contextlib.suppress(HTTPException):
        read(cut(data, places))


@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    headers=st.dictionaries(TOKENS.map(lambda name: f"X-{name}"), VALUES),
    body=st.none() | st.binary(),
)
def test_request_has_given_content(method: str, headers: dict[str, str], body: bytes | None) -> None:
    sent = request_bytes(method, "/rooms", {**headers, "Content-Length": "3", "transfer-encoding": "chunked"}, body)
    lines = [f"{method} /rooms HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None or method == "POST":
        lines.append(f"Content-Length: {len(body or b'')}")
    assert sent == "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET /a HTTP/1.1\r\nX:", "/", {}),
        ("", "/", {}),
        ("GET", "/ HTTP/1.1\r\nX: a", {}),
        ("GET", "/a b", {}),
        ("GET", "/\N{SNOWMAN}", {}),
        ("GET", "", {}),
        ("GET", "/", {"X": "a\r\nY: b"}),
        ("GET", "/", {"X": "a\nY: b"}),
        ("GET", "/", {"X": "a\0"}),
        ("GET", "/", {"X": "\N{SNOWMAN}"}),
        ("GET", "/", {"X:Y": "a"}),
        ("GET", "/", {" Content-Length": "3"}),
        ("GET", "/", {"": "a"}),
    ],
)
def test_request_cannot_hide_another(method: str, target: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="characters that HTTP cannot send") as caught:
        request_bytes(method, target, headers, None)
    assert "a" not in str(caught.value).split()


def test_tunnel_is_not_reused() -> None:
    assert read(Pieces(response(b"")), method="CONNECT")[3] is False


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


def room_ids(*steps: Step, count: int = 2) -> list[str]:
    """Call get_room this many times with one client. Return the rooms' IDs."""
    with wire_server(*steps) as server, RoomsClient(server.endpoint, KEY, retry_total=0, read_timeout=5) as client:
        return [client.get_room("99").id for _ in range(count)]


BOTH_IDS = [json.loads(ROOM)["id"], json.loads(OTHER_ROOM)["id"]]


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints", "199 Whatever"])
@pytest.mark.parametrize("headers", ["", "Link: </style>\r\n", "Content-Length: 5\r\n"])
def test_interim_responses_are_skipped(status: str, headers: str) -> None:
    interim = f"HTTP/1.1 {status}\r\n{headers}\r\n".encode()
    assert room_ids(interim + response(ROOM), interim * 3 + response(OTHER_ROOM)) == BOTH_IDS


def test_switching_protocols_is_an_error() -> None:
    with pytest.raises(ServiceResponseError):
        room_ids(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + response(ROOM))


@pytest.mark.parametrize("length", range(len(response(b"")) - 1))
def test_cut_off_head_is_an_error(length: int) -> None:
    with pytest.raises(ServiceResponseError):
        room_ids(then_close(response(b"")[:length]))


@pytest.mark.parametrize("interim", [b"HTTP/1.1 100 Continue\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n"])
def test_cut_off_interim_head_is_an_error(interim: bytes) -> None:
    with pytest.raises(ServiceResponseError):
        room_ids(then_close(interim))


def test_cut_off_head_is_retried() -> None:
    with wire_server(then_close(b"HTTP/1.1 200 OK\r\nContent-"), response()) as server:
        assert RoomsClient(server.endpoint, KEY, retry_backoff_factor=0).get_room("99").id


@pytest.mark.parametrize(
    "line",
    [
        "not a header",
        "X : a",
        ": a",
        "X\x00: a",
        "X: a\x00",
        "X: a\rb",
        " X: a",
        "Content-Length : 5",
        "X: " + "a" * 140_000,
    ],
)
def test_malformed_header_is_an_error(line: str) -> None:
    with pytest.raises(ServiceResponseError):
        room_ids(raw_response(f"{line}\r\nContent-Length: {len(ROOM)}", ROOM))


def test_folded_header_is_joined() -> None:
    with wire_server(response(headers="X-Folded: a\r\n \t b\r\n\tc\r\n")) as server:
        assert get(RoomsClient(server.endpoint, KEY)).headers["X-Folded"] == "a b c"


def test_repeated_headers_are_joined() -> None:
    with wire_server(response(headers="X-Twice: a\r\nx-twice: b\r\n")) as server:
        assert get(RoomsClient(server.endpoint, KEY)).headers["X-TWICE"] == "a, b"


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
def test_unclear_length_is_an_error(headers: str, stream: bool) -> None:
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
        b"3\r\nabc\r\n0\r\n" + response(b""),
        b"3\r\nabc\r\n0\r\nnot a trailer\r\n\r\n",
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
        response(ROOM) + response(OTHER_ROOM),
        response(ROOM) + b"HTTP/1.1",
        response(ROOM) + b"\r\n",
        raw_response(CHUNKED, chunks(ROOM)) + response(OTHER_ROOM),
        raw_response(f"{CHUNKED}\r\nContent-Length: 3", chunks(ROOM)) + response(OTHER_ROOM),
        raw_response(f"Content-Length: 3\r\n{CHUNKED}", chunks(ROOM)),
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(ROOM),
    ],
)
def test_surplus_bytes_are_discarded(first: bytes) -> None:
    with wire_server(first, response(OTHER_ROOM)) as server:
        client = RoomsClient(server.endpoint, KEY)
        assert [client.get_room("99").id for _ in range(2)] == BOTH_IDS
    assert [request.connection for request in server.requests] == [0, 1]


@pytest.mark.parametrize("padding", [0, 7000, 9000, 12000])
def test_surplus_bytes_over_tls_are_discarded(padding: int, certificates: Certificates) -> None:
    first = response(ROOM, headers=f"X-Padding: {'a' * padding}\r\n") + response(b"{}")
    with wire_server(first, response(OTHER_ROOM), certificates=certificates) as server:
        client = RoomsClient(server.endpoint, KEY, connection_verify=certificates.authority)
        assert [client.get_room("99").id for _ in range(2)] == BOTH_IDS


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
@pytest.mark.parametrize("framing", ["Content-Length: {length}", CHUNKED])
def test_unexpected_body_is_discarded(status: str, framing: str) -> None:
    body = response(b"{}")
    first = raw_response(framing.format(length=len(body)), body, status)
    with wire_server(first, response(OTHER_ROOM)) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        assert get(client).read() == b""
        assert client.get_room("99").id == BOTH_IDS[1]
    assert [request.connection for request in server.requests] == [0, 1]


def test_head_has_no_body() -> None:
    with wire_server(raw_response("Content-Length: 500", b""), response(OTHER_ROOM)) as server:
        client = RoomsClient(server.endpoint, KEY, read_timeout=5)
        request = HttpRequest("HEAD", "/rooms/99")
        assert client.send_request(request).content == b""
        assert client.get_room("99").id == BOTH_IDS[1]


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
    ],
)
def test_connection_is_reused_if_possible(first: Step, connections: list[int]) -> None:
    if isinstance(first, bytes):
        first = first.replace(b" 169 ", b" %d " % len(ROOM))
    with wire_server(first, response(OTHER_ROOM)) as server:
        client = RoomsClient(server.endpoint, KEY, read_timeout=5, retry_total=0)
        assert [client.get_room("99").id for _ in range(2)] == BOTH_IDS
    assert [request.connection for request in server.requests] == connections
