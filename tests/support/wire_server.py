"""A loopback server that sends exactly the given bytes, for responses that no HTTP library would send."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.client import parse_headers

from .certificates import Certificates

ROOM_ID = "99445276259151407"
ROOM = (
    b'{"id":"99445276259151407","createdAt":"2026-12-01T09:00:00+00:00",'
    b'"validFrom":"2026-12-01T09:00:00+00:00","validUntil":"2026-12-02T09:00:00+00:00"}'
)


def response(body: bytes = ROOM, status: str = "200 OK", headers: str = "") -> bytes:
    """A complete response with these headers and a Content-Length."""
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


@dataclass
class Request:
    method: str
    target: str
    headers: Message
    connection: int  # the connection's number, from 0


class Connection:
    """One connection of a client to the server."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.send = sock.sendall
        self.reader = sock.makefile("rb")
        self.number = number
        self.stopped = threading.Event()  # set when the connection or the test ends

    def close(self) -> None:
        """Close the connection. This also wakes the thread that waits for the next request."""
        self.stopped.set()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def read_request(self) -> Request | None:
        """Read the next request. Return None if the client has closed the connection."""
        line = self.reader.readline()
        if not line:
            return None
        method, target, _ = line.decode("latin-1").split(" ")
        headers = parse_headers(self.reader)
        self.reader.read(int(headers.get("Content-Length", 0)))
        return Request(method, target, headers, self.number)


Step = bytes | Callable[[Connection, Request], None]


def then_close(data: bytes) -> Step:
    """Send the data, then close the connection."""

    def step(connection: Connection, request: Request) -> None:
        connection.send(data)
        connection.close()

    return step


@dataclass
class WireServer:
    endpoint: str
    requests: list[Request] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)


@contextmanager
def wire_server(
    *steps: Step, forever: Step | None = None, certificates: Certificates | None = None
) -> Iterator[WireServer]:
    """Run a server on loopback. For each request, it takes the next step, or ``forever``: bytes to send, or a function.

    It uses TLS if there are certificates.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    scheme = "https" if certificates else "http"
    server = WireServer(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")
    remaining = list(steps)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if certificates:
        context.load_cert_chain(certificates.certfile)

    def serve(connection: Connection) -> None:
        with connection.reader, contextlib.suppress(OSError):  # the client or the test closed the connection
            while (request := connection.read_request()) is not None:
                if connection.stopped.is_set():
                    break  # after a shutdown, Python reads what was still sent without decrypting it
                server.requests.append(request)
                step = forever or remaining.pop(0)
                if isinstance(step, bytes):
                    connection.send(step)
                else:
                    step(connection, request)
        connection.close()

    def accept() -> None:
        with contextlib.suppress(OSError):  # the test has ended
            while True:
                sock, _ = listener.accept()
                if certificates:  # the handshake takes place in the connection's thread
                    sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                connection = Connection(sock, len(server.connections))
                server.connections.append(connection)
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

    threads = [threading.Thread(target=accept)]
    threads[0].start()
    try:
        yield server
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the acceptor
        listener.close()
        threads[0].join()
        for connection in server.connections:
            connection.close()
        for thread in threads:
            thread.join()
