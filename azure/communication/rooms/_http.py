"""What several modules share about HTTP: syntax, header names, media types and the bytes of a request's body."""

from azure.core.rest import HttpRequest

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - HTTP's term for the syntax of a method or header name
HEADER_VALUE = r"[\t -~\x80-\xff]*"
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
REPEATABILITY_REQUEST_ID = "Repeatability-Request-ID"
REPEATABILITY_FIRST_SENT = "Repeatability-First-Sent"


def body_of(request: HttpRequest) -> bytes | None:
    """Return the request's body in bytes, for its signature and for the connection. None if there is no body."""
    content: object = request.content
    if content is None or isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode("utf-8")
    raise TypeError(f"the request's content must be bytes or str, not {type(content).__name__}")
