"""Connections: TLS, proxies, the environment, time-outs, threads and forks."""

import gzip
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.core.rest import HttpRequest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms._transport import RoomsSession
from azure.communication.rooms.emulator import RoomsEmulator

from .scripted_server import Answer, scripted_server

KEY = AzureKeyCredential("a2V5")
ROOM = (
    b'{"id":"99445276259151407","createdAt":"2026-12-01T09:00:00+00:00",'
    b'"validFrom":"2026-12-01T09:00:00+00:00","validUntil":"2026-12-02T09:00:00+00:00"}'
)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def pools_of(client: RoomsClient) -> list[tuple[Any, bool]]:
    """The pools that the client's session has made, and whether they lead to a proxy."""
    transport: Any = client._client._pipeline._transport
    return list(transport.session._pools.values())


class Certificates:
    """Files of a certificate authority, of a server's certificate that it issued, and of that one's key."""

    def __init__(self, folder: Path, host: str) -> None:
        authority = trustme.CA()
        issued = authority.issue_cert(host)
        self.authority = str(folder / "authority.pem")
        self.certfile = str(folder / "server.pem")
        self.keyfile = str(folder / "server.key")
        authority.cert_pem.write_to_path(self.authority)
        issued.cert_chain_pems[0].write_to_path(self.certfile)
        issued.private_key_pem.write_to_path(self.keyfile)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path, "127.0.0.1")


@pytest.fixture
def tls_emulator(certificates: Certificates) -> Iterator[RoomsEmulator]:
    with RoomsEmulator(
        certfile=certificates.certfile, keyfile=certificates.keyfile, bearer_token="token-1", page_size=1
    ) as emulator:
        yield emulator


def test_an_untrusted_certificate_fails_and_its_authoritys_file_mends_it(
    tls_emulator: RoomsEmulator, certificates: Certificates
) -> None:
    client = RoomsClient.from_connection_string(tls_emulator.connection_string, retry_total=0)
    with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
        client.create_room()
    assert client.create_room(connection_verify=certificates.authority).id
    assert [request.method for request in tls_emulator.requests] == ["POST"]


def test_the_certificate_of_another_host_fails(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path, "contoso.example")
    with RoomsEmulator(certfile=certificates.certfile, keyfile=certificates.keyfile) as emulator:
        client = RoomsClient.from_connection_string(
            emulator.connection_string, retry_total=0, connection_verify=certificates.authority
        )
        with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
            client.create_room()
        assert emulator.requests == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environments_certificates_are_honoured_unless_told_otherwise(
    tls_emulator: RoomsEmulator, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, certificates.authority)
    assert RoomsClient.from_connection_string(tls_emulator.connection_string).create_room().id
    client = RoomsClient.from_connection_string(tls_emulator.connection_string, use_env_settings=False, retry_total=0)
    with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
        client.create_room()


def test_a_certificate_file_that_is_not_there_is_told() -> None:
    client = RoomsClient("https://127.0.0.1:1", KEY, connection_verify="/no/such/file.pem")
    with pytest.raises(OSError, match=r"/no/such/file\.pem"):
        client.create_room()


def test_over_tls_the_links_between_pages_and_bearer_tokens_work(
    tls_emulator: RoomsEmulator, certificates: Certificates
) -> None:
    class Token:
        scopes: tuple[str, ...] = ()

        def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:
            Token.scopes = scopes
            return AccessToken("token-1", 2**33)

    client = RoomsClient(tls_emulator.endpoint, Token(), connection_verify=certificates.authority)
    rooms = [client.create_room() for _ in range(3)]
    assert list(client.list_rooms()) == rooms[::-1]
    assert Token.scopes == ("https://communication.azure.com//.default",)


