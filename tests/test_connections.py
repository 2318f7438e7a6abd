"""Connections: TLS, proxies, the environment and timeouts."""

import base64
import gzip
import re
import socket
import ssl
import subprocess
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.rest import HttpRequest
from urllib3.exceptions import InsecureRequestWarning

from azure.communication.rooms import RoomsClient, _connections
from azure.communication.rooms._api_version import DEFAULT_API_VERSION
from azure.communication.rooms.emulator import RoomsEmulator

from .support.certificates import Certificates
from .support.credentials import Token
from .support.wire_server import (
    KEY,
    NOT_FOUND,
    ROOM,
    TUNNEL,
    Connection,
    WireServer,
    get,
    raw_response,
    response,
    then_close,
    wire_server,
)

NO_OPTIONS: Any = {}
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", *PROXY_VARIABLES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def tls_emulator(certificates: Certificates) -> Iterator[RoomsEmulator]:
    with RoomsEmulator(certfile=certificates.certfile, keyfile=certificates.keyfile) as emulator:
        yield emulator


@pytest.fixture
def tls_client(tls_emulator: RoomsEmulator) -> RoomsClient:
    """A client that does not trust the emulator's certificate authority."""
    return RoomsClient.from_connection_string(tls_emulator.connection_string, retry_total=0)


def forward(connection: Connection, port: int) -> None:
    """Forward bytes both ways between the connection and a local port, as a proxy's tunnel does."""
    with socket.create_connection(("127.0.0.1", port)) as other:

        def copy(source: Any, target: Any) -> None:
            try:
                while data := source.recv(65536):
                    target.sendall(data)
                target.shutdown(socket.SHUT_WR)
            except OSError:
                with suppress(OSError):
                    other.shutdown(socket.SHUT_RDWR)  # unlike close(), wakes the other thread

        back = threading.Thread(target=copy, args=(other, connection.sock))
        back.start()
        copy(connection.sock, other)
        back.join()
    connection.close()


def tunnel_to(port: int) -> Callable[[Connection], None]:
    def step(connection: Connection) -> None:
        connection.send(TUNNEL)
        forward(connection, port)

    return step


# TLS


def test_untrusted_certificate(
    tls_client: RoomsClient, certificates: Certificates, tls_emulator: RoomsEmulator
) -> None:
    with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
        tls_client.create_room()
    assert tls_client.create_room(connection_verify=certificates.authority).id
    assert len(tls_emulator.requests) == 1


def test_certificate_for_another_host(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path, "contoso.example")
    with wire_server(certificates=certificates) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0, connection_verify=certificates.authority)
        with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
            client.create_room()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_from_environment(
    tls_emulator: RoomsEmulator, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, certificates.authority)
    assert RoomsClient.from_connection_string(tls_emulator.connection_string).create_room().id
    client = RoomsClient.from_connection_string(tls_emulator.connection_string, use_env_settings=False, retry_total=0)
    with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
        client.create_room()


def test_directory_of_certificates(tls_client: RoomsClient, certificates: Certificates, tmp_path: Path) -> None:
    digest = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", certificates.authority],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    (tmp_path / f"{digest}.0").write_bytes(Path(certificates.authority).read_bytes())
    assert tls_client.create_room(connection_verify=str(tmp_path)).id


@pytest.mark.parametrize("option", ["connection_verify", "connection_cert"])
def test_missing_certificate_file(option: str) -> None:
    options: dict[str, Any] = {option: "/no/such/file.pem"}
    client = RoomsClient("https://127.0.0.1:1", KEY, **options)
    with pytest.raises(ValueError, match=rf"{option}.*/no/such/file\.pem"):
        client.create_room()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_missing_certificate_file_of_the_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "/no/such/file.pem")
    with pytest.raises(ValueError, match=rf"^{name}: .*/no/such/file\.pem"):
        RoomsClient("https://127.0.0.1:1", KEY).create_room()


