"""A loopback server that sends exactly the given bytes, for responses that no HTTP library would send."""

import contextlib
import io
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser

from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import RoomsClient

from .certificates import Certificates

ROOM = (
    b'{"id":"99445276259151407","createdAt":"2026-12-01T09:00:00+00:00",'
    b'"validFrom":"2026-12-01T09:00:00+00:00","validUntil":"2026-12-02T09:00:00+00:00"}'
)
OTHER_ROOM = ROOM.replace(b"99445276259151407", b"99000000000000000")
KEY = "a2V5"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"


def response(body: bytes = ROOM, status: str = "200 OK", headers: str = "") -> bytes:
    """A complete response with these headers and a Content-Length."""
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def raw_response(headers: str, body: bytes, status: str = "200 OK") -> bytes:
    """A response with only these headers."""
    return f"HTTP/1.1 {status}\r\n{headers}\r\n\r\n".encode() + body


def get(client: RoomsClient, stream: bool = False) -> HttpResponse:
    """Request a room. Return the response instead of the room."""
    return client.send_request(HttpRequest("GET", "/rooms/99?api-version=2025-03-13"), stream=stream)


@dataclass
class Request:
    method: str
    target: str
    headers: Message
    body: bytes
    connection: int  # the connection's number, from 0


class Connection:
    """One connection of a client to the server."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.number = number
        self.stopped = threading.Event()  # set when the test ends

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def trickle(self, data: bytes, pause: float = 0.02) -> None:
        """Send the data byte by byte, with a pause before each one."""
        for byte in data:
            if self.stopped.wait(pause):
                return
            self.sock.sendall(bytes([byte]))

    def start_tls(self, certificates: Certificates) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates.certfile, certificates.keyfile)
        self.sock = context.wrap_socket(self.sock, server_side=True)

    def close(self) -> None:
        """Close the connection. This also wakes the thread that waits for the next request."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def read_request(self) -> Request | None:
        """Read the next request. Return None if the client has closed the connection."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.sock.recv(1)
            if not byte:
                return None
            head += byte
        line, _, rest = head.partition(b"\r\n")
        method, target, _ = line.decode("latin-1").split(" ")
        headers = BytesParser().parse(io.BytesIO(rest), headersonly=True)
        length = int(headers.get("Content-Length", 0))
        body = b""
        while len(body) < length:
            data = self.sock.recv(length - len(body))
            if not data:
                return None
            body += data
        return Request(method, target, headers, body, self.number)


Step = bytes | Callable[[Connection], None]


def then_close(data: bytes) -> Step:
    """Send the data, then close the connection."""

    def step(connection: Connection) -> None:
        connection.send(data)
        connection.close()

    return step


@dataclass
class WireServer:
    port: int
    steps: list[Step]
    requests: list[Request] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    is_tls: bool = False

    @property
    def endpoint(self) -> str:
        return f"{'https' if self.is_tls else 'http'}://127.0.0.1:{self.port}"


@contextmanager
def wire_server(
    *steps: Step,
    forever: Callable[[Connection, Request], None] | None = None,
    certificates: Certificates | None = None,
    on_connect: Callable[[Connection], None] | None = None,
) -> Iterator[WireServer]:
    """Run a server on loopback. For each request, it takes the next step: bytes to send, or a function to call.

    If you pass ``forever``, the server calls that for each request instead. It calls ``on_connect`` with each new
    connection, before it reads the first request.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    server = WireServer(listener.getsockname()[1], list(steps), is_tls=certificates is not None)
    threads: list[threading.Thread] = []

    def serve(connection: Connection) -> None:
        with contextlib.suppress(OSError):  # the client or the test closed the connection
            if certificates is not None:
                connection.start_tls(certificates)
            if on_connect is not None:
                on_connect(connection)
            while (request := connection.read_request()) is not None:
                if forever is not None:
                    forever(connection, request)
                    continue
                server.requests.append(request)
                step = server.steps.pop(0)
                if callable(step):
                    step(connection)
                else:
                    connection.send(step)
        connection.close()

    def accept() -> None:
        with contextlib.suppress(OSError):  # the test has ended
            while True:
                sock, _ = listener.accept()
                connection = Connection(sock, len(server.connections))
                server.connections.append(connection)
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield server
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the acceptor
        listener.close()
        acceptor.join()
        for connection in server.connections:
            connection.stopped.set()
            connection.close()
        for thread in threads:
            thread.join()
