"""Signatures, and the credentials that the client accepts."""

from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo, AzureKeyCredential, AzureNamedKeyCredential
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.rest import HttpRequest

from azure.communication.rooms import RoomsClient, _authentication
from azure.communication.rooms._authentication import HmacCredentialPolicy
from azure.communication.rooms.emulator import RoomsEmulator

from .support.credentials import ACCESS_KEY, Token, signature_headers
from .support.scripted_server import Response, scripted_server

OTHER_KEY = "YW5vdGhlcg=="
NOW = 1795435200
DATE = "Mon, 23 Nov 2026 12:00:00 GMT"
LIST_ROOMS = "https://contoso.communication.azure.com/rooms?api-version=2025-03-13"
LIST_ROOMS_SIGNATURE = "4lnEQZUGHWbXAbvvMu1Im9sJjz8GZ1qpHFN1KqMVaGM="  # the contract's example
CONTOSO = "http://contoso.communication.azure.com"
UNREACHABLE = "https://127.0.0.1:1"


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_authentication, "time", SimpleNamespace(time=lambda: NOW + 0.9))


def signed(request: HttpRequest) -> HttpRequest:
    HmacCredentialPolicy(AzureKeyCredential(ACCESS_KEY)).on_request(PipelineRequest(request, PipelineContext(None)))
    return request


def signature(request: HttpRequest) -> str:
    return signed(request).headers["Authorization"].partition("&Signature=")[2]


@pytest.mark.usefixtures("at_noon")
class TestSignature:
    def test_get(self) -> None:
        request = signed(HttpRequest("GET", LIST_ROOMS))
        assert request.headers["x-ms-date"] == DATE
        assert request.headers["x-ms-content-sha256"] == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        assert request.headers["Authorization"] == (
            f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={LIST_ROOMS_SIGNATURE}"
        )

    @pytest.mark.parametrize("kind", [str, bytes])
    def test_post(self, kind: type) -> None:
        body = '{"validFrom": "2026-12-01T09:00:00.000000Z"}'
        request = HttpRequest("POST", LIST_ROOMS, content=body if kind is str else body.encode())
        assert signature(request) == "MKIuO+KNe0VeLpgy6nihGmSPq9hpaLIBNJ2GlwQlKyc="

    @pytest.mark.parametrize(
        "url",
        [
            "https://CONTOSO.communication.azure.com/rooms?api-version=2025-03-13",
            "https://contoso.communication.azure.com:443/rooms?api-version=2025-03-13",
            "https://contoso.communication.azure.com./rooms?api-version=2025-03-13",
            "https://contoso.communication.azure.com/%72ooms?api-version=2025-03-13",
            "https://contoso.communication.azure.com/./x/../rooms?api-version=2025-03-13",
            "https://contoso.communication.azure.com/rooms?api-version=2025-03-13#fragment",
        ],
    )
    def test_same_for_equivalent_urls(self, url: str) -> None:
        assert signature(HttpRequest("GET", url)) == LIST_ROOMS_SIGNATURE

    @pytest.mark.parametrize(
        "url",
        [
            "https://contoso.communication.azure.com:8443/rooms?api-version=2025-03-13",
            "http://contoso.communication.azure.com:443/rooms?api-version=2025-03-13",
            "https://contoso.communication.azure.com/rooms?api-version=2024-04-15",
            "https://contoso.communication.azure.com/rooms",
            "https://contoso.communication.azure.com",
        ],
    )
    def test_differs_for_other_urls(self, url: str) -> None:
        assert signature(HttpRequest("GET", url)) != LIST_ROOMS_SIGNATURE

    def test_method_is_upper_case(self) -> None:
        request = HttpRequest("get", LIST_ROOMS)
        assert signature(request) == LIST_ROOMS_SIGNATURE
        assert request.method == "GET"

    def test_host_header_of_the_caller(self) -> None:
        request = HttpRequest("GET", "http://127.0.0.1:1/rooms?api-version=2025-03-13")
        request.headers["host"] = "contoso.communication.azure.com"
        assert signature(request) == LIST_ROOMS_SIGNATURE

    def test_rotated_key_signs_the_next_request(self) -> None:
        credential = AzureKeyCredential(ACCESS_KEY)
        policy = HmacCredentialPolicy(credential)
        signatures: list[str] = []
        for key in (ACCESS_KEY, OTHER_KEY, ACCESS_KEY):
            credential.update(key)
            request = HttpRequest("GET", LIST_ROOMS)
            policy.on_request(PipelineRequest(request, PipelineContext(None)))
            signatures.append(request.headers["Authorization"])
        assert signatures[0] == signatures[2] != signatures[1]