@pytest.mark.parametrize("value", [("a", "b", "c"), ("a",), 5, ["a"]], ids=str)
def test_value_that_is_no_certificate_file(value: Any) -> None:
    client = RoomsClient("https://127.0.0.1:1", KEY)
    with pytest.raises(ValueError, match="connection_cert"):
        client.create_room(connection_cert=value)


def test_paths_of_certificates(certificates: Certificates, tmp_path: Path) -> None:
    both: Any = tmp_path / "both.pem"
    both.write_bytes(Path(certificates.certfile).read_bytes() + Path(certificates.keyfile).read_bytes())
    authority: Any = Path(certificates.authority)
    with wire_server(response(), certificates=certificates) as server:
        client = RoomsClient(server.endpoint, KEY, connection_verify=authority, connection_cert=both)
        assert client.get_room("99").id


def test_verify_none_is_the_default(tls_emulator: RoomsEmulator) -> None:
    nothing: Any = None
    client = RoomsClient.from_connection_string(
        tls_emulator.connection_string, connection_verify=nothing, retry_total=0
    )
    for options in ({}, {"connection_verify": nothing}):
        with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
            client.create_room(**options)


def test_unverified_call_does_not_stick(tls_client: RoomsClient) -> None:
    for _ in range(2):
        with pytest.warns(InsecureRequestWarning):
            assert tls_client.create_room(connection_verify=False).id
        with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
            tls_client.create_room()


def test_zero_and_false_are_the_same(tls_client: RoomsClient) -> None:
    zero: Any = 0
    for value in (zero, False, zero):
        with pytest.warns(InsecureRequestWarning):
            assert tls_client.create_room(connection_verify=value).id
    one: Any = 1
    for value in (one, True, one):
        with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
            tls_client.create_room(connection_verify=value)


def test_verify_must_not_be_empty(tls_client: RoomsClient) -> None:
    with pytest.raises(ValueError, match="connection_verify must not be empty"):
        tls_client.create_room(connection_verify="")


def test_client_certificate_does_not_stick(certificates: Certificates) -> None:
    with wire_server(*[response()] * 4, certificates=certificates) as server:
        client = RoomsClient(server.endpoint, KEY, connection_verify=certificates.authority)
        cert = (certificates.certfile, certificates.keyfile)
        as_list: Any = list(cert)
        client.get_room("99")
        client.get_room("99", connection_cert=cert)
        client.get_room("99", connection_cert=as_list)
        client.get_room("99")
    assert [request.connection for request in server.requests] == [0, 1, 1, 0]


def test_response_without_tls_is_retried(certificates: Certificates) -> None:
    def garbled(connection: Connection) -> None:
        socket.socket.sendall(connection.sock, NOT_FOUND)

    with wire_server(garbled, NOT_FOUND, certificates=certificates) as server:
        client = RoomsClient(server.endpoint, KEY, connection_verify=certificates.authority, retry_backoff_factor=0)
        client.delete_room("99")  # the first attempt may have deleted it
    assert len(server.requests) == 2


# Proxies


