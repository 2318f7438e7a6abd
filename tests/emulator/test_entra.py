"""Tokens of Microsoft Entra ID, from the endpoint of a managed identity."""

import re
from typing import Any

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

RESOURCE = "resource=https://communication.azure.com/"


def get_token(emulator: RoomsEmulator, query: str = RESOURCE, header: str = "rooms-emulator") -> tuple[int, Any]:
    url = f"{emulator.endpoint}/_emulator/token?api-version=2019-08-01&{query}"
    response = requests.get(url, headers={"X-IDENTITY-HEADER": header}, timeout=30)
    return response.status_code, response.json()


def test_token(emulator: RoomsEmulator) -> None:
    status_code, body = get_token(emulator)
    assert (status_code, body["token_type"], body["resource"]) == (200, "Bearer", "https://communication.azure.com/")
    assert re.fullmatch(r"\d+", body["expires_on"])  # a string


def test_what_gets_no_token(emulator: RoomsEmulator) -> None:
    assert get_token(emulator, header="")[0] == 401
    for query in ("resource=https://vault.azure.net", ""):
        status_code, body = get_token(emulator, query)
        assert (status_code, body["error"]["code"]) == (400, "BadRequest")


def test_azure_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "prod")
    with RoomsEmulator(tls=True) as emulator:
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        with DefaultAzureCredential() as credential, RoomsClient(emulator.endpoint, credential) as client:
            assert client.create_room().id
        with DefaultAzureCredential() as credential, pytest.raises(ClientAuthenticationError):
            credential.get_token("https://vault.azure.net/.default")


def test_given_endpoint_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://localhost/of-mine")
    with RoomsEmulator(tls=True) as emulator:
        assert emulator.environment.keys().isdisjoint({"IDENTITY_ENDPOINT", "IDENTITY_HEADER"})
        monkeypatch.setenv("IDENTITY_HEADER", "rooms-emulator")  # from the lines that another emulator printed
        assert emulator.environment["IDENTITY_ENDPOINT"].startswith(emulator.endpoint)
