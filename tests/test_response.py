"""How a body is read: at once or in pieces, decompressed and decoded."""

import gc
import gzip
import json
import pickle
import socket
import zlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResponseNotReadError,
    ServiceResponseError,
    StreamClosedError,
    StreamConsumedError,
)
from azure.core.rest import HttpResponse

from azure.communication.rooms import RoomsClient, _connections

from .support.wire_server import KEY, OTHER_ROOM, ROOM, get, raw_response, response, then_close, wire_server


@pytest.mark.parametrize("stream", [False, True])
def test_cut_off_body_is_an_error(stream: bool) -> None:
    with wire_server(then_close(response()[:-1])) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        with pytest.raises(ServiceResponseError):
            list(get(client, stream).iter_bytes())


@pytest.mark.parametrize(
    ("coding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)],
)
def test_compressed_bodies_are_decoded(coding: str, compress: type[bytes]) -> None:
    compressed = compress(ROOM)
    with wire_server(*[response(compressed, headers=f"Content-Encoding: {coding}\r\n")] * 3) as server:
        client = RoomsClient(server.endpoint, KEY)
        assert client.get_room("99").id == json.loads(ROOM)["id"]
        assert b"".join(get(client, stream=True).iter_bytes()) == ROOM
        assert b"".join(get(client, stream=True).iter_raw()) == compressed
    assert server.requests[0].headers["Accept-Encoding"] == "gzip, deflate"


@pytest.mark.parametrize("block_size", [1, 4096])
def test_part_that_decodes_to_nothing_is_not_the_end(block_size: int) -> None:
    compressed = gzip.compress(ROOM)
    head, rest = compressed[:10], compressed[10:]  # the head is gzip's own, which many servers send first
    body = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(head), head, len(rest), rest)
    with wire_server(raw_response("Content-Encoding: gzip\r\nTransfer-Encoding: chunked", body)) as server:
        client = RoomsClient(server.endpoint, KEY, connection_data_block_size=block_size)
        assert b"".join(get(client, stream=True).iter_bytes()) == ROOM


@pytest.mark.parametrize("stream", [False, True])
def test_undecodable_body_is_an_error(stream: bool) -> None:
    with wire_server(response(b"not gzip", headers="Content-Encoding: gzip\r\n")) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        with pytest.raises(ServiceResponseError):
            list(get(client, stream).iter_bytes())


@pytest.fixture
def streamed() -> Iterator[HttpResponse]:
    with wire_server(response()) as server, RoomsClient(server.endpoint, KEY) as client:
        yield get(client, stream=True)


def test_stream_is_read_on_demand(streamed: HttpResponse) -> None:
    with pytest.raises(ResponseNotReadError):
        streamed.content  # noqa: B018
    assert streamed.read() == streamed.content == ROOM
    assert b"".join(streamed.iter_bytes()) == ROOM
    assert streamed.json() == json.loads(ROOM)
    assert (streamed.is_closed, streamed.is_stream_consumed) == (True, True)


def test_stream_is_read_once(streamed: HttpResponse) -> None:
    assert b"".join(streamed.iter_bytes()) == ROOM
    for read_again in (streamed.iter_bytes, streamed.iter_raw):
        with pytest.raises(StreamConsumedError):
            list(read_again())


def test_closed_stream_cannot_be_read(streamed: HttpResponse) -> None:
    streamed.close()
    with pytest.raises(StreamClosedError):
        streamed.read()


def test_raise_for_status() -> None:
    with wire_server(response(status="404 Not Found")) as server:
        not_found = get(RoomsClient(server.endpoint, KEY))
    with pytest.raises(HttpResponseError, match="Not Found"):
        not_found.raise_for_status()


@pytest.mark.parametrize("leave", ["close", "with", "abandon", "break"])
def test_half_read_stream_is_discarded(leave: str) -> None:
    with wire_server(response(ROOM * 1000), response(OTHER_ROOM)) as server:
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
        assert client.get_room("99").id == json.loads(OTHER_ROOM)["id"]
    assert [request.connection for request in server.requests] == [0, 1]


def test_a_socket_stays_open_until_the_thread_that_reads_it_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    is_open: list[bool] = []

    class Socket(socket.socket):
        def recv(self, *args: Any) -> bytes:
            if streams:
                streams[0].close()  # as another thread may do at this moment
            is_open.append(self.fileno() >= 0)
            return super().recv(*args)

    streams: list[HttpResponse] = []
    monkeypatch.setattr(_connections, "socket", SimpleNamespace(**{**vars(socket), "socket": Socket}))
    with wire_server(response(ROOM * 1000)) as server:
        streams.append(get(RoomsClient(server.endpoint, KEY, retry_total=0), stream=True))
        with pytest.raises(ServiceResponseError):
            list(streams[0].iter_bytes())
    assert all(is_open[:2])
    assert not any(is_open[2:])


def test_fully_read_stream_keeps_connection() -> None:
    with wire_server(*[response()] * 3) as server:
        client = RoomsClient(server.endpoint, KEY)
        for _ in range(3):
            assert b"".join(get(client, stream=True).iter_bytes()) == ROOM
    assert [request.connection for request in server.requests] == [0, 0, 0]


@pytest.mark.parametrize("first", ["503 Busy", "307 Moved"])
def test_unread_stream_is_closed(first: str) -> None:
    unread = response(ROOM * 1000, first, headers="Location: /rooms/98?api-version=2025-03-13\r\n")
    with wire_server(unread, response(OTHER_ROOM)) as server:
        client = RoomsClient(server.endpoint, KEY, retry_backoff_factor=0)
        assert get(client, stream=True).read() == OTHER_ROOM
        gc.collect()
        [pool] = client._pipeline._transport._pools._pools[1].values()  # type: ignore[attr-defined]
        assert len(pool._idle) == 1


@pytest.mark.parametrize(
    ("content_type", "text"),
    [("application/json", "é"), ("text/plain; charset=latin-1", "Ã©"), ("", "é")],
)
def test_text_is_decoded_by_its_charset(content_type: str, text: str) -> None:
    with wire_server(response("é".encode(), headers=f"Content-Type: {content_type}\r\n")) as server:
        assert get(RoomsClient(server.endpoint, KEY)).text() == text


@pytest.mark.parametrize(
    "charset",
    ["charset=no-such", "charset=hex", "charset*0*=a;charset*=c", f"charset*{'9' * 5000}=a"],
    ids=["unknown", "not of text", "two kinds of parameters", "long number"],
)
def test_malformed_charset_is_ignored(charset: str) -> None:
    with wire_server(response("é".encode(), headers=f"Content-Type: text/plain; {charset}\r\n")) as server:
        received = get(RoomsClient(server.endpoint, KEY))
    assert received.encoding is None
    assert received.text() == "é"


def test_copy_of_a_streamed_response_cannot_be_read() -> None:
    with wire_server(response()) as server, get(RoomsClient(server.endpoint, KEY), stream=True) as streamed:
        copy = pickle.loads(pickle.dumps(streamed))
        assert copy.status_code == 200
        with pytest.raises(StreamClosedError):
            copy.read()
        assert streamed.read() == ROOM
