"""HTTP/1.1 on one connection, the last step to the wire: formats a request, and reads its response strictly.

A response ends where its headers say. If they are ambiguous, reading the response raises an error and the connection is
not used again. Otherwise, the next call could take the rest of this response for its own.
"""

import re
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Protocol

from ._http import HEADER_VALUE, TOKEN

_REQUEST_LINE = re.compile(rf"{TOKEN} [!-~]+ HTTP/1\.1")
_HEADER = re.compile(f"{TOKEN}: {HEADER_VALUE}")
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2})(?: (.*))?")
_HEADER_NAME = re.compile(TOKEN)
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(r"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_MAX_HEAD = 128 * 1024
_RECEIVE_SIZE = 64 * 1024


class Stream(Protocol):
    """The part of a socket that reading a response needs."""

    def recv(self, size: int, /) -> bytes: ...


def request_bytes(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """Return the bytes of the request. Its Content-Length is always the body's actual length.

    :raises ValueError: A part of the head has characters that would change where the head or the request ends.
    """
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in headers.items():
        # A Content-Length that is too small would turn the rest of the body into a request.
        if name.lower() not in ("content-length", "transfer-encoding"):
            lines.append(f"{name}: {value}")
    if body is not None or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body or b'')}")
    if not _REQUEST_LINE.fullmatch(lines[0]) or not all(map(_HEADER.fullmatch, lines[1:])):
        raise ValueError("the request's method, URL or headers have characters that HTTP cannot send")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


class Http1Response:
    """A response whose head has been read, and whose body is read on demand.

    Its methods are those of http.client's response that ``RoomsResponse`` calls, so recording tools can replace it.

    :param stream: Where to read from.
    :param method: The request's method.
    :param on_close: Called once when the response is closed, with whether the connection can be used again.
    :raises HTTPException: The head is malformed or incomplete.
    """

    status: int
    reason: str

    def __init__(self, stream: Stream, method: str, on_close: Callable[[bool], None]) -> None:
        self._stream = stream
        self._on_close: Callable[[bool], None] | None = on_close
        self._buffer = b""
        self._position = 0  # of the next unread byte in the buffer
        self._headers: list[tuple[str, str]] = []
        self._is_chunked = False
        self._left: int | None = None  # bytes left in the body or in the chunk; None if it ends with the connection
        self._is_complete = False
        self._is_persistent = False
        version = self._read_head()
        while 100 <= self.status < 200:
            if self.status == 101:
                raise HTTPException("the server switched protocols")
            version = self._read_head()  # the head before it was an interim response
        self._set_length(method, version)

    def getheaders(self) -> list[tuple[str, str]]:
        return self._headers

    def read(self, size: int | None = None) -> bytes:
        """Return up to ``size`` bytes of the body, or all of it; after its end, nothing.

        :raises HTTPException: The body is malformed or incomplete.
        """
        if size is None:
            return b"".join(iter(lambda: self.read(_RECEIVE_SIZE), b""))
        if self._is_chunked and self._left == 0 and not self._is_complete:
            self._begin_chunk()
        if self._is_complete:
            return b""
        data = self._receive(size if self._left is None else min(size, self._left))
        if self._left is None:
            self._is_complete = not data
            return data
        if not data:
            raise HTTPException("the connection was closed inside the response's body")
        self._left -= len(data)
        if self._left == 0:
            if self._is_chunked:
                self._end_chunk()
            else:
                self._is_complete = True
        return data

    def close(self) -> None:
        """Release the connection. Closing twice is harmless."""
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close(self._is_complete and self._is_persistent and self._position == len(self._buffer))

    def _read_head(self) -> str:
        """Read the status line and the headers. Return the minor version of HTTP."""
        status_line = self._read_line(_MAX_HEAD)
        match = _STATUS_LINE.fullmatch(status_line)
        if match is None:
            raise HTTPException("the response does not begin with a status line of HTTP/1.1")
        self.status, self.reason = int(match[2]), match[3] or ""
        self._headers = self._read_headers(_MAX_HEAD - len(status_line))
        return match[1]

    def _read_headers(self, left: int) -> list[tuple[str, str]]:
        """Read headers or trailers, and the empty line after them."""
        headers: list[tuple[str, str]] = []
        while line := self._read_line(left):
            left -= len(line)
            name, colon, value = line.partition(":")
            if line[0] in " \t" and headers:  # a continuation of the line before
                name, value = headers[-1]
                headers[-1] = (name, " ".join([value, line.strip(" \t")]))
            elif colon and _HEADER_NAME.fullmatch(name):
                headers.append((name, value.strip(" \t")))
            else:
                raise HTTPException("a line of the response's head or trailers is not a header")
        return headers

    def _set_length(self, method: str, version: str) -> None:
        """Find out how long the body is, and whether the connection can be used again after it (RFC 9112, 6.3)."""
        lengths = set(self._values("content-length"))
        codings = [coding.lower() for coding in self._values("transfer-encoding")]
        if codings not in ([], ["chunked"]) or len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
            raise HTTPException("the headers do not say where the response ends")
        options = {option.strip().lower() for value in self._values("connection") for option in value.split(",")}
        self._is_persistent = "close" not in options if version == "1" else "keep-alive" in options
        if method in ("HEAD", "CONNECT") or self.status in (204, 304):
            self._is_complete = True
            if codings or lengths - {"0"} or method == "CONNECT":
                self._is_persistent = False  # a body may follow, although it must not
        elif codings:
            self._is_chunked = True
            self._left = 0
            if lengths or version == "0":
                self._is_persistent = False  # a proxy on the way may have used the other header
        elif lengths:
            self._left = int(lengths.pop())
            self._is_complete = self._left == 0
        else:
            self._is_persistent = False

    def _values(self, header: str) -> list[str]:
        return [value for name, value in self._headers if name.lower() == header]

    def _begin_chunk(self) -> None:
        size = _CHUNK_SIZE.fullmatch(self._read_line(_MAX_HEAD))
        if size is None:
            raise HTTPException("a chunk has no valid size")
        self._left = int(size[1], 16)
        if self._left == 0:
            self._read_headers(_MAX_HEAD)  # trailers
            self._is_complete = True

    def _end_chunk(self) -> None:
        if self._read_line(_MAX_HEAD):
            raise HTTPException("a chunk does not end where its size says")

    def _read_line(self, limit: int) -> str:
        """Return the next line without its end, which is CRLF or LF."""
        while (end := self._buffer.find(b"\n", self._position)) < 0:
            if len(self._buffer) - self._position > limit + 2:
                raise HTTPException("a line of the response is too long")
            data = self._stream.recv(_RECEIVE_SIZE)
            if not data:
                raise HTTPException("the connection was closed before the response was complete")
            self._buffer = self._buffer[self._position :] + data
            self._position = 0
        line = self._buffer[self._position : end].removesuffix(b"\r")
        self._position = end + 1
        if len(line) > limit or b"\r" in line or b"\0" in line:
            raise HTTPException("a line of the response is too long or contains control characters")
        return line.decode("latin-1")

    def _receive(self, size: int) -> bytes:
        """Return at least one byte and at most ``size``, or none if the connection was closed."""
        if self._position == len(self._buffer):
            self._buffer = self._stream.recv(_RECEIVE_SIZE)
            self._position = 0
        data = self._buffer[self._position : self._position + size]
        self._position += len(data)
        return data
