"""The response that the transport returns: reads, decompresses and decodes the body of an HTTP/1.1 response."""

import json
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from email.message import Message
from typing import Any, Protocol
from urllib.parse import urlsplit

from azure.core.exceptions import HttpResponseError, ResponseNotReadError, StreamClosedError, StreamConsumedError
from azure.core.rest import HttpRequest, HttpResponse
from azure.core.utils import CaseInsensitiveDict
from urllib3 import HTTPResponse as Urllib3Response

from ._transport_errors import TRANSPORT_ERRORS, azure_error


def no_response_to(request: HttpRequest) -> str:
    """Return the message that no complete response to the request came. It omits the query, which may have a secret."""
    url = urlsplit(request.url)
    return f"no complete response to {request.method} {url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"


class RawResponse(Protocol):
    """The part of http.client's response that ``RoomsResponse`` uses."""

    status: int
    reason: str

    def getheaders(self) -> list[tuple[str, str]]: ...
    def read(self, size: int | None = None, /) -> bytes: ...
    def close(self) -> object: ...


class RoomsResponse(HttpResponse):
    """A response whose body is read on demand.

    :param ~azure.core.rest.HttpRequest request: The request.
    :param RawResponse raw: The response, of which only the head has been read.
    :param int block_size: The size in bytes of the chunks of a streamed body.
    """

    def __init__(self, request: HttpRequest, raw: RawResponse, block_size: int) -> None:
        self._request = request
        self._raw: RawResponse | None = raw
        self._status_code = raw.status
        self._reason = raw.reason or ""
        self._headers: MutableMapping[str, str] = CaseInsensitiveDict()
        for name, value in raw.getheaders():
            self._headers[name] = f"{self._headers[name]}, {value}" if name in self._headers else value
        self._block_size = block_size
        self._content: bytes | None = None
        self._encoding: str | None = None
        self._is_closed = False
        self._is_stream_consumed = False

    def __getstate__(self) -> dict[str, object]:
        # A copy has no connection. Errors contain their response, so a process pool that pickles one pickles both.
        return {**vars(self), "_raw": None, "_is_closed": True}

    @property
    def request(self) -> HttpRequest:
        return self._request

    @property
    def url(self) -> str:
        return self._request.url

    @property
    def status_code(self) -> int:
        return self._status_code

    @property
    def headers(self) -> MutableMapping[str, str]:
        return self._headers

    @property
    def reason(self) -> str:
        return self._reason

    @property
    def content_type(self) -> str | None:
        return self._headers.get("Content-Type")

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    @property
    def is_stream_consumed(self) -> bool:
        return self._is_stream_consumed

    @property
    def encoding(self) -> str | None:
        if self._encoding is None and self.content_type:
            message = Message()
            message["Content-Type"] = self.content_type
            # The charset may be unknown. For some malformed parameters, the standard library raises other errors.
            with suppress(LookupError, TypeError, ValueError):
                charset = message.get_content_charset()
                if charset is not None:
                    b" ".decode(charset, errors="replace")
                    self._encoding = charset
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def content(self) -> bytes:
        if self._content is None:
            raise ResponseNotReadError(self)
        return self._content

    def text(self, encoding: str | None = None) -> str:
        encoding = encoding or self.encoding
        if encoding is None:
            return self.content.decode("utf-8-sig", errors="replace")
        return self.content.decode("utf-8-sig" if encoding.lower() == "utf-8" else encoding)

    def json(self) -> Any:
        return json.loads(self.text())

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise HttpResponseError(response=self)

    def read(self) -> bytes:
        if self._content is None:
            self._content = b"".join(self._chunks(None, decode_content=True))
        return self._content

    def iter_bytes(self, **kwargs: Any) -> Iterator[bytes]:
        if self._content is None:
            yield from self._chunks(self._block_size, decode_content=True)
        else:
            for start in range(0, len(self._content), self._block_size):
                yield self._content[start : start + self._block_size]

    def iter_raw(self, **kwargs: Any) -> Iterator[bytes]:
        yield from self._chunks(self._block_size, decode_content=False)

    def _chunks(self, size: int | None, *, decode_content: bool) -> Iterator[bytes]:
        if self._is_stream_consumed:
            raise StreamConsumedError(self)
        if self._is_closed:
            raise StreamClosedError(self)
        self._is_stream_consumed = True
        raw: Any = self._raw
        try:
            if decode_content and "Content-Encoding" in self._headers:
                yield from _decoded(raw, self._headers["Content-Encoding"], size)
            else:
                while data := raw.read(size):
                    yield data
        except TRANSPORT_ERRORS as error:
            raise azure_error(error, no_response_to(self._request), is_connected=True) from error
        finally:
            self.close()

    def close(self) -> None:
        self._is_closed = True
        if self._raw is not None:
            self._raw.close()

    def __enter__(self) -> "RoomsResponse":
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


def _decoded(raw: Any, encoding: str, size: int | None) -> Iterator[bytes]:
    body = Urllib3Response(raw, {"Content-Encoding": encoding}, preload_content=False)
    received = -1
    # No data is not always the end: urllib3 1.26 also returns none for a part that decodes to nothing, such as the head
    # of a gzip body. So read until the connection has no more either.
    while (data := body.read(size)) or body.tell() > received:
        received = body.tell()
        if data:
            yield data
