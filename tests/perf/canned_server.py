"""A server that answers like the Rooms service, at once and always the same, so that what is measured is the client.

It looks at the method and the shape of the path, and at nothing else. ``GET /_connections`` tells how many connections
were opened since it was last asked.
"""

import argparse
import asyncio
import json
from typing import ClassVar

ROOM = {
    "id": "99445276259151407",
    "createdAt": "2026-11-23T09:41:05.1688857+00:00",
    "validFrom": "2026-12-01T09:00:00.903276+00:00",
    "validUntil": "2027-05-30T09:00:00+00:00",
    "pstnDialOutEnabled": False,
}
PARTICIPANTS = [{"rawId": f"8:acs:resource_user-{number:04}", "role": "Attendee"} for number in range(30)]


def answer(status: str, body: object) -> bytes:
    content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(content)}\r\n"
        "MS-CV: 0000000000000000000000.0\r\nRequest-Context: appId=\r\n"
        "api-supported-versions: 2023-06-14, 2024-04-15, 2025-03-13\r\nX-Azure-Ref: 0000000000000000\r\n"
        "Date: Mon, 23 Nov 2026 12:00:00 GMT\r\n\r\n"
    )
    return head.encode() + content


class Canned(asyncio.Protocol):
    """Requests of one connection, one after the other."""

    delay = 0.0
    opened = 0
    rooms: ClassVar[dict[tuple[int, int], bytes]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Canned.opened += 1
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = b""

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
            if Canned.delay:
                asyncio.get_running_loop().call_later(Canned.delay, self.transport.write, self.answer(method, target))
            else:
                self.transport.write(self.answer(method, target))

    def answer(self, method: bytes, target: bytes) -> bytes:
        path, _, query = target.partition(b"?")
        if path == b"/_connections":
            opened, Canned.opened = Canned.opened, 0
            return answer("200 OK", opened)
        if method == b"POST":
            return CREATED
        if method == b"DELETE":
            return DELETED
        if method == b"PATCH":
            return CHANGED if path.endswith(b"/participants") else GOT
        if path.endswith(b"/participants"):
            return LISTED
        return self.page(query) if path == b"/rooms" else GOT

    def page(self, query: bytes) -> bytes:
        """A page of a listing: the link holds how many rooms there are still to come, and how many a page has."""
        link = next((part for part in query.split(b"&") if part.startswith(b"nextLink=")), b"nextLink=30.30")
        left, size = (int(number) for number in link.removeprefix(b"nextLink=").split(b"."))
        key = (min(left, size), max(left - size, 0))
        if key not in Canned.rooms:
            body: dict[str, object] = {"value": [ROOM] * key[0]}
            if key[1]:
                body["nextLink"] = f"https://contoso.example/rooms?nextLink={key[1]}.{size}&api-version=2025-03-13"
            Canned.rooms[key] = answer("200 OK", body)
        return Canned.rooms[key]


CREATED = answer("201 Created", ROOM)
GOT = answer("200 OK", ROOM)
DELETED = answer("204 No Content", None)
CHANGED = answer("200 OK", {})
LISTED = answer("200 OK", {"value": PARTICIPANTS})


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0)
    Canned.delay = parser.parse_args().delay
    server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