def test_the_environments_proxy_is_read_once_per_client(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server(Answer(body=ROOM), Answer(body=ROOM)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.endpoint)
        client = RoomsClient("http://contoso.example", KEY)
        client.get_room("99")
        monkeypatch.delenv("HTTP_PROXY")
        client.get_room("99")
    for _, target, headers in proxy.requests:
        assert target == "http://contoso.example/rooms/99?api-version=2025-03-13"
        assert headers["Host"] == "contoso.example"


def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server(Answer(body=ROOM)) as server:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert RoomsClient(server.endpoint, KEY).get_room("99").id


def test_use_env_settings_turns_the_environment_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server(Answer(body=ROOM)) as server:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        assert RoomsClient(server.endpoint, KEY, use_env_settings=False).get_room("99").id


@pytest.mark.parametrize("per_call", [True, False])
def test_a_proxy_can_be_given_per_client_and_per_call(per_call: bool) -> None:
    with scripted_server(Answer(body=ROOM)) as proxy:
        knob: dict[str, Any] = {"proxies": {"http": proxy.endpoint}}
        client = RoomsClient("http://contoso.example", KEY, **({} if per_call else knob))
        client.get_room("99", **(knob if per_call else {}))
    assert proxy.requests[0][1].startswith("http://contoso.example/rooms/99")


def test_https_goes_through_a_proxys_tunnel() -> None:
    with scripted_server() as proxy:
        client = RoomsClient("https://contoso.example", KEY, retry_total=0, proxies={"https": proxy.endpoint})
        with pytest.raises(ServiceRequestError, match="Tunnel connection failed: 501"):
            client.get_room("99")


def test_netrc_does_not_replace_the_signature(
    emulator: RoomsEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert RoomsClient.from_connection_string(emulator.connection_string).create_room().id


def test_cookies_are_not_kept() -> None:
    with scripted_server(Answer(body=ROOM, headers={"Set-Cookie": "a=b"}), Answer(body=ROOM)) as server:
        client = RoomsClient(server.endpoint, KEY)
        client.get_room("99")
        client.get_room("99")
    assert "Cookie" not in server.requests[1][2]


def test_a_compressed_answer_is_read_whole_and_streamed() -> None:
    answer = Answer(body=gzip.compress(ROOM), headers={"Content-Encoding": "gzip"})
    with scripted_server(answer, answer) as server:
        client = RoomsClient(server.endpoint, KEY)
        assert client.get_room("99").id
        with client.send_request(HttpRequest("GET", "/rooms/99"), stream=True) as response:
            assert b"".join(response.iter_bytes()) == ROOM
    assert server.requests[0][2]["Accept-Encoding"] == "gzip, deflate"


def test_a_chunked_answer_is_read_whole() -> None:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (ROOM[:7], ROOM[7:90], ROOM[90:], b""))
    with scripted_server(Answer(body=chunks, headers={"Transfer-Encoding": "chunked"})) as server:
        assert RoomsClient(server.endpoint, KEY).get_room("99").as_dict() == json.loads(ROOM)


def test_form_data_is_refused() -> None:
    class Token:
        def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:
            return AccessToken("token-1", 2**33)

    client = RoomsClient("https://127.0.0.1:1", Token())
    with pytest.raises(TypeError, match="form data and files cannot be sent"):
        client.send_request(HttpRequest("POST", "/rooms", data={"a": "b"}))


def test_one_connection_is_used_again_and_again() -> None:
    with scripted_server(*[Answer(body=ROOM)] * 5) as server:
        client = RoomsClient(server.endpoint, KEY)
        for _ in range(5):
            client.get_room("99")
        [(pool, _)] = pools_of(client)
        assert pool.num_connections == 1


def test_what_is_given_per_call_does_not_stick() -> None:
    with scripted_server(*[Answer(body=ROOM)] * 2) as one, scripted_server(Answer(body=ROOM)) as other:
        client = RoomsClient("http://contoso.example", KEY)
        for proxy in (one, other, one):
            client.get_room("99", proxies={"http": proxy.endpoint})
        assert (len(one.requests), len(other.requests)) == (2, 1)


def test_each_client_certificate_has_connections_of_its_own(
    tls_emulator: RoomsEmulator, certificates: Certificates
) -> None:
    client = RoomsClient.from_connection_string(
        tls_emulator.connection_string, connection_verify=certificates.authority
    )
    cert = [certificates.certfile, certificates.keyfile]
    each: list[dict[str, Any]] = [{}, {"connection_cert": tuple(cert)}, {"connection_cert": cert}]
    for given in each:
        client.create_room(**given)
    assert [pool.cert_file for pool, _ in pools_of(client)] == [None, certificates.certfile]
    with pytest.raises(OSError, match=r"/no/such/file\.pem"):
        client.create_room(connection_cert="/no/such/file.pem")


def test_a_fragment_does_not_change_how_a_proxy_is_asked() -> None:
    with scripted_server(*[Answer(body=ROOM)] * 2) as proxy:
        client = RoomsClient("http://contoso.example", KEY, proxies={"http": proxy.endpoint})
        client.send_request(HttpRequest("GET", "/rooms/99?api-version=2025-03-13#top"))
        client.get_room("99")
    assert [target for _, target, _ in proxy.requests] == ["http://contoso.example/rooms/99?api-version=2025-03-13"] * 2


@pytest.mark.parametrize("url", ["http://[x", "http://127.0.0.1:99999"])
def test_a_proxy_that_is_no_url_is_an_error_of_azure_cores(url: str) -> None:
    client = RoomsClient("http://contoso.example", KEY, proxies={"http": url}, retry_total=0)
    with pytest.raises(AzureError):
        client.get_room("99")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"not gzip", headers={"Content-Encoding": "gzip"}),
        Answer(body=b"zz\r\n", headers={"Transfer-Encoding": "chunked"}),
    ],
)
def test_an_answer_that_cannot_be_read_is_a_service_response_error(answer: Answer) -> None:
    with scripted_server(answer) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        with pytest.raises(ServiceResponseError):
            client.get_room("99")


