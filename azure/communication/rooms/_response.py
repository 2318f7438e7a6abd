"""The response that the transport returns: azure-core's interface over urllib3's response."""

import json
from collections.abc import Iterator, MutableMapping
from email.message import Message
from http.client import HTTPException
from typing import Any

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResponseNotReadError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
    StreamClosedError,
    StreamConsumedError,
)
from azure.core.rest import HttpRequest, HttpResponse
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import ClosedPoolError, HTTPError
from urllib3.exceptions import TimeoutError as UrllibTimeoutError

# What urllib3 and http.client raise once a connection is established, in the order of the table below.
_ERRORS: dict[type[Exception], type[AzureError]] = {
    ClosedPoolError: ServiceRequestError,  # nothing was sent
    UrllibTimeoutError: ServiceResponseTimeoutError,
    TimeoutError: ServiceResponseTimeoutError,
    HTTPError: ServiceResponseError,
    HTTPException: ServiceResponseError,
    OSError: ServiceResponseError,
    ValueError: ServiceResponseError,  # such as a negative chunk size
    OverflowError: ServiceResponseError,  # such as a Content-Length that no bytes object can have
    MemoryError: ServiceResponseError,
}


def service_error(error: Exception) -> AzureError:
    """Return azure-core's error for an error of urllib3 or http.client."""
    azure_error = next(to for of, to in _ERRORS.items() if isinstance(error, of))
    return azure_error(str(error) or type(error).__name__, error=error)


ERRORS = tuple(_ERRORS)


class RoomsResponse(HttpResponse):
    """A response whose body is read on demand.

    :param ~azure.core.rest.HttpRequest request: The request.
    :param raw: urllib3's response, of which only the head has been read.
    :type raw: ~urllib3.BaseHTTPResponse
    :param int block_size: The size in bytes of the chunks of a streamed body.
    """

    def __init__(self, request: HttpRequest, raw: BaseHTTPResponse, block_size: int) -> None:
        self._request = request
        self._raw = raw
        self._block_size = block_size
        self._content: bytes | None = None
        self._encoding: str | None = None
        self._is_closed = False
        self._is_stream_consumed = False

    @property
    def request(self) -> HttpRequest:
        return self._request

    @property
    def url(self) -> str:
        return self._request.url

    @property
    def status_code(self) -> int:
        return self._raw.status

    @property
    def headers(self) -> MutableMapping[str, str]:
        return self._raw.headers

    @property
    def reason(self) -> str:
        return self._raw.reason or ""

    @property
    def content_type(self) -> str | None:
        return self._raw.headers.get("Content-Type")

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
            self._encoding = message.get_content_charset()
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
        try:
            # urllib3's stream() would read chunks itself, and less strictly.
            while data := self._raw.read(size, decode_content=decode_content):
                yield data
        except ERRORS as error:
            raise service_error(error) from error
        finally:
            self.close()

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            if not self._raw.closed:  # otherwise the connection is in its pool again, or in another thread's hands
                self._raw.close()

    def __enter__(self) -> "RoomsResponse":
        return self

    def __exit__(self, *args: object) -> None:
        self.close()