def test_proxy_from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with wire_server(response(), response()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.endpoint)
        client = RoomsClient("http://contoso.example", KEY)
        client.get_room("99")
        monkeypatch.delenv("HTTP_PROXY")
        client.get_room("99")  # the variable was read when the connection was opened
    for request in proxy.requests:
        assert request.target == f"http://contoso.example/rooms/99?api-version={DEFAULT_API_VERSION.value}"
        assert request.headers.get_all("Host") == ["contoso.example"]


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "127.0.0.0/8", "localhost:{port}", "example, 127.0.0.1", "*"])
def test_no_proxy(monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    with wire_server(response()) as server:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", no_proxy.format(port=server.port))
        host = "localhost" if "localhost" in no_proxy else "127.0.0.1"
        assert RoomsClient(f"http://{host}:{server.port}", KEY).get_room("99").id


@pytest.mark.parametrize("no_proxy", ["10.0.0.0/8", "127.0.0.1:9", "example", ""])
def test_no_proxy_for_other_hosts(monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    with wire_server(response()) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.endpoint)
        monkeypatch.setenv("NO_PROXY", no_proxy)
        assert RoomsClient("http://127.0.0.1:1", KEY).get_room("99").id


def test_no_proxy_without_env_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    with wire_server(response()) as server:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        assert RoomsClient(server.endpoint, KEY, use_env_settings=False).get_room("99").id


@pytest.mark.parametrize("per_call", [True, False])
def test_proxy_per_client_and_per_call(per_call: bool) -> None:
    with wire_server(response()) as proxy:
        options: dict[str, Any] = {"proxies": {"http": proxy.endpoint}}
        client = RoomsClient("http://contoso.example", KEY, **(NO_OPTIONS if per_call else options))
        client.get_room("99", **(options if per_call else NO_OPTIONS))
    assert proxy.requests[0].target.startswith("http://contoso.example/rooms/99")


def test_proxy_per_call_does_not_stick() -> None:
    with wire_server(*[response()] * 2) as one, wire_server(response()) as other:
        client = RoomsClient("http://contoso.example", KEY)
        for proxy in (one, other, one):
            client.get_room("99", proxies={"http": proxy.endpoint})
    assert (len(one.requests), len(other.requests)) == (2, 1)


@pytest.mark.parametrize("proxies", [{}, None, {"http": None}])
def test_empty_proxies(proxies: Any) -> None:
    with wire_server(response()) as server:
        assert RoomsClient(server.endpoint, KEY).get_room("99", proxies=proxies).id


def test_empty_proxies_override_client() -> None:
    with wire_server(response()) as server:
        client = RoomsClient(server.endpoint, KEY, proxies={"http": "http://127.0.0.1:1"})
        assert client.get_room("99", proxies={}).id


def test_url_through_proxy_is_as_signed() -> None:
    urls = ["http://contoso.example:80/rooms/99?a", "http://contoso.example./rooms/./98/../99?a#top"]
    with wire_server(*[response()] * 2) as proxy:
        client = RoomsClient("http://contoso.example", KEY, proxies={"http": proxy.endpoint})
        for url in urls:
            client.send_request(HttpRequest("GET", url))
    for request in proxy.requests:
        assert request.target == "http://contoso.example/rooms/99?a"
        assert request.headers.get_all("Host") == ["contoso.example"]


@pytest.mark.parametrize("credentials", ["user:pass%40word", "user", "us%C3%A9r:%E2%82%AC"])
def test_proxy_credentials(certificates: Certificates, credentials: str) -> None:
    raw = re.sub(r"%(..)", lambda code: chr(int(code[1], 16)), credentials).encode("latin-1")
    expected = base64.b64encode(raw if b":" in raw else raw + b":").decode()
    with wire_server(response(), response(status="407 No")) as proxy:
        url = proxy.endpoint.replace("//", f"//{credentials}@")
        client = RoomsClient("http://contoso.example", KEY, proxies={"all": url}, retry_total=0)
        client.get_room("99")
        with pytest.raises(ServiceRequestError, match="407"):
            RoomsClient("https://contoso.example", KEY, proxies={"all": url}, retry_total=0).get_room("99")
    assert [request.method for request in proxy.requests] == ["GET", "CONNECT"]
    assert {request.headers["Proxy-Authorization"] for request in proxy.requests} == {f"Basic {expected}"}
    assert proxy.requests[1].headers["Authorization"] is None


def test_tunnel_through_proxy(tls_emulator: RoomsEmulator, certificates: Certificates) -> None:
    port = int(tls_emulator.endpoint.rpartition(":")[2])
    with wire_server(tunnel_to(port)) as proxy:
        with RoomsClient.from_connection_string(
            tls_emulator.connection_string,
            connection_verify=certificates.authority,
            proxies={"https": proxy.endpoint.removeprefix("http://")},
        ) as client:
            room = client.create_room()
            assert client.get_room(room.id) == room
        assert [request.target for request in proxy.requests] == [f"127.0.0.1:{port}"]
    assert {request.headers["host"] for request in tls_emulator.requests} == {f"127.0.0.1:{port}"}


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_proxy_over_tls(certificates: Certificates, scheme: str) -> None:
    with wire_server(response(), certificates=certificates) as proxy:
        client = RoomsClient(
            "http://contoso.example",
            KEY,
            connection_verify=certificates.authority,
            proxies={"http": proxy.endpoint.replace("https", scheme)},
        )
        assert client.get_room("99").id


def test_tunnel_through_tls_proxy(tls_emulator: RoomsEmulator, certificates: Certificates) -> None:
    port = int(tls_emulator.endpoint.rpartition(":")[2])
    with (
        wire_server(tunnel_to(port), certificates=certificates) as proxy,
        RoomsClient.from_connection_string(
            tls_emulator.connection_string,
            connection_verify=certificates.authority,
            proxies={"https": proxy.endpoint},
        ) as client,
    ):
        room = client.create_room()
        assert client.get_room(room.id) == room


@pytest.mark.parametrize("framing", [f"Content-Length: {len(ROOM)}", "Transfer-Encoding: chunked", "X: until closed"])
def test_cut_off_body_through_a_proxy_over_tls(framing: str, certificates: Certificates) -> None:
    cut_off = then_close(raw_response(framing, b"9\r\nabc"))
    with (
        wire_server(cut_off, certificates=certificates) as server,
        wire_server(tunnel_to(server.port), certificates=certificates) as proxy,
    ):
        client = RoomsClient(
            server.endpoint,
            KEY,
            connection_verify=certificates.authority,
            proxies={"https": proxy.endpoint},
            retry_total=0,
        )
        with pytest.raises(ServiceResponseError):
            get(client)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@127.0.0.1:99999",
        "http://user:secret@127.0.0.1:port",
        "http://user:secret@",
        "http://user:secret@[x",
        "http://user:sec/ret@127.0.0.1",
        "ftp://user:secret@127.0.0.1",
        "user:secret@127.0.0.1:port",
    ],
)
@pytest.mark.parametrize("environment", [True, False])
def test_malformed_proxy_url_is_not_shown(monkeypatch: pytest.MonkeyPatch, url: str, environment: bool) -> None:
    if environment:
        monkeypatch.setenv("HTTP_PROXY", url)
    options: Any = {} if environment else {"proxies": {"http": url}}
    client = RoomsClient("http://contoso.example", KEY, **options)
    with pytest.raises((ValueError, AzureError)) as caught:
        client.get_room("99", retry_total=0)
    error: BaseException | None = caught.value
    while error is not None:
        assert "sec" not in f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or error.__context__
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_socks_proxy_is_rejected() -> None:
    client = RoomsClient("http://contoso.example", KEY, proxies={"http": "socks5h://127.0.0.1:1080"})
    with pytest.raises(ValueError, match=r"SOCKS.*transport=RequestsTransport\(\)"):
        client.get_room("99")


