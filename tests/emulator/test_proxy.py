"""Programs that use a resource in Azure reach the emulator instead, and other hosts as before."""

import gc
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.communication.identity import CommunicationIdentityClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from ..support.certificates import Certificates
from ..support.credentials import ACCESS_KEY, Token
from ..support.wire_server import response, wire_server
from .calls import ALICE, call

HOSTS = ["contoso.communication.azure.com", "contoso.europe.communication.azure.com", "x.communication.azure.us"]


@pytest.fixture
def intercepting(monkeypatch: pytest.MonkeyPatch) -> Iterator[RoomsEmulator]:
    """An emulator that intercepts the requests of this process."""
    with RoomsEmulator(tls=True, intercept=True) as emulator:
        use_environment(emulator, monkeypatch)
        yield emulator


def use_environment(emulator: RoomsEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("host", HOSTS)
def test_hosts_of_the_service(intercepting: RoomsEmulator, caplog: pytest.LogCaptureFixture, host: str) -> None:
    identity = CommunicationIdentityClient(f"https://{host}", AzureKeyCredential("YW55IGtleQ=="))
    for client in (RoomsClient(f"https://{host.upper()}", ACCESS_KEY), RoomsClient(f"https://{host}", Token("any"))):
        room = client.create_room()
        assert room in list(client.list_rooms())
    assert identity.get_token(identity.create_user(), ["voip"]).token
    messages = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert messages == [f"{host} is served by the emulator"]
    with RoomsClient.from_connection_string(intercepting.connection_string) as client:
        assert room in list(client.list_rooms())


def test_users_of_a_resource_in_azure(intercepting: RoomsEmulator) -> None:
    stored = CommunicationIdentityClient("https://contoso.communication.azure.com", AzureKeyCredential(ACCESS_KEY))
    user: Any = type("User", (), {"raw_id": ALICE, "properties": {"id": ALICE}})
    assert stored.get_token(user, ["voip"]).token
    with pytest.raises(ClientAuthenticationError, match="IdentityNotOwned"):
        CommunicationIdentityClient.from_connection_string(intercepting.connection_string).get_token(user, ["voip"])


def test_credentials_are_still_checked(intercepting: RoomsEmulator) -> None:
    url = "https://contoso.communication.azure.com/rooms?api-version=2025-03-13"
    assert requests.get(url, timeout=30).status_code == 401
    signed = {"Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=AAAA"}
    assert requests.get(url, headers=signed, timeout=30).status_code == 401
    assert requests.get(intercepting.endpoint, headers={"Authorization": "Bearer any"}, timeout=30).status_code == 401


def test_other_services_of_a_resource(intercepting: RoomsEmulator) -> None:
    with RoomsClient("https://contoso.communication.azure.com", ACCESS_KEY) as client:
        response = call(client, "GET", "/chat/threads")
    assert (response.status_code, response.json()["error"]["message"]) == (
        404,
        "The emulator has no such path. It has only the Rooms and identity services.",
    )


@pytest.fixture
def trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    """A server certificate for 127.0.0.1 that programs on this machine trust."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificates.authority)
    return certificates


def test_other_hosts_are_reached_directly(trusted: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        wire_server(forever=response(b"other"), certificates=trusted) as other,
        RoomsEmulator(tls=True, intercept=True) as emulator,
    ):
        use_environment(emulator, monkeypatch)
        monkeypatch.setenv("no_proxy", "")
        assert requests.get(other.endpoint, timeout=30).text == "other"
    assert emulator.requests == []


def test_proxy_of_the_environment(trusted: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with wire_server(forever=refusal) as corporate, wire_server(forever=response(), certificates=trusted) as exempt:
        monkeypatch.setenv("HTTPS_PROXY", corporate.endpoint.replace("://", "://us%40er:pass@"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,.azure.com,contoso.communication.azure.com:443")
        with RoomsEmulator(tls=True, intercept=True) as emulator:
            use_environment(emulator, monkeypatch)
            assert os.environ["NO_PROXY"] == "127.0.0.1"  # the service is not exempt
            assert RoomsClient("https://contoso.communication.azure.com", ACCESS_KEY).create_room().id
            assert requests.get(exempt.endpoint, timeout=30).status_code == 200
            with pytest.raises(requests.exceptions.ProxyError, match="407"):
                requests.get("https://other.invalid", timeout=30)
    [connect] = corporate.requests
    assert (connect.method, connect.target) == ("CONNECT", "other.invalid:443")
    assert connect.headers["Proxy-Authorization"] == "Basic dXNAZXI6cGFzcw=="


def test_dropped_exemption_stays_direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command cannot exempt all of azure.com, so its requests to other hosts there come to the proxy."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "com,azure.com")
    with RoomsEmulator(tls=True, intercept=True) as emulator:
        assert exchange(emulator, b"CONNECT none.azure.com.:1 HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize("name", ["contoso.communication.azure.com.", "*.azure.com", "azure.com:443", "zure.com"])
def test_no_proxy_cannot_exempt_the_service(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Programs read the names in different ways: requests before 2.34 compares the ends of names."""
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", f"corp.example {name}, other.example")
    with RoomsEmulator(tls=True, intercept=True) as emulator:
        assert emulator.environment["NO_PROXY"] == "corp.example,other.example,127.0.0.1"


def exchange(emulator: RoomsEmulator, data: bytes) -> bytes:
    port = int(emulator.environment["HTTPS_PROXY"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(data)
        return connection.recv(10_000)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET http://contoso.communication.azure.com/rooms HTTP/1.1\r\n\r\n", b"HTTP/1.1 405 "),
        (b"CONNECT 127.0.0.1:9 HTTP/1.1\r\nHost: 127.0.0.1:9\r\n\r\n", b"HTTP/1.1 502 "),
        (b"CONNECT 127.0.0.1:99999 HTTP/1.1\r\n\r\n", b"HTTP/1.1 502 "),
        (b"x" * 100_000, b""),
    ],
)
def test_what_the_proxy_refuses(intercepting: RoomsEmulator, request_: bytes, status: bytes) -> None:
    assert exchange(intercepting, request_)[:13] == status


@pytest.fixture
def tunnel(intercepting: RoomsEmulator) -> Iterator[tuple[socket.socket, socket.socket]]:
    """The client's end of a tunnel, and the other host's."""
    proxy_port = int(os.environ["HTTPS_PROXY"].rpartition(":")[2])
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(("127.0.0.1", proxy_port), timeout=30) as client,
    ):
        client.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % listener.getsockname()[1])
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
        with listener.accept()[0] as host:
            host.settimeout(30)
            yield client, host


