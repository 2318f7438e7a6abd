"""A server that sends constant responses in the service's format, so that the benchmark measures only the client.

It chooses a response by the method and the shape of the path. It reads commands from standard input, one JSON object
per line, and prints the result of each as one line of JSON:

* ``{"command": "listen", "rooms": 30, "delay": 0, "certfile": null}`` opens a port for a resource with this number of
  rooms and a delay in seconds before each response, over TLS if there is a certificate. The result is its endpoint.
* ``{"command": "opened", "endpoint": ...}`` returns the number of connections so far.

The server stops when its standard input is closed.
"""

import asyncio
import json
import ssl
import sys
from functools import lru_cache, partial

ROOM = {
    "id": "99445276259151407",
    "createdAt": "2026-11-23T09:41:05.1688857+00:00",
    "validFrom": "2026-12-01T09:00:00.903276+00:00",
    "validUntil": "2027-05-30T09:00:00+00:00",
    "pstnDialOutEnabled": False,
}
PARTICIPANTS = [{"rawId": f"8:acs:resource_user-{number:04}", "role": "Attendee"} for number in range(30)]
PAGE_SIZE = 30
# Page tokens are as long as the service's. They begin with the number of rooms left to list.
TOKEN_LENGTH = 2048


def response(status: str, content: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(content)}\r\n"
        "MS-CV: 0000000000000000000000.0\r\nRequest-Context: appId=\r\n"
        "api-supported-versions: 2023-06-14, 2024-04-15, 2025-03-13\r\nX-Azure-Ref: 0000000000000000\r\n"
        "Date: Mon, 23 Nov 2026 12:00:00 GMT\r\n\r\n"
    )
    return head.encode() + content


def compact_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


@lru_cache
def rooms_json(count: int) -> str:
    return compact_json([ROOM] * count)


ROOM_CREATED = response("201 Created", compact_json(ROOM).encode())
ROOM_FOUND = response("200 OK", compact_json(ROOM).encode())
ROOM_DELETED = response("204 No Content", b"")
PARTICIPANTS_CHANGED = response("200 OK", b"{}")
PARTICIPANTS_LISTED = response("200 OK", compact_json({"value": PARTICIPANTS}).encode())


class Resource:
    """A simulated resource. Each has its own port."""

    def __init__(self, rooms: int, delay: float) -> None:
        self.rooms = rooms
        self.delay = delay
        self.endpoint = ""
        self.opened = 0

    def respond(self, method: bytes, target: bytes) -> bytes:
        path, _, query = target.partition(b"?")
        if method == b"POST":
            return ROOM_CREATED
        if method == b"DELETE":
            return ROOM_DELETED
        if path.endswith(b"/participants"):
            return PARTICIPANTS_CHANGED if method == b"PATCH" else PARTICIPANTS_LISTED
        return self.page_of_rooms(query) if path == b"/rooms" else ROOM_FOUND

    def page_of_rooms(self, query: bytes) -> bytes:
        token = next((part for part in query.split(b"&") if part.startswith(b"nextLink=")), None)
        left = self.rooms if token is None else int(token.removeprefix(b"nextLink=").rstrip(b"A"))
        count = min(left, PAGE_SIZE)
        link = ""
        if left > count:
            token_text = str(left - count).ljust(TOKEN_LENGTH, "A")
            link = f',"nextLink":"{self.endpoint}/rooms?nextLink={token_text}&api-version=2025-03-13"'
        return response("200 OK", f'{{"value":{rooms_json(count)}{link}}}'.encode())


class Connection(asyncio.Protocol):
    """A connection, which may be used for several requests in turn."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.resource.opened += 1

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end].lower()
            at = head.find(b"\r\ncontent-length:")
            length = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.received) < end + 4 + length:
                return
            method, target, _ = self.received[: self.received.index(b"\r\n")].split(b" ")
            self.received = self.received[end + 4 + length :]
            content = self.resource.respond(method, target)
            if self.resource.delay:
                asyncio.get_running_loop().call_later(self.resource.delay, self.transport.write, content)
            else:
                self.transport.write(content)


async def listen(rooms: int, delay: float, certfile: str | None) -> Resource:
    resource, context = Resource(rooms, delay), None
    if certfile:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certfile)
    server = await asyncio.get_running_loop().create_server(
        partial(Connection, resource), "127.0.0.1", 0, backlog=1024, ssl=context
    )
    scheme = "https" if certfile else "http"
    resource.endpoint = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    return resource


async def main() -> None:
    loop = asyncio.get_running_loop()
    resources: dict[str, Resource] = {}
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        result: object
        if request.pop("command") == "listen":
            resource = await listen(**request)
            resources[resource.endpoint] = resource
            result = resource.endpoint
        else:
            result = resources[request["endpoint"]].opened
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
