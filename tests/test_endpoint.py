"""Endpoints and connection strings."""

import pytest
from azure.core.exceptions import ResourceNotFoundError

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import DEVELOPMENT_ACCESS_KEY, RoomsEmulator

from .support.credentials import ACCESS_KEY
from .support.operations import NO_ROOM


def test_repr_names_the_endpoint() -> None:
    client = RoomsClient.from_connection_string(f"endpoint=https://contoso.example/;accesskey={ACCESS_KEY}")
    assert repr(client) == "<RoomsClient https://contoso.example>"


@pytest.mark.parametrize(
    ("endpoint", "parsed"),
    [
        ("contoso.communication.azure.com", "https://contoso.communication.azure.com"),
        ("contoso.communication.azure.com:8443/", "https://contoso.communication.azure.com:8443"),
        ("HTTPS://Contoso.Communication.Azure.Com:443", "https://contoso.communication.azure.com"),
        (" http://localhost:80/\n", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("http://[::1]:8787/", "http://[::1]:8787"),
        ("https://gateway/Rooms/v1//", "https://gateway/Rooms/v1"),
    ],
)
def test_spellings_of_an_endpoint(endpoint: str, parsed: str) -> None:
    assert repr(RoomsClient(endpoint, ACCESS_KEY)) == f"<RoomsClient {parsed}>"


def test_path_prefix_is_signed(emulator: RoomsEmulator) -> None:
    with (
        RoomsClient(f"{emulator.endpoint}/prefix/", DEVELOPMENT_ACCESS_KEY) as client,
        pytest.raises(ResourceNotFoundError),  # not a 401
    ):
        client.get_room(NO_ROOM)
    assert emulator.requests[-1].path == f"/prefix/rooms/{NO_ROOM}"


@pytest.mark.parametrize("endpoint", ["", "https:///rooms", "https://con toso", "https://con\ntoso", "ftp://contoso",
    "https://contoso:port", "https://contoso?x=1", "https://contoso/#x", "https://contoso/a/../b", "https://bücher.example",
    "https://user:hunter2@contoso", "https://contoso:hunter2", "https://contoso?key=hunter2",
    "endpoint=https://contoso/;accesskey=hunter2", "https://contoso:443;accesskey=hunter2",
])  # fmt: skip
def test_invalid_endpoint_is_not_shown(endpoint: str) -> None:
    with pytest.raises(ValueError, match="^endpoint must") as caught:
        RoomsClient(endpoint, ACCESS_KEY)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "conn_str",
    [
        "endpoint={endpoint}//;accesskey={key}",
        "accesskey={key};endpoint={endpoint}/;",
        " EndPoint = {endpoint} ;;\n AccessKey\t= {key} ;\n",
        "region=a=b;ENDPOINT={ENDPOINT};accesskey={key}",
    ],
)
def test_spellings_of_a_connection_string(emulator: RoomsEmulator, conn_str: str) -> None:
    names = {"endpoint": emulator.endpoint, "ENDPOINT": emulator.endpoint.upper(), "key": DEVELOPMENT_ACCESS_KEY}
    assert list(RoomsClient.from_connection_string(conn_str.format(**names)).list_rooms()) == []


@pytest.mark.parametrize(
    ("conn_str", "message"),
    [
        ("", "conn_str has no 'endpoint'"),
        *(
            (
                f"{first}endpoint=https://contoso;accesskey={ACCESS_KEY}{last}",
                "begins with a quotation mark or a byte or",
            )
            for first, last in (('"', '"'), ("'", "'"), (" '", ""), ("\ufeff", ""))
        ),
        ("endpoint=https://contoso;accesskey=", "conn_str has no 'accesskey'"),
        (f"endpoint=https://contoso;{ACCESS_KEY.rstrip('=')}", "conn_str has a segment without '='"),
        (f"endpoint=a;endpoint=b;accesskey={ACCESS_KEY}", "conn_str has more than one 'endpoint'"),
        (f"endpoint=https://contoso;accesskey={ACCESS_KEY[:-1]}", "the access key is not base64"),
        (f"endpoint=ftp://contoso;accesskey={ACCESS_KEY}", "endpoint must be an http or https URL"),
    ],
)
def test_invalid_connection_string_is_not_shown(conn_str: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        RoomsClient.from_connection_string(conn_str)
    assert ACCESS_KEY[:10] not in str(caught.value)
    assert caught.value.__context__ is None


def test_arguments_must_be_strings() -> None:
    with pytest.raises(TypeError, match="conn_str must be a str, not NoneType; is the environment variable set?"):
        RoomsClient.from_connection_string(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="conn_str must be a str, not bytes$"):
        RoomsClient.from_connection_string(b"endpoint=x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="endpoint must be a str, not NoneType"):
        RoomsClient(None, ACCESS_KEY)  # type: ignore[arg-type]
