"""A web application that schedules consultations. Each has a room, which a doctor and a patient join with tokens.

To run it with an emulator, use ``pip install fastapi azure-communication-identity``, and in the checkout::

    rooms-emulator -- uvicorn samples.testing_your_app.app:app
"""

import functools
import os
from datetime import timedelta
from typing import Annotated

from azure.communication.identity import CommunicationIdentityClient
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel

from azure.communication.rooms import (
    CommunicationRoom,
    ParticipantRole,
    RoomParticipant,
    RoomsClient,
    identifier_from_raw_id,
)

app = FastAPI()


@functools.cache
def get_rooms_client() -> RoomsClient:
    """Return the only client of this process. Tests override this function."""
    connection_string = os.environ["COMMUNICATION_SAMPLES_CONNECTION_STRING"]
    return RoomsClient.from_connection_string(connection_string, timeout=10, connection_timeout=2, read_timeout=5)


@functools.cache
def get_identity_client() -> CommunicationIdentityClient:
    return CommunicationIdentityClient.from_connection_string(os.environ["COMMUNICATION_SAMPLES_CONNECTION_STRING"])


Client = Annotated[RoomsClient, Depends(get_rooms_client)]


class Consultation(BaseModel):
    """The body of a request."""

    doctor: str
    patient: str
    starts: AwareDatetime
    minutes: int = 30


# FastAPI runs functions that are not async in threads, so a call to the service does not block other requests.
@app.post("/consultations", status_code=201)
def schedule(consultation: Consultation, client: Client) -> CommunicationRoom:
    return client.create_room(
        valid_from=consultation.starts,
        valid_until=consultation.starts + timedelta(minutes=consultation.minutes),
        participants=[
            RoomParticipant(identifier_from_raw_id(consultation.doctor), ParticipantRole.PRESENTER),
            RoomParticipant(identifier_from_raw_id(consultation.patient)),
        ],
    )


@app.post("/consultations/{room_id}/extension")
def extend(room_id: str, minutes: int, client: Client) -> CommunicationRoom:
    room = client.get_room(room_id)
    until = room.valid_until + timedelta(minutes=minutes)
    return client.update_room(room_id, valid_from=room.valid_from, valid_until=until)


@app.post("/users", status_code=201)
def create_user() -> dict[str, str]:
    """Create a user for a doctor or a patient. The token lets the user's web client join calls for a day."""
    user, token = get_identity_client().create_user_and_token(["voip"])
    return {"id": user.raw_id, "token": token.token}


@app.exception_handler(AzureError)
def failed(_: Request, error: AzureError) -> JSONResponse:
    """Tell the caller whether to correct the request or to try again later."""
    if isinstance(error, ResourceNotFoundError):
        return JSONResponse({"detail": "There is no such consultation"}, 404)
    if isinstance(error, HttpResponseError) and error.status_code == 400 and error.error:
        messages = [detail.message for detail in error.error.details] or [error.error.message]
        return JSONResponse({"detail": messages}, 422)
    return JSONResponse({"detail": "Please try again later"}, 503, {"Retry-After": "30"})
