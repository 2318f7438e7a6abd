"""Endpoints and connection strings."""

import pytest
from azure.core.credentials import AzureKeyCredential

from azure.communication.rooms import RoomsClient
from azure.communication.rooms._endpoint import origin, parse_connection_string, parse_endpoint

from .support.credentials import ACCESS_KEY

KEY = AzureKeyCredential(ACCESS_KEY)


@pytest.mark.parametrize(
    "conn_str",
    [
        f"endpoint=https://contoso.communication.azure.com/;accesskey={ACCESS_KEY}",
        f"endpoint=https://contoso.communication.azure.com/;accesskey={ACCESS_KEY};",
        f"ACCESSKEY={ACCESS_KEY};EndPoint=https://contoso.communication.azure.com/",
        f" endpoint = https://contoso.communication.azure.com/ ; accesskey = {ACCESS_KEY} \n",
    ],
)
def test_connection_string(conn_str: str) -> None:
    assert parse_connection_string(conn_str) == ("https://contoso.communication.azure.com/", ACCESS_KEY)


@pytest.mark.parametrize(
    ("conn_str", "message"),
    [
        ("", "conn_str has no 'endpoint'"),
        (f"accesskey={ACCESS_KEY}", "conn_str has no 'endpoint'"),
        ("endpoint=https://contoso", "conn_str has no 'accesskey'"),
        ("endpoint=https://contoso;accesskey=", "conn_str has no 'accesskey'"),
        (f"endpoint=https://contoso;{ACCESS_KEY.rstrip('=')}", "conn_str has a segment without '='"),
        (f"endpoint=a;endpoint=b;accesskey={ACCESS_KEY}", "conn_str has more than one 'endpoint'"),
        ("endpoint=https://contoso;accesskey=not-base64-cm9vbXM", "the access key is not base64"),
        (f"endpoint=https://contoso;accesskey={ACCESS_KEY[:-1]}", "the access key is not base64"),
        (f"endpoint=ftp://contoso;accesskey={ACCESS_KEY}", "endpoint must be an http or https URL"),
    ],
)
def test_invalid_connection_string(conn_str: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        RoomsClient.from_connection_string(conn_str)
    assert "cm9vbXM" not in str(caught.value)
    assert caught.value.__context__ is None


def test_connection_string_must_be_a_str() -> None:
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
def test_spellings_of_an_endpoint(endpoint: str, parsed: str) -> None:
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
def test_invalid_endpoint(endpoint: str) -> None:
    with pytest.raises(ValueError, match="^endpoint (must|has)"):
        RoomsClient(endpoint, KEY)


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
def test_error_never_shows_the_endpoint(endpoint: str) -> None:
    with pytest.raises(ValueError, match="^endpoint (must|has)") as caught:
        RoomsClient(f"{endpoint} ", KEY)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None


def test_endpoint_must_be_a_str() -> None:
    with pytest.raises(TypeError, match="endpoint must be a str, not NoneType"):
        RoomsClient(None, KEY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://contoso/rooms?x#y", "https://contoso"),
        ("http://CONTOSO:80/rooms", "http://contoso"),
        ("https://contoso:443", "https://contoso"),
        ("http://contoso:443", "http://contoso:443"),
        ("https://contoso:/", "https://contoso"),
        ("http://contoso.:80/", "http://contoso"),
        ("http://contoso.:8080/", "http://contoso:8080"),
    ],
)
def test_origin(url: str, expected: str) -> None:
    assert origin(url) == expected
