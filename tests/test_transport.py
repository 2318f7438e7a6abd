"""The transport: what it sends and rejects, threads, copies and other transports."""

import gzip
import multiprocessing
import pickle
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest

from azure.communication.rooms import RoomsClient, _connections
from azure.communication.rooms.emulator import RoomsEmulator

from .support.certificates import Certificates
from .support.credentials import Token
from .support.wire_server import KEY, Connection, response, then_close, wire_server

LIST = HttpRequest("GET", "/rooms?api-version=2025-03-13")


def test_bearer_token_over_tls(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    token = Token("token-1")
    with (
        RoomsEmulator(
            certfile=certificates.certfile, keyfile=certificates.keyfile, bearer_token="token-1", page_size=1
        ) as emulator,
        RoomsClient(emulator.endpoint, token, connection_verify=certificates.authority) as client,
    ):
        rooms = [client.create_room() for _ in range(3)]
        assert {room.id for room in client.list_rooms()} == {room.id for room in rooms}
    assert token.scopes == [("https://communication.azure.com//.default",)]


def test_netrc_is_not_read(client: RoomsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert client.create_room().id


def test_text_is_sent_as_utf_8(client: RoomsClient, emulator: RoomsEmulator) -> None:
    request = HttpRequest("POST", "/rooms?api-version=2025-03-13", content='{"name": "é\N{SNOWMAN}"}')
    request.headers.update({"Content-Type": "application/json", "Content-Length": "3", "Transfer-Encoding": "chunked"})
    assert client.send_request(request).status_code == 201
    assert emulator.requests[-1].body == '{"name": "é\N{SNOWMAN}"}'.encode()
    assert client.send_request(LIST).status_code == 200


@pytest.mark.parametrize("content", [{"data": {"a": "b"}}, {"content": iter([b"a"])}])
def test_other_content_is_rejected(client: RoomsClient, emulator: RoomsEmulator, content: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="content must be bytes or str"):
        client.send_request(HttpRequest("POST", "/rooms", **content))  # type: ignore[arg-type]
    assert emulator.requests == []


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("GET /x HTTP/1.1\r\nX:", "/rooms"),
        HttpRequest("GET", "/rooms", headers={"X": "a\r\n\r\nGET /x HTTP/1.1"}),
        HttpRequest("GET", "/rooms", headers={"X": "\N{SNOWMAN}"}),
        HttpRequest("GET", "/rooms", headers={"X:": "a"}),
    ],
)
def test_hidden_request_is_rejected(emulator: RoomsEmulator, request_: HttpRequest) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string, policies=[])
    with pytest.raises(ValueError, match="characters that HTTP cannot send"):
        client.send_request(request_)
    assert emulator.requests == []


def test_url_is_percent_encoded(emulator: RoomsEmulator) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string, policies=[])
    client.send_request(HttpRequest("GET", '/rooms/a b\r\n\N{SNOWMAN}%2F?c="d"&e=%41+#f'))
    [request] = emulator.requests
    assert (request.path, request.query) == ("/rooms/a%20b%E2%98%83%2F", "c=%22d%22&e=%41+")


def test_response_before_request_is_read() -> None:
    def respond_at_once(connection: Connection) -> None:
        connection.sock.recv(1)
        connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        connection.sock.close()

    with wire_server(on_connect=respond_at_once) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        assert client.send_request(HttpRequest("POST", "/rooms", content=b"a" * 50_000_000)).status_code == 413


def test_error_names_the_host_and_the_proxy() -> None:
    for proxies, where in (
        ({}, "127.0.0.1:1"),
        ({"http": "http://user:secret@127.0.0.1:2"}, "127.0.0.1:1 through the proxy 127.0.0.1:2"),
    ):
        client = RoomsClient("http://127.0.0.1:1", KEY, retry_total=0, proxies=proxies)
        with pytest.raises(ServiceRequestError, match=f"^cannot connect to {where}: .*refused"):
            client.create_room()


