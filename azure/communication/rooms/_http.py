"""What several modules need to know about HTTP: header names, media types, and the bytes of a request's body."""

from azure.core.rest import HttpRequest

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
REPEATABILITY_REQUEST_ID = "Repeatability-Request-ID"
REPEATABILITY_FIRST_SENT = "Repeatability-First-Sent"


def body_of(request: HttpRequest) -> bytes | None:
    """Return the body as it is sent, and so as it is hashed; None if the request has no body."""
    content: object = request.content
    if content is None or isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode("utf-8")
    raise TypeError(f"the request's content must be bytes or str, not {type(content).__name__}")