def break_tls(certificates: Certificates) -> Callable[[Connection], None]:
    """Accept the tunnel, read a request through it, and close the connection without a response."""

    def step(connection: Connection) -> None:
        connection.send(TUNNEL)
        connection.start_tls(certificates)
        connection.read_request()
        connection.close()

    return step


def not_found_over_tls(certificates: Certificates) -> Callable[[Connection], None]:
    def step(connection: Connection) -> None:
        connection.send(TUNNEL)
        connection.start_tls(certificates)
        connection.read_request()
        connection.send(NOT_FOUND)

    return step


def delete_through(proxy: WireServer, scheme: str, certificates: Certificates) -> None:
    RoomsClient(
        f"{scheme}://127.0.0.1:1",
        KEY,
        proxies={"all": proxy.endpoint},
        connection_verify=certificates.authority,
        retry_backoff_factor=0,
    ).delete_room("99")


def test_retried_delete_behind_proxy_succeeds(certificates: Certificates) -> None:
    with wire_server(Connection.close, NOT_FOUND) as proxy:
        delete_through(proxy, "http", certificates)
    with wire_server(break_tls(certificates), not_found_over_tls(certificates)) as proxy:
        delete_through(proxy, "https", certificates)


def test_delete_rejected_by_proxy_is_not_found(certificates: Certificates) -> None:
    with (
        wire_server(response(status="502 No"), not_found_over_tls(certificates)) as proxy,
        pytest.raises(ResourceNotFoundError),
    ):
        delete_through(proxy, "https", certificates)