def test_tunnel_passes_on_the_end_of_one_direction(tunnel: tuple[socket.socket, socket.socket]) -> None:
    client, host = tunnel
    client.shutdown(socket.SHUT_WR)
    assert host.recv(1) == b""
    gc.collect()  # nothing but the proxy refers to the tunnel now
    host.sendall(b"late")
    assert client.recv(10) == b"late"


def test_stop_ends_tunnels_that_nobody_reads(
    intercepting: RoomsEmulator, tunnel: tuple[socket.socket, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    _, host = tunnel
    host.settimeout(0.2)
    with pytest.raises(TimeoutError):
        host.sendall(bytes(50_000_000))  # more than all buffers hold
    intercepting.stop()
    with pytest.raises(ConnectionError):
        host.sendall(bytes(50_000_000))
    gc.collect()  # reports a socket that is still open
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_stop_ends_open_tunnels(intercepting: RoomsEmulator) -> None:
    port = int(os.environ["HTTPS_PROXY"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as idle, requests.Session() as session:
        with pytest.raises(requests.HTTPError):
            session.get("https://contoso.communication.azure.com", timeout=30).raise_for_status()
        intercepting.stop()
        assert idle.recv(1) == b""


def test_intercept_needs_tls(tmp_path: Path) -> None:
    options: list[dict[str, Any]] = [{"intercept": True}, {"tls_folder": str(tmp_path)}]
    for each in options:
        with pytest.raises(ValueError, match="intercept needs tls, and so does tls_folder"):
            RoomsEmulator(**each)


def test_host_of_the_service_without_interception(emulator: RoomsEmulator) -> None:
    headers = {"Host": "contoso.communication.azure.com"}
    assert requests.get(emulator.endpoint, headers=headers, timeout=30).status_code == 421
