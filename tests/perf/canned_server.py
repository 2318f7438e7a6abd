"""A server that answers like the Rooms service, at once and always the same, so that what is measured is the client.

It looks at the method and the shape of the path, and at nothing else. What it does is asked for on standard input, one
JSON object a line, and answered on standard output: ``{"do": "listen", "rooms": 30, "page": 30, "delay": 0}`` answers
the endpoint of a resource with so many rooms to list, in pages of so many, and seconds to wait before each answer;
``{"do": "opened", "endpoint": ...}`` how many connections it got since it was last asked. The end of the input ends it.
"""

import asyncio
import json
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
# As long as the service's. It begins with how many rooms there are still to come.
TOKEN_LENGTH = 2048


def answer(status: str, body: object) -> bytes:
    return with_head(status, b"" if body is None else json.dumps(body, separators=(",", ":")).encode())


def with_head(status: str, content: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(content)}\r\n"
        "MS-CV: 0000000000000000000000.0\r\nRequest-Context: appId=\r\n"
        "api-supported-versions: 2023-06-14, 2024-04-15, 2025-03-13\r\nX-Azure-Ref: 0000000000000000\r\n"
        "Date: Mon, 23 Nov 2026 12:00:00 GMT\r\n\r\n"
    )
    return head.encode() + content


CREATED = answer("201 Created", ROOM)
GOT = answer("200 OK", ROOM)
DELETED = answer("204 No Content", None)
CHANGED = answer("200 OK", {})
LISTED = answer("200 OK", {"value": PARTICIPANTS})


@lru_cache
def rooms_json(count: int) -> str:
    return json.dumps([ROOM] * count, separators=(",", ":"))


class Resource:
    """What one port answers."""

    def __init__(self, rooms: int, page: int, delay: float) -> None:
        self.rooms = rooms
        self.page = page
        self.delay = delay
        self.endpoint = ""
        self.opened = 0

    def answer(self, method: bytes, target: bytes) -> bytes:
        path, _, query = target.partition(b"?")
        if method == b"POST":
            return CREATED
        if method == b"DELETE":
            return DELETED
        if method == b"PATCH":
            return CHANGED if path.endswith(b"/participants") else GOT
        if path.endswith(b"/participants"):
            return LISTED
        return self.page_of_rooms(query) if path == b"/rooms" else GOT

    def page_of_rooms(self, query: bytes) -> bytes:
        token = next((part for part in query.split(b"&") if part.startswith(b"nextLink=")), None)
        left = self.rooms if token is None else int(token.removeprefix(b"nextLink=").rstrip(b"A"))
        count = min(left, self.page)
        link = ""
        if left > count:
            token_text = str(left - count).ljust(TOKEN_LENGTH, "A")
            link = f',"nextLink":"{self.endpoint}/rooms?nextLink={token_text}&api-version=2025-03-13"'
        return with_head("200 OK", f'{{"value":{rooms_json(count)}{link}}}'.encode())


class Connection(asyncio.Protocol):
    """Requests of one connection, one after the other."""

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
            content = self.resource.answer(method, target)
            if self.resource.delay:
                asyncio.get_running_loop().call_later(self.resource.delay, self.transport.write, content)
            else:
                self.transport.write(content)


async def main() -> None:
    loop = asyncio.get_running_loop()
    resources: dict[str, Resource] = {}
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        result: object
        if request.pop("do") == "listen":
            resource = Resource(**request)
            server = await loop.create_server(partial(Connection, resource), "127.0.0.1", 0, backlog=1024)
            resource.endpoint = result = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            resources[resource.endpoint] = resource
        else:
            resource = resources[request["endpoint"]]
            result, resource.opened = resource.opened, 0
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
