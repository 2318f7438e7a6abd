"""The transport: test doubles reach it, clients share its connections, and a broken connection costs one attempt."""

import copy
import io
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import requests
import requests_mock
import responses
import vcr  # type: ignore[import-untyped]
from azure.core.exceptions import ServiceRequestError, ServiceResponseError, ServiceResponseTimeoutError
from azure.core.rest import HttpRequest
from requests.exceptions import InvalidSchema
from urllib3 import HTTPResponse
from urllib3.exceptions import InsecureRequestWarning

from azure.communication.rooms import RoomsClient

from .support import posix
from .support.certificates import Certificates
from .support.waiting import wait_for
from .support.wire_server import ROOM, ROOM_ID, Connection, Request, response, then_close, wire_server

KEY = "a2V5"
OTHER_ID = "99000000000000000"
OTHER_ROOM = ROOM.replace(ROOM_ID.encode(), OTHER_ID.encode())
ROOMS = HttpRequest("GET", "/rooms?api-version=2025-03-13")


def use(client: RoomsClient, **options: Any) -> str:
    return client.get_room(ROOM_ID, **options).id


def open_connections(client: RoomsClient, count: int) -> None:
    """Use this many connections at once. They are idle afterwards."""
    for streamed in [client.send_request(ROOMS, stream=True) for _ in range(count)]:
        streamed.read()


def answer_once(then: Callable[[Connection], object]) -> Callable[[Connection, Request], None]:
    """Answer the first request on each connection. At the next one, do what ``then`` does."""
    answered: set[int] = set()

    def respond(connection: Connection, request: Request) -> None:
        if connection.number in answered:
            then(connection)
        else:
            answered.add(connection.number)
            connection.send(response())

    return respond


def canned_response(*args: Any, **kwargs: Any) -> requests.Response:
    canned = requests.Response()
    canned.status_code = 200
    canned.raw = HTTPResponse(io.BytesIO(OTHER_ROOM), preload_content=False)
    return canned


@contextmanager
def responses_package(endpoint: str) -> Iterator[None]:
    with responses.RequestsMock() as double:
        double.get(f"{endpoint}/rooms/{ROOM_ID}", body=OTHER_ROOM)
        yield


@contextmanager
def requests_mock_package(endpoint: str) -> Iterator[None]:
    with requests_mock.Mocker() as double:
        double.get(f"{endpoint}/rooms/{ROOM_ID}", content=OTHER_ROOM)
        yield


class FakeSession:
    request = canned_response


DOUBLES: dict[str, Callable[[str], AbstractContextManager[Any]]] = {
    "responses": responses_package,
    "requests-mock": requests_mock_package,
    "Session.request": lambda _: mock.patch.object(requests.Session, "request", canned_response),
    "Session.send": lambda _: mock.patch.object(requests.Session, "send", canned_response),
    "Session": lambda _: mock.patch.object(requests, "Session", FakeSession),
}


@pytest.mark.parametrize("double", DOUBLES.values(), ids=DOUBLES)
def test_double_reaches_every_client(double: Callable[[str], AbstractContextManager[Any]]) -> None:
    with wire_server(response(), response()) as server:
        client = RoomsClient(server.endpoint, KEY)
        assert use(client) == ROOM_ID
        with double(server.endpoint):
            assert use(client) == use(RoomsClient(server.endpoint, KEY)) == OTHER_ID
        assert len(server.requests) == 1
        assert use(client) == ROOM_ID


# On Python 3.10, the idle connections that vcrpy drops without closing them are reported.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_vcrpy_reaches_every_client(tmp_path: Path) -> None:
    with wire_server(response(), response(OTHER_ROOM)) as server:
        client = RoomsClient(server.endpoint, KEY)
        assert use(client) == ROOM_ID
        for client_now in (client, client, RoomsClient(server.endpoint, KEY)):  # the first call records the response
            with vcr.use_cassette(tmp_path / "cassette.yaml"):
                assert use(client_now) == OTHER_ID
    assert len(server.requests) == 2