# Timeouts. Each server completes its response eventually, so a call that ignored the timeout would succeed and fail
# the test.

LAST_BYTES = 200


def slow(data: bytes, *, by: int = LAST_BYTES) -> Callable[[Connection], None]:
    def step(connection: Connection) -> None:
        connection.send(data[:-by])
        connection.trickle(data[-by:])

    return step


def endless_interim(connection: Connection) -> None:
    for _ in range(LAST_BYTES):
        connection.trickle(b"", 0)
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if connection.stopped.wait(0.02):
            return
    connection.send(response())


SLOW = {
    "head": slow(response(headers=f"X: {'a' * LAST_BYTES}\r\n", body=b"")),
    "interim": endless_interim,
    "interim head": slow(f"HTTP/1.1 103 Early\r\nX: {'a' * LAST_BYTES}\r\n\r\n".encode() + response(b"{}")),
    "body": slow(response(b" " * LAST_BYTES + ROOM)),
    "chunks": slow(raw_response("Transfer-Encoding: chunked", b"1\r\n \r\n" * 40 + b"0\r\n\r\n")),
    "compressed": slow(response(gzip.compress(b" " * 100_000 + ROOM), headers="Content-Encoding: gzip\r\n")),
    "until closed": slow(raw_response("Connection: close", b" " * LAST_BYTES + ROOM)),
}


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("part", SLOW)
def test_read_timeout_bounds_whole_response(part: str, tls: bool, certificates: Certificates) -> None:
    with wire_server(SLOW[part], certificates=certificates if tls else None) as server:
        client = RoomsClient(server.endpoint, KEY, connection_verify=certificates.authority, retry_total=0)
        with pytest.raises(ServiceResponseTimeoutError):
            client.get_room("99", read_timeout=0.2)


def test_read_timeout_bounds_stream() -> None:
    with wire_server(SLOW["body"]) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0, read_timeout=0.2)
        streamed = client.send_request(HttpRequest("GET", "/rooms/99"), stream=True)
        with pytest.raises(ServiceResponseTimeoutError):
            streamed.read()


def test_connection_timeout_bounds_tunnel() -> None:
    stall = slow(b"HTTP/1.1 200 OK\r\nX: " + b"a" * LAST_BYTES + b"\r\n\r\n")
    with wire_server(stall) as proxy:
        client = RoomsClient("https://contoso.example", KEY, proxies={"https": proxy.endpoint}, retry_total=0)
        with pytest.raises(ServiceRequestTimeoutError):
            client.get_room("99", connection_timeout=0.2)


@pytest.mark.parametrize("tunnel", [False, True])
def test_connection_timeout_bounds_handshake(tunnel: bool) -> None:
    def handshake(connection: Connection) -> None:
        connection.trickle(b"\x16\x03\x03\x40\x00" + bytes(LAST_BYTES))

    def tunnel_then_handshake(connection: Connection) -> None:
        connection.send(TUNNEL)
        handshake(connection)

    with wire_server(tunnel_then_handshake, on_connect=None if tunnel else handshake) as server:
        proxies = {"https": server.endpoint} if tunnel else {}
        client = RoomsClient(f"https://127.0.0.1:{server.port}", KEY, proxies=proxies, retry_total=0)
        with pytest.raises(ServiceRequestTimeoutError):
            client.get_room("99", connection_timeout=0.2)


