"""The two operations of the identity service that samples need: create a user, and delete a user.

The emulator does not store users, so deleting a user always succeeds.
"""

import json
import uuid

from starlette.responses import Response
from starlette.routing import Route

from ._errors import bad_arguments, status_error, wrong_type
from ._request import ServiceRequest
from ._responses import json_response

_RESOURCE_ID = "8aab4d36-2ea4-4b32-9a0e-6f2b1b3c5d7e"  # made up; every emulator uses it


class IdentityService:
    """The operations of the identity service."""

    api_versions = ("2021-03-07", "2022-06-01", "2022-10-01", "2023-10-01")

    def __init__(self) -> None:
        self.routes = [
            Route("/identities", self._create_user, methods=["POST"]),
            Route("/identities/{user_id}", self._delete_user, methods=["DELETE"]),
            Route("/identities/{user_id}", self._unsupported, methods=["GET"]),
            Route("/identities/{user_id}/{operation}", self._unsupported, methods=["POST"]),
            Route("/teamsUser/{operation}", self._unsupported, methods=["POST"]),
        ]

    def _create_user(self, request: ServiceRequest) -> Response:
        if request.body:
            try:
                data = json.loads(request.body)
            except (ValueError, RecursionError):
                raise bad_arguments(("The request's body is not JSON.", "$")) from None
            if not isinstance(data, dict):
                raise wrong_type("an object", "$")
            if data.get("createTokenWithScopes"):
                return self._unsupported(request)
        return json_response(201, {"identity": {"id": f"8:acs:{_RESOURCE_ID}_{uuid.uuid4()}"}})

    def _delete_user(self, _: ServiceRequest, user_id: str) -> Response:
        return Response(status_code=204)

    def _unsupported(self, _: ServiceRequest, **path: str) -> Response:
        raise status_error(
            501,
            "The emulator does not support this operation of the identity service: it only creates and deletes users.",
        )