@pytest.mark.parametrize("error", [BrokenPipeError, ConnectionResetError, ConnectionAbortedError])
def test_response_is_read_if_sending_fails(
    client: RoomsClient, monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    send = _connections._Socket.sendall

    def send_and_fail(sock: Any, data: bytes) -> None:
        send(sock, data)
        raise error  # which one depends on the system

    monkeypatch.setattr(_connections._Socket, "sendall", send_and_fail)
    assert client.create_room(retry_total=0).id


@pytest.mark.parametrize("stream", [False, True])
def test_error_names_the_request_without_its_query(stream: bool) -> None:
    cut_off = then_close(response()[:-1])
    with wire_server(cut_off if stream else Connection.close) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        where = f"{server.endpoint}/rooms/99"
        with pytest.raises(
            ServiceResponseError, match=f"^no complete response to GET {where}: the connection was closed"
        ):
            client.send_request(HttpRequest("GET", "/rooms/99?secret"), stream=stream).read()


def test_response_before_the_request_was_read_over_tls(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    sendall = ssl.SSLSocket.sendall

    def break_off(sock: ssl.SSLSocket, data: bytes) -> None:
        sendall(sock, data)
        if not sock.server_side:
            raise ssl.SSLEOFError  # as if the server had closed the connection

    monkeypatch.setattr(ssl.SSLSocket, "sendall", break_off)
    with wire_server(response(), certificates=certificates) as server:
        assert RoomsClient(server.endpoint, KEY, connection_verify=certificates.authority).get_room("99").id


def test_streamed_response(client: RoomsClient, emulator: RoomsEmulator) -> None:
    compressed = gzip.compress(b"{}")
    emulator.inject(body=compressed, path="/rooms")
    with client.send_request(LIST, stream=True) as response:
        assert b"".join(response.iter_raw()) == compressed


def test_threads_share_connections(client: RoomsClient, emulator: RoomsEmulator) -> None:
    with ThreadPoolExecutor(16) as executor:
        ids = set(executor.map(lambda _: client.create_room().id, range(160)))
    assert len(ids) == 160
    assert {room.id for room in client.list_rooms()} == ids


def test_key_rotation_during_calls() -> None:
    first, second = "Zmlyc3Q=", "c2Vjb25k"
    credential = AzureKeyCredential(first)
    stop = threading.Event()

    def rotate() -> None:
        while not stop.is_set():
            credential.update(second)
            credential.update(first)

    rotation = threading.Thread(target=rotate)
    with RoomsEmulator(access_key=first) as emulator, RoomsClient(emulator.endpoint, credential) as client:
        rotation.start()
        try:
            seen: set[int] = set()
            while seen != {200, 401}:
                seen.add(client.send_request(LIST).status_code)
                assert seen <= {200, 401}
        finally:
            stop.set()
            rotation.join()


@pytest.mark.parametrize("copied", [deepcopy, lambda client: pickle.loads(pickle.dumps(client))])
def test_copy_has_its_own_connections(
    client: RoomsClient, emulator: RoomsEmulator, copied: Callable[[RoomsClient], RoomsClient]
) -> None:
    room = client.create_room()
    with copied(client) as other:
        assert other.get_room(room.id) == room
    assert client.get_room(room.id) == room


def test_spawned_process_uses_client(client: RoomsClient, emulator: RoomsEmulator) -> None:
    process = multiprocessing.get_context("spawn").Process(target=client.create_room)
    process.start()
    process.join()
    assert process.exitcode == 0
    assert len(list(client.list_rooms())) == 1


def test_closed_client_raises_error(emulator: RoomsEmulator) -> None:
    client = RoomsClient.from_connection_string(emulator.connection_string)
    client.close()
    client.close()
    with pytest.raises(ValueError, match="closed"):
        client.create_room()


def test_requests_transport_can_be_used(emulator: RoomsEmulator) -> None:
    with RoomsClient.from_connection_string(emulator.connection_string, transport=RequestsTransport()) as client:
        assert client.create_room().id
