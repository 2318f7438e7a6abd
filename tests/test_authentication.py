"""Signatures, and the credentials that the client accepts."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import pytest
import requests_mock
from azure.core.credentials import AccessToken, AccessTokenInfo, AzureKeyCredential, AzureNamedKeyCredential
from azure.core.rest import HttpRequest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from .support.credentials import ACCESS_KEY, Token, signature_headers

OTHER_KEY = "YW5vdGhlcg=="
ENDPOINT = "https://contoso.communication.azure.com"
TARGET = "/rooms?api-version=2025-03-13"
TARGET_SIGNATURE = "4lnEQZUGHWbXAbvvMu1Im9sJjz8GZ1qpHFN1KqMVaGM="  # the contract's example

Send = Callable[[HttpRequest], dict[str, str]]


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Iterator[Send]:
    """Sends a request at noon, and returns the headers that arrive."""
    monkeypatch.setattr("time.time", lambda: 1795435200.9)
    client = RoomsClient(ENDPOINT, ACCESS_KEY)
    with requests_mock.Mocker() as service:
        service.register_uri(requests_mock.ANY, requests_mock.ANY)

        def send(request: HttpRequest) -> dict[str, str]:
            client.send_request(request)
            return dict(service.last_request.headers)

        yield send


def signature(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&")


class TestSignature:
    def test_get(self, send: Send) -> None:
        headers = send(HttpRequest("GET", TARGET))
        assert headers["x-ms-date"] == "Mon, 23 Nov 2026 12:00:00 GMT"
        assert headers["x-ms-content-sha256"] == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        assert signature(headers) == f"Signature={TARGET_SIGNATURE}"

    @pytest.mark.parametrize("kind", [str, bytes])
    def test_post(self, send: Send, kind: type) -> None:
        body = '{"validFrom": "2026-12-01T09:00:00.000000Z"}'
        headers = send(HttpRequest("POST", TARGET, content=body if kind is str else body.encode()))
        assert signature(headers) == "Signature=MKIuO+KNe0VeLpgy6nihGmSPq9hpaLIBNJ2GlwQlKyc="

    @pytest.mark.parametrize("target", ["/rooms", "/", "/r%6foms?a=%20%2F&b=é", "/rooms/a%2Fb?c=d+e"])
    def test_path_and_query_are_decoded(self, send: Send, target: str) -> None:
        headers = send(HttpRequest("GET", target))
        decoded = unquote(target)
        expected = signature_headers("GET", decoded, headers["x-ms-date"], "contoso.communication.azure.com")
        assert headers["Authorization"] == expected["Authorization"]

    def test_host_header_of_the_caller(self, send: Send) -> None:
        headers = send(HttpRequest("GET", TARGET, headers={"Host": "gateway:8443"}))
        expected = signature_headers("GET", TARGET, headers["x-ms-date"], "gateway:8443")
        assert headers["Authorization"] == expected["Authorization"]

    @pytest.mark.parametrize("path", ["/rooms", "/rooms/a b%2F\N{SNOWMAN}", "/rooms//99?x=%7e+&y='\"", ""])
    def test_service_computes_the_same(self, client: RoomsClient, path: str) -> None:
        assert client.send_request(HttpRequest("GET", path)).status_code != 401

    def test_every_attempt_is_signed(
        self, client: RoomsClient, emulator: RoomsEmulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def a_minute_passes(response: object) -> None:
            monkeypatch.setattr("time.time", lambda: 1795435200)

        emulator.inject(status=500)
        client.send_request(HttpRequest("GET", TARGET), raw_response_hook=a_minute_passes)
        first, second = (request.headers["x-ms-date"] for request in emulator.requests)
        assert second == "Mon, 23 Nov 2026 12:00:00 GMT" != first

    def test_other_content_is_an_error(self, client: RoomsClient) -> None:
        with pytest.raises(TypeError, match="content must be bytes or str, not"):
            client.send_request(HttpRequest("POST", TARGET, data={"a": "b"}))


def test_key_rotation(emulator: RoomsEmulator) -> None:
    access_key = emulator.connection_string.partition("accesskey=")[2]
    credential = AzureKeyCredential(OTHER_KEY)
    with RoomsClient(emulator.endpoint, credential) as client:
        for key, status_code in ((OTHER_KEY, 401), (access_key, 200), (OTHER_KEY, 401)):
            credential.update(key)
            assert client.send_request(HttpRequest("GET", TARGET)).status_code == status_code
        credential.update("not base64, but secret")
        with pytest.raises(ValueError, match="^the access key is not base64$"):
            client.create_room()


@pytest.mark.parametrize("credential", ["secret, not base64", AzureKeyCredential("secret, not base64")])
def test_access_key_must_be_base64(credential: str | AzureKeyCredential) -> None:
    with pytest.raises(ValueError, match="^the access key is not base64$"):
        RoomsClient(ENDPOINT, credential)


class AsyncToken:
    async def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:
        raise AssertionError


class AsyncTokenInfo:
    async def get_token_info(self, *scopes: str, **kwargs: object) -> AccessTokenInfo:
        raise AssertionError


@pytest.mark.parametrize(
    ("credential", "message"),
    [
        *((value, "must be an AzureKeyCredential, an access key or a") for value in (None, b"a2V5", Token)),
        (AzureNamedKeyCredential("name", ACCESS_KEY), "must be an AzureKeyCredential"),
        *((value, "must not be an async credential") for value in (AsyncToken(), AsyncTokenInfo())),
    ],
)
def test_credential_of_another_type(credential: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"^credential {message}") as caught:
        RoomsClient(ENDPOINT, credential)
    assert ACCESS_KEY not in str(caught.value)


def test_token_credential_needs_https() -> None:
    with pytest.raises(ValueError, match="endpoint must be https if credential is a TokenCredential"):
        RoomsClient("http://contoso", Token())


def test_bearer_token() -> None:
    token = Token("token-1")
    sovereign = "https://communication.azure.us//.default"
    with RoomsEmulator(bearer_token="token-1", tls=True) as emulator:
        verify: Any = {"connection_verify": emulator.ca_file}
        for options in (verify, {**verify, "credential_scopes": [sovereign]}):
            assert RoomsClient(emulator.endpoint, token, **options).create_room().id
    assert token.scopes == [("https://communication.azure.com//.default",), (sovereign,)]


def test_credential_scopes_must_not_be_a_str() -> None:
    with pytest.raises(TypeError, match="credential_scopes must be a sequence of scopes, not a str"):
        RoomsClient(ENDPOINT, Token(), credential_scopes="https://communication.azure.us//.default")
