"""A loopback HTTP server that sends given responses. Tests use it for responses that the emulator never sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .wire_server import Connection, Request, response, wire_server


@dataclass
class Response:
    status_code: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Script:
    """The responses still to send, and the requests received so far: method, target and headers."""

    responses: list[Response]
    endpoint: str = ""
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def scripted_server(*responses: Response) -> Iterator[Script]:
    """Run a server that sends these responses in turn."""
    script = Script(list(responses))

    def respond(connection: Connection, request: Request) -> None:
        script.requests.append((request.method, request.target, dict(request.headers.items())))
        next_response = script.responses.pop(0)
        headers = "".join(f"{name}: {value}\r\n" for name, value in next_response.headers.items())
        connection.send(response(next_response.body, f"{next_response.status_code} Reason", headers))

    with wire_server(forever=respond) as server:
        script.endpoint = server.endpoint
        yield script
