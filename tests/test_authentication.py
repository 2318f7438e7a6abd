import re
from types import SimpleNamespace

import pytest
from azure.core.credentials import AccessToken, AzureKeyCredential, AzureNamedKeyCredential
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.rest import HttpRequest

from azure.communication.rooms import RoomsClient, _authentication
from azure.communication.rooms._authentication import (
    HmacCredentialPolicy,
    parse_connection_string,
    parse_endpoint,
)

KEY = "cm9vbXMtdGVzdC1rZXktMDEyMzQ1Njc4OWFiY2RlZiE="
OTHER_KEY = "YW5vdGhlcg=="
NOW = 1795435200  # Mon, 23 Nov 2026 12:00:00 GMT


class Token:
    def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:
        return AccessToken("secret-token", NOW * 2)


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_authentication, "time", SimpleNamespace(time=lambda: NOW + 0.9))


def signed(request: HttpRequest, key: str = KEY) -> HttpRequest:
    HmacCredentialPolicy(AzureKeyCredential(key)).on_request(PipelineRequest(request, PipelineContext(None)))
    return request


def signature(request: HttpRequest) -> str:
    return signed(request).headers["Authorization"].partition("&Signature=")[2]


def test_a_get_is_signed_like_the_contracts_example() -> None:
    request = signed(HttpRequest("GET", "https://contoso.communication.azure.com/rooms?api-version=2025-03-13"))
    assert request.headers["x-ms-date"] == "Mon, 23 Nov 2026 12:00:00 GMT"
    assert request.headers["x-ms-content-sha256"] == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert request.headers["Authorization"] == (
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256"
        "&Signature=4lnEQZUGHWbXAbvvMu1Im9sJjz8GZ1qpHFN1KqMVaGM="
    )


@pytest.mark.parametrize("kind", [str, bytes])
def test_a_post_is_signed_like_the_contracts_example(kind: type) -> None:
    body = '{"validFrom": "2026-12-01T09:00:00.000000Z"}'
    request = HttpRequest(
        "POST",
        "https://contoso.communication.azure.com/rooms?api-version=2025-03-13",
        content=body if kind is str else body.encode(),
    )
    assert signature(request) == "MKIuO+KNe0VeLpgy6nihGmSPq9hpaLIBNJ2GlwQlKyc="


@pytest.mark.parametrize(
    "url",
    [
        "https://CONTOSO.communication.azure.com/rooms?api-version=2025-03-13",
        "https://contoso.communication.azure.com:443/rooms?api-version=2025-03-13",
        "https://contoso.communication.azure.com./rooms?api-version=2025-03-13",
        "https://contoso.communication.azure.com/%72ooms?api-version=2025-03-13",
        "https://contoso.communication.azure.com/rooms?api-version=2025-03-13#fragment",
    ],
)
def test_what_is_sent_alike_is_signed_alike(url: str) -> None:
    assert signature(HttpRequest("GET", url)) == "4lnEQZUGHWbXAbvvMu1Im9sJjz8GZ1qpHFN1KqMVaGM="


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
def test_what_is_sent_differently_is_signed_differently(url: str) -> None:
    assert signature(HttpRequest("GET", url)) != "4lnEQZUGHWbXAbvvMu1Im9sJjz8GZ1qpHFN1KqMVaGM="


def test_a_method_is_signed_and_sent_in_upper_case() -> None:
    request = HttpRequest("get", "https://contoso.communication.azure.com/rooms?api-version=2025-03-13")
    assert signature(request) == "4lnEQZUGHWbXAbvvMu1Im9sJjz8GZ1qpHFN1KqMVaGM="
    assert request.method == "GET"


def test_a_host_header_of_the_callers_is_what_is_signed() -> None:
    request = HttpRequest("GET", "http://127.0.0.1:1/rooms?api-version=2025-03-13")
    request.headers["host"] = "contoso.communication.azure.com"
    assert signature(request) == "4lnEQZUGHWbXAbvvMu1Im9sJjz8GZ1qpHFN1KqMVaGM="


def test_a_rotated_key_signs_from_the_next_request_on() -> None:
    credential = AzureKeyCredential(KEY)
    policy = HmacCredentialPolicy(credential)
    signatures: list[str] = []
    for key in (KEY, OTHER_KEY, KEY):
        credential.update(key)
        request = HttpRequest("GET", "https://contoso.communication.azure.com/rooms")
        policy.on_request(PipelineRequest(request, PipelineContext(None)))
        signatures.append(request.headers["Authorization"])
    assert signatures[0] == signatures[2] != signatures[1]


def test_a_key_rotated_to_what_is_not_base64_is_a_value_error_without_the_key() -> None:
    credential = AzureKeyCredential(KEY)
    policy = HmacCredentialPolicy(credential)
    credential.update("not base64, but secret")
    with pytest.raises(ValueError, match="the access key is not base64") as caught:
        policy.on_request(PipelineRequest(HttpRequest("GET", "https://h/"), PipelineContext(None)))
    assert "secret" not in str(caught.value)


def test_content_that_cannot_be_hashed_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="must have its content as bytes or str.*not generator"):
        signed(HttpRequest("POST", "https://h/", content=(part for part in [b"x"])))