@pytest.mark.parametrize(
    "url",
    [
        "http://contoso.communication.azure.com:80/rooms?api-version=2025-03-13",
        "http://contoso.communication.azure.com./rooms?api-version=2025-03-13",
        "http://Contoso.Communication.Azure.Com.:80/rooms?api-version=2025-03-13",
        "http://contoso.communication.azure.com/x/../rooms?api-version=2025-03-13",
        "http://contoso.communication.azure.com/./rooms/./..//?api-version=2025-03-13",
        "http://contoso.communication.azure.com/r%6foms/%2e%2e/é?x=%7e#fragment",
        CONTOSO,
    ],
)
def test_signature_matches_what_a_proxy_gets(url: str) -> None:
    with (
        scripted_server(Response()) as proxy,
        RoomsClient(CONTOSO, ACCESS_KEY, proxies={"http": proxy.endpoint}) as client,
    ):
        client.send_request(HttpRequest("GET", url))
    [(method, target, headers)] = proxy.requests
    # A proxy replaces the Host header with the authority of the target.
    authority, path_and_query = target.removeprefix("http://").split("/", 1)
    assert headers["Host"] == authority == "contoso.communication.azure.com"
    assert not {".", ".."} & set(urlsplit(target).path.split("/"))
    expected = signature_headers(method, f"/{unquote(path_and_query)}", headers["x-ms-date"], authority)
    assert headers["Authorization"] == expected["Authorization"]


def test_key_rotated_to_an_invalid_one() -> None:
    credential = AzureKeyCredential(ACCESS_KEY)
    policy = HmacCredentialPolicy(credential)
    credential.update("not base64, but secret")
    with pytest.raises(ValueError, match="the access key is not base64") as caught:
        policy.on_request(PipelineRequest(HttpRequest("GET", "https://h/"), PipelineContext(None)))
    assert "secret" not in str(caught.value)


def test_content_must_be_bytes_or_str() -> None:
    with pytest.raises(TypeError, match="content must be bytes or str, not generator"):
        signed(HttpRequest("POST", "https://h/", content=(part for part in [b"x"])))


def test_access_key_as_a_str(emulator: RoomsEmulator) -> None:
    access_key = emulator.connection_string.partition("accesskey=")[2]
    with RoomsClient(emulator.endpoint, access_key) as client:
        assert client.create_room().id


@pytest.mark.parametrize("credential", ["secret, not base64", AzureKeyCredential("secret, not base64")])
def test_access_key_must_be_base64(credential: str | AzureKeyCredential) -> None:
    with pytest.raises(ValueError, match="^the access key is not base64$") as caught:
        RoomsClient("https://contoso", credential)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("credential", [None, b"a2V5", Token, AzureNamedKeyCredential("name", ACCESS_KEY)])
def test_credential_of_another_type(credential: object) -> None:
    with pytest.raises(TypeError, match="^credential must be an AzureKeyCredential, an access key or a") as caught:
        RoomsClient("https://contoso", credential)  # type: ignore[arg-type]
    assert ACCESS_KEY not in str(caught.value)


class AsyncToken:
    async def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:
        raise AssertionError


class AsyncTokenInfo:
    async def get_token_info(self, *scopes: str, **kwargs: object) -> AccessTokenInfo:
        raise AssertionError


@pytest.mark.parametrize("credential", [AsyncToken(), AsyncTokenInfo()])
def test_async_credential(credential: object) -> None:
    with pytest.raises(TypeError, match="^credential must not be an async credential"):
        RoomsClient("https://contoso", credential)  # type: ignore[arg-type]


def test_token_credential_needs_https() -> None:
    RoomsClient("https://contoso", Token()).close()
    with pytest.raises(ValueError, match="endpoint must be https if credential is a TokenCredential"):
        RoomsClient("http://contoso", Token())


def test_default_scope() -> None:
    token = Token()
    with RoomsClient(UNREACHABLE, token, retry_total=0) as client, pytest.raises(ServiceRequestError):
        client.create_room()
    assert token.scopes == [("https://communication.azure.com//.default",)]


def test_credential_scopes() -> None:
    token = Token()
    scopes = ["https://communication.azure.us//.default"]
    with (
        RoomsClient(UNREACHABLE, token, retry_total=0, credential_scopes=scopes) as client,
        pytest.raises(ServiceRequestError),
    ):
        client.create_room()
    assert token.scopes == [("https://communication.azure.us//.default",)]


def test_credential_scopes_must_not_be_a_str() -> None:
    with pytest.raises(TypeError, match="credential_scopes must be a sequence of scopes, not a str"):
        RoomsClient("https://contoso", Token(), credential_scopes="https://communication.azure.us//.default")


def test_no_repr_shows_the_key() -> None:
    policy = HmacCredentialPolicy(AzureKeyCredential(ACCESS_KEY))
    with RoomsClient("https://contoso", AzureKeyCredential(ACCESS_KEY)) as client:
        assert "cm9vbXM" not in repr(client) + repr(policy)
