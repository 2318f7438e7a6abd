"""Requests to the emulator, with and without the client."""

import http.client
import json
import socket
from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

from azure.core.rest import HttpRequest, HttpResponse

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

from ..support.credentials import signature_headers

VERSION = "2025-03-13"
ROOMS = f"/rooms?api-version={VERSION}"
ALICE = "8:acs:5b0f2f2e-1111-4222-8333-944455556666_00000000-0000-4000-8000-00000000000a"
BOB = "8:acs:5b0f2f2e-1111-4222-8333-944455556666_00000000-0000-4000-8000-00000000000b"


def new_client(emulator: RoomsEmulator) -> RoomsClient:
    return RoomsClient.from_connection_string(emulator.connection_string, retry_total=0)


def call(
    client: RoomsClient,
    method: str,
    path: str,
    body: object = None,
    *,
    version: str = VERSION,
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    """Send a request unchanged, except that the client signs it."""
    content_type = "application/json" if method == "POST" else "application/merge-patch+json"
    all_headers = {"Content-Type": content_type} if body is not None else {}
    content = None if body is None else json.dumps(body).encode()
    separator = "&" if "?" in path else "?"
    target = f"{path}{separator}api-version={version}"
    return client.send_request(
        HttpRequest(method, target, headers={**all_headers, **(headers or {})}, content=content), retry_total=0
    )


def details(response: HttpResponse) -> list[tuple[str, str]]:
    """The message and target of each detail of an error."""
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "BadRequest"
    assert error["message"] == "The request could not be understood by the server due to malformed syntax."
    assert {detail["code"] for detail in error["details"]} == {"BadArgument"}
    return [(detail["message"], detail["target"]) for detail in error["details"]]


def message(response: HttpResponse) -> str:
    """The message of an error without details."""
    error = response.json()["error"]
    assert sorted(error) == ["code", "message"]
    assert response.headers["x-ms-error-code"] == error["code"]
    text: str = error["message"]
    return text


def days(number: float) -> str:
    """The time this many days from now, as JSON."""
    return (datetime.now(timezone.utc) + timedelta(days=number)).isoformat().replace("+00:00", "Z")


def host_of(emulator: RoomsEmulator) -> str:
    return emulator.endpoint.removeprefix("http://")


def connect(emulator: RoomsEmulator) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(emulator.endpoint).port or 0), timeout=30)


def receive_all(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as file:
        return file.read()


def signed_headers(
    emulator: RoomsEmulator,
    target: str = ROOMS,
    *,
    date: str | None = None,
    method: str = "GET",
    body: bytes = b"",
    host: str | None = None,
) -> dict[str, str]:
    """The headers of a signed request to the emulator."""
    date = date or formatdate(usegmt=True)
    return signature_headers(method, target, date, host or host_of(emulator), body, access_key=DEVELOPMENT_ACCESS_KEY)


def get(
    emulator: RoomsEmulator, headers: dict[str, str], target: str = ROOMS, *, body: bytes | None = None
) -> tuple[int, dict[str, Any]]:
    """Send a GET with exactly these headers. Return the status code and the JSON of the response."""
    connection = http.client.HTTPConnection(host_of(emulator), timeout=30)
    try:
        connection.request("GET", target, body, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()