def test_instrumentation_sees_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    send = requests.Session.send

    def instrumented(self: requests.Session, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        request.headers["traceparent"] = "00-1"
        return send(self, request, **kwargs)

    with wire_server(response(), response()) as server:
        client = RoomsClient(server.endpoint, KEY)
        use(client)
        monkeypatch.setattr(requests.Session, "send", instrumented)
        use(client)
    assert [request.headers["traceparent"] for request in server.requests] == [None, "00-1"]


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


class OwnSession(requests.Session):
    closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("session_owner", [True, False])
def test_session_of_the_caller_is_used_as_it_is(session_owner: bool, clean_environment: pytest.MonkeyPatch) -> None:
    session = OwnSession()
    session.cookies.set("colour", "blue")
    adapters = dict(session.adapters)
    clean_environment.setenv("http_proxy", "http://127.0.0.1:1")
    with wire_server(then_close(b""), response()) as proxy:
        with RoomsClient("http://contoso", KEY, session=session, session_owner=session_owner) as client:
            clean_environment.setenv("http_proxy", proxy.endpoint)  # the session reads it for each request
            assert use(client) == ROOM_ID
            assert session.closed == 0
        assert session.closed == session_owner
        super(OwnSession, session).close()
    assert [request.headers["Cookie"] for request in proxy.requests] == ["colour=blue"] * 2
    assert (dict(session.adapters), session.trust_env) == (adapters, True)


@pytest.mark.parametrize("is_closed", [True, False])
@pytest.mark.parametrize("through_proxy", [True, False])
def test_client_for_each_call_makes_one_connection(
    certificates: Certificates, is_closed: bool, through_proxy: bool
) -> None:
    with wire_server(forever=response(), certificates=None if through_proxy else certificates) as server:
        options: Any = {"connection_verify": certificates.authority}
        if through_proxy:
            options = {"proxies": {"http": server.endpoint}}
        for _ in range(10):
            client = RoomsClient("http://contoso" if through_proxy else server.endpoint, KEY, **options)
            use(client)
            if is_closed:
                client.close()
    assert len(server.requests) == 10
    assert len(server.connections) == 1


INTERRUPTIONS = """if True:
    import contextlib, random, signal, sys
    from azure.core.exceptions import AzureError
    from azure.communication.rooms import RoomsClient

    class TimeLimit(Exception): pass

    def interrupt(*args):
        raise error()

    signal.signal(signal.SIGALRM, interrupt)
    for error in (TimeLimit, TimeoutError):
        for _ in range(500):
            with contextlib.suppress(error, AzureError):
                signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0002, 0.0025))
                RoomsClient(sys.argv[1], "a2V5", retry_total=0).get_room("1")
                signal.setitimer(signal.ITIMER_REAL, 0)
            RoomsClient(sys.argv[1], "a2V5").get_room("1")
"""


@posix
def test_exceptions_of_signal_handlers_stop_no_later_call() -> None:
    with wire_server(forever=response()) as server:
        # Without -W error: a finalizer that is interrupted may leave a connection open.
        subprocess.run([sys.executable, "-c", INTERRUPTIONS, server.endpoint], check=True, timeout=60)
    assert len(server.requests) > 1000


def test_call_after_an_interrupted_one_gets_a_new_connection() -> None:
    def interrupted(*args: Any, **kwargs: Any) -> requests.Response:
        raise KeyboardInterrupt

    with wire_server(forever=response()) as server:
        client = RoomsClient(server.endpoint, KEY)
        use(client)
        with mock.patch.object(requests.Session, "send", interrupted), pytest.raises(KeyboardInterrupt):
            use(client)
        use(client)
        use(RoomsClient(server.endpoint, KEY))
    assert [request.connection for request in server.requests] == [0, 1, 1]


def test_frozen_idle_connections_cost_one_attempt() -> None:
    with wire_server(forever=answer_once(then=lambda connection: connection.stopped.wait())) as server:
        client = RoomsClient(server.endpoint, KEY, read_timeout=0.2)
        open_connections(client, 4)
        assert use(client) == ROOM_ID
        assert server.requests[-1].connection == 4
    assert len(server.requests) == 6


def test_failure_closes_the_idle_connections_to_its_endpoint() -> None:
    with wire_server(response(), response()) as other, wire_server(forever=answer_once(Connection.close)) as server:
        use(RoomsClient(other.endpoint, KEY))
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        open_connections(client, 3)
        with pytest.raises(ServiceResponseError):
            use(client)
        wait_for(lambda: all(connection.sock.fileno() == -1 for connection in server.connections))
        open_connections(client, 3)
        use(RoomsClient(other.endpoint, KEY))
    assert [request.connection for request in server.requests[-3:]] == [3, 4, 5]
    assert len(other.connections) == 1


def test_stalled_body_is_a_timeout() -> None:
    def stall(connection: Connection, request: Request) -> None:
        connection.send(response()[:-9])
        connection.stopped.wait()

    with wire_server(stall) as server, pytest.raises(ServiceResponseTimeoutError):
        use(RoomsClient(server.endpoint, KEY, read_timeout=0.2, retry_total=0))


def test_failure_does_not_disturb_calls_in_flight() -> None:
    failed = threading.Event()

    def respond(connection: Connection, request: Request) -> None:
        if connection.number == 0:
            connection.send(response()[:-9])
            failed.wait()
            connection.send(response()[-9:])
        connection.close()

    with wire_server(forever=respond) as server:
        client = RoomsClient(server.endpoint, KEY, retry_total=0)
        in_flight = client.send_request(ROOMS, stream=True)
        with pytest.raises(ServiceResponseError):
            use(client)
        failed.set()
        assert in_flight.read() == ROOM


def run_script(script: str, endpoint: str) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", script, endpoint], check=True)


@posix
def test_forked_child_opens_its_own_connection() -> None:
    script = """if True:
        import os, sys
        from azure.communication.rooms import RoomsClient
        client = RoomsClient(sys.argv[1], "a2V5")
        client.get_room("1")
        child = os.fork()
        client.get_room("1")
        if child:
            sys.exit(os.waitpid(child, 0)[1])
    """
    with wire_server(forever=response()) as server:
        run_script(script, server.endpoint)
    assert sorted(request.connection for request in server.requests) == [0, 0, 1]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda client: pickle.loads(pickle.dumps(client))])
