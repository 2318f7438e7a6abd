"""Protects what is under ``/_emulator``, which needs no credentials, from web pages of other origins."""

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._services._errors import json_response, status_error

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class ProtectionMiddleware:
    """Refuses requests that web pages of other origins send, and adds headers that keep those pages out."""

    def __init__(self, app: ASGIApp, page: str) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        request = Request(scope)
        if _is_same_origin(request) or (_is_link(request) and scope["path"].rstrip("/") in ("", self._page)):
            await self._app(scope, receive, send_with_headers)
        else:
            error = status_error(403, "Web pages of other origins cannot use the emulator's page and its API.")
            await json_response(403, error.body)(scope, receive, send_with_headers)


def _is_same_origin(request: Request) -> bool:
    """Whether the request comes from the emulator's page or from no page at all.

    For requests from web pages, browsers send at least one of these headers.
    """
    own = f"{request.scope['scheme']}://{request.headers['host']}".lower()
    is_own_site = request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    return is_own_site and request.headers.get("origin", own).lower() == own


def _is_link(request: Request) -> bool:
    """Whether the user followed a link. The page that contains the link cannot read the page that opens."""
    is_navigation = request.headers.get("sec-fetch-mode") == "navigate"
    return is_navigation and request.headers.get("sec-fetch-dest") == "document" and request.method == "GET"
