"""The services of the emulated resource: Rooms and identity."""

from starlette.authentication import AuthenticationBackend

from .._clock import Clock
from .._store import Store
from ._identity import IdentityService, TeamsService
from ._rooms import RoomsService
from ._service import Service


class Resource:
    """A resource of Azure Communication Services, with its services."""

    def __init__(self, credentials: AuthenticationBackend, store: Store, clock: Clock, page_size: int) -> None:
        self._rooms = RoomsService(credentials, store, clock, page_size)
        self._identity = IdentityService(credentials)
        self._teams = TeamsService(credentials)

    def service(self, path: str) -> Service:
        """The service at this path."""
        if path.startswith("/identities"):
            return self._identity
        return self._teams if path.startswith("/teamsUser") else self._rooms
