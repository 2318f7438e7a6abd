"""What only the emulator has: faults, the request log, and the HTTP API and the page under ``/_emulator``."""

import sqlite3

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from .._services._errors import ServiceError, json_response, service_error
from ._api import Api
from ._entra import token_route
from ._page import PATH, Page
from ._protection import ProtectionMiddleware


def admin_app(api: Api, page: Page, entra_token: str) -> Starlette:
    """The ASGI application. Each request's scope must have the path as sent, and its state must have the ``body``."""
    return Starlette(
        routes=[*api.routes, token_route(entra_token), *page.routes],
        middleware=[Middleware(ProtectionMiddleware, page=PATH)],
        exception_handlers=dict.fromkeys((ServiceError, HTTPException, sqlite3.Error), _error_response),
    )


def _error_response(_: Request, exception: Exception) -> Response:
    error = service_error(exception)
    return json_response(error.status_code, error.body, getattr(exception, "headers", None))
