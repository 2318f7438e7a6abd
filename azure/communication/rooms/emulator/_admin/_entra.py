"""The managed-identity endpoint of Azure App Service, from which programs get tokens of Microsoft Entra ID."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from .._clock import real_time
from .._services._errors import bad_request, status_error

TOKEN_PATH = "/_emulator/token"  # noqa: S105 - the path of the endpoint
IDENTITY_HEADER = "rooms-emulator"  # protects nothing
_RESOURCES = ("https://communication.azure.com", "https://communication.azure.us")
_LIFETIME = 24 * 60 * 60


def token_route(token: str) -> Route:
    """The endpoint. It always returns the same token, so a program may keep it while the emulator restarts."""

    def get_token(request: Request) -> JSONResponse:
        if request.headers.get("x-identity-header") != IDENTITY_HEADER:
            raise status_error(401, "The header X-IDENTITY-HEADER is missing or wrong.")
        resource = request.query_params.get("resource", "")
        if resource.rstrip("/") not in _RESOURCES:
            raise bad_request(f"The Rooms emulator has no tokens for the resource {resource!r}.")
        expires_on = str(int(real_time.time()) + _LIFETIME)
        return JSONResponse(
            {"access_token": token, "expires_on": expires_on, "resource": resource, "token_type": "Bearer"}
        )

    return Route(TOKEN_PATH, get_token)
