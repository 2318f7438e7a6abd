"""The ASGI application under ``/_emulator``. It needs no credentials, so it refuses web pages of other origins."""

import sqlite3

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._services._errors import ServiceError, json_response, service_error, status_error
from ._api import Api
from ._page import PATH, Page

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def admin_app(api: Api, page: Page) -> Starlette:
    """The ASGI application. Each request's scope must have the path as sent, and its state must have the ``body``."""
    return Starlette(
        routes=[*api.routes, *page.routes],
        middleware=[Middleware(_ProtectionMiddleware)],
        exception_handlers=dict.fromkeys((ServiceError, HTTPException, sqlite3.Error), _error_response),
    )


def _error_response(_: Request, exception: Exception) -> Response:
    error = service_error(exception)
    return json_response(error.status_code, error.body, getattr(exception, "headers", None))


class _ProtectionMiddleware:
    """Refuses requests that web pages of other origins send, and adds headers that keep those pages out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        request = Request(scope)
        if _is_same_origin(request) or (_is_link(request) and scope["path"].rstrip("/") in ("", PATH)):
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