def test_copy_shares_the_connections(copied: Callable[[RoomsClient], RoomsClient]) -> None:
    with wire_server(forever=response()) as server:
        client = RoomsClient(server.endpoint, KEY)
        use(client)
        other = copied(client)
        use(other)
        client.close()
        assert use(other) == ROOM_ID
    assert len(server.connections) == 1


def test_cookies_are_not_kept() -> None:
    with wire_server(response(headers="Set-Cookie: colour=blue\r\n"), response()) as server:
        client = RoomsClient(server.endpoint, KEY)
        use(client)
        use(client)
    assert "Cookie" not in server.requests[1].headers


def test_netrc_never_replaces_the_signature(
    client: RoomsClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert client.create_room().id


def test_proxies_of_the_environment(clean_environment: pytest.MonkeyPatch) -> None:
    with wire_server(forever=response()) as proxy, wire_server(forever=response()) as server:
        client = RoomsClient(server.endpoint, KEY)
        clean_environment.setenv("http_proxy", proxy.endpoint)
        use(client)
        use(RoomsClient(server.endpoint, KEY, use_env_settings=False))
        clean_environment.setenv("no_proxy", "127.0.0.1")
        use(client)
        use(client, proxies={"http": proxy.endpoint})
        clean_environment.delenv("no_proxy")
        use(client, proxies={"http": None})
    assert len(server.requests) == 3
    assert [request.target.partition("?")[0] for request in proxy.requests] == [
        f"{server.endpoint}/rooms/{ROOM_ID}"
    ] * 2


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_of_the_environment(
    clean_environment: pytest.MonkeyPatch, certificates: Certificates, name: str
) -> None:
    with wire_server(forever=response(), certificates=certificates) as server:
        client = RoomsClient(server.endpoint, KEY)
        clean_environment.setenv(name, certificates.authority)
        assert use(client) == ROOM_ID
        with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
            use(RoomsClient(server.endpoint, KEY, use_env_settings=False))
        clean_environment.delenv(name)
        with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
            use(client)


def test_untrusted_certificate_is_not_retried(
    clean_environment: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    with wire_server(certificates=certificates) as server:
        with pytest.raises(ServiceRequestError, match="set connection_verify or REQUESTS_CA_BUNDLE"):
            use(RoomsClient(server.endpoint, KEY))
        assert len(server.connections) == 1


@pytest.mark.parametrize(("host", "age", "problem"), [("127.0.0.1", 9, "expired"), ("contoso.example", 0, "mismatch")])
def test_another_ca_bundle_is_no_advice_if_the_authority_is_known(
    tmp_path: Path, host: str, age: int, problem: str
) -> None:
    certificates = Certificates(tmp_path, host, not_after=datetime.now(timezone.utc) + timedelta(days=1 - age))
    with wire_server(certificates=certificates) as server:
        with pytest.raises(ServiceRequestError, match=problem) as caught:
            use(RoomsClient(server.endpoint, KEY, connection_verify=certificates.authority))
        assert "REQUESTS_CA_BUNDLE" not in str(caught.value)
        assert len(server.connections) == 1


def test_socks_proxy_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args: Any, **kwargs: Any) -> None:  # what requests defines if PySocks is not installed
        raise InvalidSchema("Missing dependencies for SOCKS support.")

    monkeypatch.setattr("requests.adapters.SOCKSProxyManager", missing)
    with pytest.raises(ValueError, match=r"is a SOCKS proxy, which needs PySocks: install requests\[socks\]"):
        use(RoomsClient("http://contoso", KEY, proxies={"http": "socks5://127.0.0.1:1"}))


def test_unverified_connection_is_not_used_by_calls_that_verify(
    clean_environment: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    with wire_server(forever=response(), certificates=certificates) as server:
        client = RoomsClient(server.endpoint, KEY)
        with pytest.warns(InsecureRequestWarning):
            assert use(client, connection_verify=False) == ROOM_ID
        for verifying in (client, RoomsClient(server.endpoint, KEY)):
            with pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
                use(verifying)


@pytest.mark.parametrize("status", ["101 Switching Protocols", "102 Processing", "103 Early Hints"])
def test_interim_response_counts_as_no_response(status: str) -> None:
    interim = f"HTTP/1.1 {status}\r\n\r\n".encode()
    with wire_server(interim + response(OTHER_ROOM), response()) as server:
        client = RoomsClient(server.endpoint, KEY)
        with pytest.raises(ServiceResponseError, match="only an interim response came"):
            use(client, retry_total=0)
        assert use(client) == ROOM_ID


@pytest.mark.parametrize(
    "malformed",
    [
        b"",
        b"HTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 120 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_malformed_response_counts_as_no_response(malformed: bytes) -> None:
    with wire_server(then_close(malformed), response()) as server:
        client = RoomsClient(server.endpoint, KEY)
        with pytest.raises(ServiceResponseError):
            use(client, retry_total=0)
        assert use(client) == ROOM_ID