def test_a_delete_whose_answer_tls_could_not_read_counts_as_done(certificates: Certificates) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.certfile, certificates.keyfile)
    not_found = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    def serve(listener: socket.socket) -> None:
        for garbled in (True, False):
            plain, _ = listener.accept()
            with plain, context.wrap_socket(plain.dup(), server_side=True) as connection:
                connection.recv(65536)
                plain.sendall(not_found) if garbled else connection.sendall(not_found)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        endpoint = f"https://127.0.0.1:{listener.getsockname()[1]}"
        RoomsClient(endpoint, KEY, connection_verify=certificates.authority, retry_backoff_factor=0).delete_room("99")
        server.join()


def test_threads_share_a_client_and_open_no_more_connections_than_there_are_threads(emulator: RoomsEmulator) -> None:
    threads = 24
    together = threading.Barrier(threads)
    with RoomsClient.from_connection_string(emulator.connection_string) as client:
        room_id = client.create_room().id
        emulator.inject(delay=0.5, method="GET", times=threads)

        def work(_: int) -> list[str]:
            together.wait()
            client.get_room(room_id)  # all of them at once
            return [client.create_room().id for _ in range(10)]

        with ThreadPoolExecutor(threads) as executor:
            ids = [room_id for created in executor.map(work, range(threads)) for room_id in created]
        [(pool, _)] = pools_of(client)
        assert pool.num_connections <= threads
        assert len(set(ids)) == threads * 10
        assert {room.id for room in client.list_rooms()} == {room_id, *ids}


def test_a_key_can_be_rotated_while_threads_use_the_client() -> None:
    first, second = "Zmlyc3Q=", "c2Vjb25k"
    credential = AzureKeyCredential(first)
    with RoomsEmulator(access_key=first) as one, RoomsEmulator(access_key=second) as other:
        stop = threading.Event()

        def rotate() -> None:
            while not stop.is_set():
                credential.update(second)
                credential.update(first)

        rotation = threading.Thread(target=rotate)
        rotation.start()
        try:
            clients = [RoomsClient(emulator.endpoint, credential) for emulator in (one, other)]
            refused = accepted = 0
            while not (refused and accepted):
                for client in clients:
                    status = client.send_request(HttpRequest("GET", "/rooms?api-version=2025-03-13")).status_code
                    assert status in (200, 401)  # signed with one key or the other, never with a mixture
                    accepted, refused = accepted + (status == 200), refused + (status == 401)
        finally:
            stop.set()
            rotation.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_worker_opens_connections_of_its_own(emulator: RoomsEmulator) -> None:
    program = f"""
import os, sys
from azure.communication.rooms import RoomsClient
client = RoomsClient.from_connection_string({emulator.connection_string!r})
session = client._client._pipeline._transport.session
ours = client.create_room().id
[(parents_pool, _)] = session._pools.values()
child = os.fork()
theirs = [client.create_room().id for _ in range(20)]
[(pool, _)] = session._pools.values()
assert (pool is parents_pool) == (child != 0)
if child == 0:
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    client = RoomsClient.from_connection_string(emulator.connection_string)
    assert len({room.id for room in client.list_rooms()}) == 1 + 20 + 20
    assert all(request.answer in (200, 201) for request in emulator.requests)


def test_a_session_of_the_callers_is_used(emulator: RoomsEmulator) -> None:
    session = RoomsSession(trust_env=False)
    client = RoomsClient.from_connection_string(emulator.connection_string, session=session)
    client.create_room()
    assert len(session._pools) == 1