@pytest.mark.parametrize("proxy_over_tls", [False, True])
def test_connection_timeout_bounds_all_steps(
    monkeypatch: pytest.MonkeyPatch, certificates: Certificates, proxy_over_tls: bool
) -> None:
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(_connections, "time", SimpleNamespace(monotonic=lambda: clock.now))

    def late_tunnel(connection: Connection) -> None:
        clock.now += 400
        connection.send(TUNNEL)
        connection.sock.recv(1)
        connection.close()

    with wire_server(late_tunnel, certificates=certificates if proxy_over_tls else None) as proxy:
        client = RoomsClient("https://127.0.0.1", KEY, proxies={"https": proxy.endpoint}, retry_total=0)
        with pytest.raises(ServiceRequestTimeoutError):
            client.get_room("99", connection_timeout=300, connection_verify=certificates.authority)


@pytest.mark.parametrize(
    ("option", "seconds"),
    [
        ("connection_timeout", float("nan")),
        ("connection_timeout", -1),
        ("connection_timeout", 0),
        ("read_timeout", float("inf")),
        ("read_timeout", float("nan")),
        ("read_timeout", -1),
        ("read_timeout", 0),
    ],
)
def test_impossible_timeout_is_rejected(option: str, seconds: float) -> None:
    with wire_server(response()) as server:
        client = RoomsClient(server.endpoint, KEY)
        options: dict[str, Any] = {option: seconds}
        with pytest.raises(ValueError, match=option):
            client.get_room("99", **options)
    assert server.requests == []


def test_refused_connection_is_not_a_timeout() -> None:
    client = RoomsClient("http://127.0.0.1:1", KEY, retry_total=0)
    with pytest.raises(ServiceRequestError) as caught:
        client.get_room("99")
    assert not isinstance(caught.value, ServiceRequestTimeoutError)


def test_address_of_an_unsupported_family_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    with wire_server(response()) as server:
        found = socket.getaddrinfo("127.0.0.1", server.port, type=socket.SOCK_STREAM)
        unsupported = (9999, *found[0][1:])
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [unsupported, *found])
        assert RoomsClient(server.endpoint, KEY, retry_total=0).get_room("99").id


def test_socket_that_fails_once_connected_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    sockets = []

    class Socket(socket.socket):
        def setsockopt(self, *args: Any) -> None:
            sockets.append(self)
            raise OSError("invalid argument")  # as on macOS, if the connection has just been reset

    monkeypatch.setattr(_connections, "socket", SimpleNamespace(**{**vars(socket), "socket": Socket}))
    with wire_server() as server, pytest.raises(ServiceRequestError, match="invalid argument"):
        RoomsClient(server.endpoint, KEY, retry_total=0).get_room("99")
    assert [sock.fileno() for sock in sockets] == [-1]


def test_interrupted_handshake_closes_the_socket(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    sockets: list[socket.socket] = []

    class Socket(socket.socket):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            sockets.append(self)

    def interrupt(_: ssl.SSLObject) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ssl.SSLObject, "do_handshake", interrupt)
    monkeypatch.setattr(_connections, "socket", SimpleNamespace(**{**vars(socket), "socket": Socket}))
    with wire_server(certificates=certificates) as server:
        with pytest.raises(KeyboardInterrupt):
            RoomsClient(server.endpoint, KEY).get_room("99")
        assert [sock.fileno() for sock in sockets] == [-1]


def test_unknown_host_is_a_request_error() -> None:
    client = RoomsClient(f"http://{'a' * 64}.example", KEY, retry_total=0)
    with pytest.raises(ServiceRequestError):
        client.get_room("99")


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/", "https://127.0.0.1:99999/", "https://a%/"])
def test_redirect_to_invalid_location(location: str, certificates: Certificates) -> None:
    moved = response(status="307 Moved", headers=f"Location: {location}\r\n")
    with wire_server(moved, certificates=certificates) as server:
        for credential in (KEY, Token()):
            client = RoomsClient(server.endpoint, credential, connection_verify=certificates.authority, retry_total=0)
            server.steps = [moved]
            with pytest.raises(AzureError):
                client.get_room("99")
