import http.client

import pytest
from azure.core.rest import HttpResponse

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .calls import ROOMS, call, days, host_of, signed_headers

COMMON = {"date", "ms-cv", "request-context", "strict-transport-security", "x-azure-ref", "x-cache"}
BODY = COMMON | {"content-type", "transfer-encoding"}


def names(response: HttpResponse) -> set[str]:
    """The names of the headers. Only some clients ask for the ID of the request."""
    return {name.lower() for name in response.headers} - {"x-ms-client-request-id"}


@pytest.mark.parametrize("path", ["/rooms", "/rooms/1"])
def test_id_of_request_is_returned_if_asked_for(client: RoomsClient, path: str) -> None:
    headers = {"x-ms-client-request-id": "the ID", "x-ms-return-client-request-id": "true"}
    assert call(client, "GET", path, headers=headers).headers["x-ms-client-request-id"] == "the ID"


def test_headers_of_success(client: RoomsClient) -> None:
    response = call(client, "POST", "/rooms", {})
    assert names(response) == BODY | {"api-supported-versions", "location"}
    assert response.headers["Location"] == response.json()["id"]
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert response.headers["Request-Context"] == "appId="
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000;includeSubDomains"
    assert response.headers["X-Cache"] == "CONFIG_NOCACHE"
    assert response.headers["api-supported-versions"] == "2023-06-14, 2023-10-30-preview, 2024-04-15, 2025-03-13"
    deletion = call(client, "DELETE", f"/rooms/{response.json()['id']}")
    assert names(deletion) == COMMON | {"api-supported-versions"}


def test_headers_of_errors(client: RoomsClient) -> None:
    assert names(call(client, "GET", "/rooms/1")) == BODY | {"api-supported-versions", "x-ms-error-code"}
    assert names(call(client, "POST", "/rooms", {"validUntil": days(-1)})) == BODY


def test_correlation_headers_differ(client: RoomsClient) -> None:
    one, two = call(client, "GET", "/rooms"), call(client, "GET", "/rooms")
    assert all(one.headers[name] != two.headers[name] for name in ("MS-CV", "X-Azure-Ref"))


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/rooms"), ("GET", "/rooms/1"), ("GET", "/rooms/994000000000000")]
)
def test_browsers_get_cors_header(client: RoomsClient, method: str, path: str) -> None:
    body: object = {} if method == "POST" else None
    response = call(client, method, path, body, headers={"Origin": "http://localhost:9876"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in call(client, method, path, body).headers


def test_http_1_0_is_not_chunked(emulator: RoomsEmulator) -> None:
    connection = http.client.HTTPConnection(host_of(emulator))
    connection._http_vsn, connection._http_vsn_str = 10, "HTTP/1.0"  # type: ignore[attr-defined]
    connection.request("GET", ROOMS, headers={"Host": host_of(emulator), **signed_headers(emulator)})
    response = connection.getresponse()
    assert response.getheader("Content-Length") == "12"
    assert response.getheader("Transfer-Encoding") is None
    assert response.read() == b'{"value":[]}'
    connection.close()
