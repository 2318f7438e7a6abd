"""The emulated resource: authenticates each request and finds its operation."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from ._authentication import authenticate
from ._errors import not_found, status_error
from ._identity import IdentityService, TeamsService
from ._request import ServiceRequest, request_target
from ._responses import add_api_versions, error_response
from ._service import RoomsService
from ._store import Store


class Resource:
    """One resource of Azure Communication Services, with its Rooms and identity services."""

    def __init__(self, store: Store, rooms: RoomsService, key: bytes, bearer_token: str | None) -> None:
        self._store = store
        self._key = key
        self._bearer_token = bearer_token
        self._rooms = rooms
        self._identity = IdentityService()
        self._teams = TeamsService()

    def api_versions(self, path: str) -> tuple[str, ...]:
        """The API versions of the service at this path."""
        return self._service(path).api_versions

    def respond(self, request: Request, body: bytes) -> Response:
        """Execute a request. The ``path`` in its scope must be the path as sent, not percent-decoded.

        :raises ServiceError: The service responds with an error.
        :raises sqlite3.Error: The database failed. The request has changed nothing.
        """
        target = request_target(request)
        authenticate(request.method, target, request.headers, body, key=self._key, bearer_token=self._bearer_token)
        service = self._service(request.scope["path"])
        service_request = ServiceRequest(request, body, service.api_versions)
        allowed: set[str] = set()
        for route in service.routes:
            match, scope = route.matches(request.scope)
            if match is Match.FULL:
                with self._store.transaction(read_only=request.method in ("GET", "HEAD")):
                    response: Response = scope["endpoint"](service_request, **scope["path_params"])
                add_api_versions(response, service.api_versions)
                return response
            if match is Match.PARTIAL:
                allowed |= route.methods or set()
        if not allowed:
            raise not_found()
        response = error_response(
            status_error(405, "The method is not allowed on this resource."), service.api_versions
        )
        response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    def _service(self, path: str) -> RoomsService | IdentityService | TeamsService:
        if path.startswith("/identities"):
            return self._identity
        return self._teams if path.startswith("/teamsUser") else self._rooms
