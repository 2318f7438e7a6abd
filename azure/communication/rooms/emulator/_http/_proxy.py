"""An HTTPS proxy that leads clients of the service to the emulator, and all others where they want to go."""

import asyncio
import base64
import os
import re
import urllib.request
from contextlib import closing, suppress
from urllib.parse import unquote, urlsplit

from ._hosts import is_service_host

_CONNECT = re.compile(rb"CONNECT (\[[0-9a-fA-F:.]+\]|[^\s:/]+):(\d{1,5}) HTTP/1\.[01]\r\n", re.IGNORECASE)
_HEAD_TIMEOUT = 30
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def no_proxy() -> list[str]:
    """The hosts that the environment exempts from proxies."""
    names = ",".join(os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY"))
    return [name for name in re.split(r"[\s,]+", names) if name]


def domain_of(name: str) -> str:
    """The domain that ``.contoso.com``, ``*.contoso.com`` and ``contoso.com:443`` name in such a list."""
    return re.sub(r"^[*.]+|:\d+$", "", name.lower())


class Proxy:
    """Listens on this machine only. It uses the proxy that the environment names when this object is created."""

    def __init__(self, emulator_host: str) -> None:
        self._proxies = urllib.request.getproxies()
        self._direct = [domain_of(name) for name in no_proxy()]
        self._emulator_host = emulator_host
        self._emulator_port = 0
        self._tasks: set[asyncio.Task[None]] = set()  # the event loop itself holds only weak references
        self.url = ""

    async def start(self, emulator_port: int) -> asyncio.Server:
        self._emulator_port = emulator_port
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError, EOFError, asyncio.LimitOverrunError, asyncio.TimeoutError):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_TIMEOUT)
            match = _CONNECT.match(head)
            if match is None:
                await _refuse(writer, 405, "The Rooms emulator's proxy accepts only CONNECT: update axios to 1.16")
                return
            host, port = match[1].decode("latin-1").strip("[]").lower(), int(match[2])
            try:
                others_reader, others_writer = await self._connect(host, port, head, writer)
            except (OSError, OverflowError, ValueError) as error:
                await _refuse(writer, 502, f"The Rooms emulator's proxy cannot connect to {host}: {error}")
                return
            try:
                await asyncio.gather(_relay(reader, others_writer), _relay(others_reader, writer))
                others_writer.close()
            except BaseException:  # also if the emulator stops: do not wait until the peers read what is buffered
                others_writer.transport.abort()
                writer.transport.abort()
                raise

    async def _connect(self, host: str, port: int, head: bytes, client: asyncio.StreamWriter) -> _Streams:
        """Connect to where the client's bytes go from now on."""
        if is_service_host(host):
            streams = await asyncio.open_connection(self._emulator_host, self._emulator_port)
        else:
            proxy = self._proxies.get("https") or self._proxies.get("all")
            if proxy and not any(f".{host}".endswith(f".{domain}") for domain in self._direct):
                return await _connect_to_proxy(proxy, head)  # which responds to the client itself
            streams = await asyncio.open_connection(host, port)
        client.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return streams


async def _connect_to_proxy(proxy: str, head: bytes) -> _Streams:
    url = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if url.scheme not in ("http", "https"):
        raise ValueError(f"it does not support {url.scheme} proxies")
    is_tls = url.scheme == "https"
    reader, writer = await asyncio.open_connection(url.hostname, url.port or (443 if is_tls else 80), ssl=is_tls)
    credentials = b""
    if url.username is not None:
        user = f"{unquote(url.username)}:{unquote(url.password or '')}".encode()
        credentials = b"Proxy-Authorization: Basic " + base64.b64encode(user) + b"\r\n"
    writer.write(head.removesuffix(b"\r\n") + credentials + b"\r\n")
    return reader, writer


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass the bytes on, and then the end of the stream."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def _refuse(writer: asyncio.StreamWriter, status_code: int, reason: str) -> None:
    """Send the reason in the status line: clients show that line, but not the body."""
    writer.write(f"HTTP/1.1 {status_code} {reason}\r\nConnection: close\r\n\r\n".encode())
    await writer.drain()
