"""A loopback HTTP server that sends given responses. Tests use it for responses that the emulator never sends."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .certificates import Certificates


@dataclass
class Response:
    status_code: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Script:
    """The responses still to send, and the requests received so far: method, target and headers."""

    endpoint: str
    responses: list[Response]
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def scripted_server(*responses: Response, certificates: Certificates | None = None) -> Iterator[Script]:
    """Run a server that sends these responses in turn. It uses TLS if there are certificates."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def respond(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            script.requests.append((self.command, self.path, dict(self.headers.items())))
            response = script.responses.pop(0)
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                self.send_header(name, value)
            if "Transfer-Encoding" not in response.headers:
                self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_POST = do_PATCH = do_DELETE = respond  # noqa: N815 - http.server requires these names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificates is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificates.certfile, certificates.keyfile)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "http" if certificates is None else "https"
        script = Script(f"{scheme}://127.0.0.1:{server.server_port}", list(responses))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
