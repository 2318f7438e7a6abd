import logging
import re
import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

from ..support.waiting import wait_for
from .calls import get, signed_headers

DENIED = {"error": {"code": "Denied", "message": "Denied by the resource provider."}}


@pytest.mark.parametrize(
    ("seconds", "status_code"), [(0, 200), (-290, 200), (290, 200), (-310, 401), (310, 401), (-86400, 401)]
)
def test_signatures_expire(emulator: RoomsEmulator, seconds: int, status_code: int) -> None:
    date = formatdate(time.time() + seconds, usegmt=True)
    assert get(emulator, signed_headers(emulator, date=date))[0] == status_code


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda headers: headers.pop("Authorization"), "no credentials"),
        (lambda headers: headers.pop("x-ms-date"), "the header x-ms-date is missing or not a date"),
        (lambda headers: headers.pop("x-ms-content-sha256"), "the header x-ms-content-sha256 is missing"),
        (
            lambda headers: headers.update({"x-ms-date": formatdate(time.time() + 3600, usegmt=True)}),
            r"the client's clock is 3(600|599) seconds ahead",
        ),
        (
            lambda headers: headers.update({"x-ms-date": formatdate(time.time() - 600, usegmt=True)}),
            r"the client's clock is 60[01] seconds behind",
        ),
        (lambda headers: headers.update({"x-ms-date": formatdate(time.time() + 1, usegmt=True)}), "wrong access key"),
        (lambda headers: headers.update({"x-ms-content-sha256": "AAAA"}), "wrong access key"),
        (lambda headers: headers.update({"Authorization": headers["Authorization"] + "é"}), "wrong access key"),
        (lambda headers: headers.update({"Authorization": "Bearer token"}), "wrong bearer token"),
        (lambda headers: headers.update({"Authorization": "Basic dTpw"}), "the Authorization header is neither"),
        (lambda headers: headers.update({"Host": "localhost"}), "wrong access key"),
    ],
)
def test_log_explains_401(
    emulator: RoomsEmulator,
    caplog: pytest.LogCaptureFixture,
    change: Callable[[dict[str, str]], object],
    reason: str,
) -> None:
    headers = signed_headers(emulator)
    change(headers)
    with caplog.at_level(logging.INFO, "azure.communication.rooms.emulator"):
        assert get(emulator, headers) == (401, DENIED)
        wait_for(lambda: caplog.messages)  # the emulator logs the request after it responds
    assert re.search(rf" GET /rooms 401 [0-9.]+ ms: {reason}", caplog.messages[-1])
    assert headers.get("Authorization", "none")[-20:] not in caplog.text


def test_changed_body(emulator: RoomsEmulator, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "azure.communication.rooms.emulator"):
        status_code, body = get(emulator, signed_headers(emulator), body=b"{}")
        assert status_code == 401
        assert body["error"]["message"] == "Request 'x-ms-content-sha256' differs from generated content hash."
        wait_for(lambda: caplog.messages)
    assert caplog.messages[-1].endswith("ms: the body was changed after signing")


def test_signature_of_another_path(emulator: RoomsEmulator, client: RoomsClient) -> None:
    target = f"/rooms/{client.create_room().id}?api-version=2025-03-13"
    assert get(emulator, signed_headers(emulator), target)[0] == 401


@pytest.mark.parametrize("target", ["/rooms/a%20b?api-version=2025-03-13", "/rooms/a b?api-version=2025-03-13"])
def test_url_signed_as_sent_or_decoded(emulator: RoomsEmulator, target: str) -> None:
    assert get(emulator, signed_headers(emulator, target), "/rooms/a%20b?api-version=2025-03-13")[0] == 400


@pytest.mark.parametrize(("token", "status_code"), [("token-1", 200), ("token-2", 401), ("", 401)])
def test_bearer_token(token: str, status_code: int) -> None:
    with RoomsEmulator(bearer_token="token-1") as emulator:
        assert get(emulator, {"Authorization": f"Bearer {token}"})[0] == status_code
    with RoomsEmulator() as emulator:
        assert get(emulator, {"Authorization": f"Bearer {token}"})[0] == 401