@pytest.mark.parametrize(
    "conn_str",
    [
        f"endpoint=https://contoso.communication.azure.com/;accesskey={KEY}",
        f"endpoint=https://contoso.communication.azure.com/;accesskey={KEY};",
        f"ACCESSKEY={KEY};EndPoint=https://contoso.communication.azure.com/",
        f" endpoint = https://contoso.communication.azure.com/ ; accesskey = {KEY} \n",
    ],
)
def test_a_connection_string_holds_endpoint_and_key(conn_str: str) -> None:
    assert parse_connection_string(conn_str) == ("https://contoso.communication.azure.com/", KEY)


@pytest.mark.parametrize(
    ("conn_str", "message"),
    [
        ("", "conn_str has no 'endpoint'"),
        (f"accesskey={KEY}", "conn_str has no 'endpoint'"),
        ("endpoint=https://contoso", "conn_str has no 'accesskey'"),
        ("endpoint=https://contoso;accesskey=", "conn_str has no 'accesskey'"),
        (f"endpoint=https://contoso;{KEY.rstrip('=')}", "conn_str has a segment without '='"),
        (f"endpoint=a;endpoint=b;accesskey={KEY}", "conn_str has more than one 'endpoint'"),
        ("endpoint=https://contoso;accesskey=not-base64-cm9vbXM", "the access key is not base64"),
        (f"endpoint=https://contoso;accesskey={KEY[:-1]}", "the access key is not base64"),
        (f"endpoint=ftp://contoso;accesskey={KEY}", "endpoint must be an http or https URL"),
    ],
)
def test_a_connection_strings_fault_is_a_value_error_that_does_not_show_the_key(conn_str: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        RoomsClient.from_connection_string(conn_str)
    assert "cm9vbXM" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_connection_string_is_a_str() -> None:
    with pytest.raises(TypeError, match="conn_str must be a str, not bytes"):
        RoomsClient.from_connection_string(b"endpoint=x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("endpoint", "parsed"),
    [
        ("https://contoso.communication.azure.com", "https://contoso.communication.azure.com"),
        ("https://contoso.communication.azure.com/", "https://contoso.communication.azure.com"),
        ("contoso.communication.azure.com", "https://contoso.communication.azure.com"),
        ("contoso.communication.azure.com:8443/", "https://contoso.communication.azure.com:8443"),
        ("HTTPS://Contoso.Communication.Azure.Com:443", "https://contoso.communication.azure.com"),
        ("http://localhost:8787", "http://localhost:8787"),
        ("http://localhost:80/", "http://localhost"),
        ("http://[::1]:8787/", "http://[::1]:8787"),
        ("https://gateway/Rooms/v1//", "https://gateway/Rooms/v1"),
        ("https://gateway.:8443/", "https://gateway:8443"),
    ],
)
def test_an_endpoint_may_be_spelled_in_many_ways(endpoint: str, parsed: str) -> None:
    assert parse_endpoint(endpoint) == parsed


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "https://",
        "https:///rooms",
        "ftp://contoso",
        "https://contoso:port",
        "https://contoso:99999",
        "https://contoso?x=1",
        "https://contoso/#x",
        "https://con toso",
        "https://contoso/a b",
        "https://contoso/a/../b",
        "https://contoso/./b",
        "https://con\ntoso",
        "https://bücher.example",
        "https://[::1",
    ],
)
def test_an_endpoint_that_is_none_is_a_value_error_that_names_it(endpoint: str) -> None:
    with pytest.raises(ValueError, match="^endpoint must"):
        RoomsClient(endpoint, AzureKeyCredential(KEY))


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://user:hunter2@contoso",
        "https://contoso:hunter2",
        "https://contoso?key=hunter2",
        "endpoint=https://contoso/;accesskey=hunter2",
        "https://contoso:443;accesskey=hunter2",
    ],
)
def test_no_part_of_an_endpoint_is_shown_since_it_may_be_a_secret_in_the_wrong_place(endpoint: str) -> None:
    with pytest.raises(ValueError, match="^endpoint must") as caught:
        RoomsClient(f"{endpoint} ", AzureKeyCredential(KEY), connection_verify=False)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_an_endpoint_is_a_str() -> None:
    with pytest.raises(TypeError, match="endpoint must be a str, not NoneType"):
        RoomsClient(None, AzureKeyCredential(KEY))  # type: ignore[arg-type]


@pytest.mark.parametrize("credential", [KEY, None, Token, AzureNamedKeyCredential("name", KEY)])
def test_a_credential_of_another_type_is_a_type_error_that_does_not_show_it(credential: object) -> None:
    with pytest.raises(TypeError, match="credential must be an AzureKeyCredential or a TokenCredential") as caught:
        RoomsClient("https://contoso", credential)  # type: ignore[arg-type]
    assert KEY not in str(caught.value)


def test_a_token_credential_needs_https() -> None:
    RoomsClient("https://contoso", Token()).close()
    with pytest.raises(ValueError, match="endpoint must be https with a TokenCredential"):
        RoomsClient("http://contoso", Token())


def test_no_repr_of_a_client_or_policy_shows_the_key() -> None:
    client = RoomsClient("https://contoso", AzureKeyCredential(KEY))
    assert not re.search("cm9vbXM", repr(client) + repr(HmacCredentialPolicy(AzureKeyCredential(KEY))))
