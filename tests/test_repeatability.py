"""The repeatability headers of create_room."""

import uuid
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from azure.communication.rooms import RoomsClient
from azure.communication.rooms.emulator import RoomsEmulator

ID = "5d1b0f2e-2f65-4b46-9d3d-1f7a3c0f9a10"
DATE = "Thu, 27 Jul 2023 16:34:41 GMT"
TIME = datetime(2023, 7, 27, 16, 34, 41, tzinfo=timezone.utc)
HEADERS = {"Repeatability-Request-ID": ID, "Repeatability-First-Sent": DATE}


def sent(emulator: RoomsEmulator) -> tuple[str, str]:
    """The repeatability headers of the last request."""
    headers = emulator.requests[-1].headers
    return headers["repeatability-request-id"], headers["repeatability-first-sent"]


def test_default_is_a_new_pair(client: RoomsClient, emulator: RoomsEmulator) -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0)
    client.create_room()
    first_id, first_sent = sent(emulator)
    client.create_room()
    assert uuid.UUID(first_id).version == 4
    assert first_id != sent(emulator)[0]
    assert before <= parsedate_to_datetime(first_sent) <= datetime.now(timezone.utc)


def test_patch_of_the_uuid_module_does_not_repeat_an_id(client: RoomsClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uuid.uuid4", lambda: uuid.UUID(ID))
    assert client.create_room() != client.create_room()


@pytest.mark.parametrize("request_id", [ID, uuid.UUID(ID), ID.upper(), f"{{{ID}}}", ID.replace("-", "")])
def test_request_id(client: RoomsClient, emulator: RoomsEmulator, request_id: str | uuid.UUID) -> None:
    client.create_room(repeatability_request_id=request_id, repeatability_first_sent=TIME)
    assert sent(emulator) == (ID, DATE)


LOCAL = TIME.astimezone(timezone(timedelta(hours=-7.5)))


@pytest.mark.parametrize("first_sent", [TIME.replace(tzinfo=None), TIME.replace(microsecond=999999), LOCAL])
def test_first_sent_is_utc_to_the_second(client: RoomsClient, emulator: RoomsEmulator, first_sent: datetime) -> None:
    client.create_room(repeatability_request_id=ID, repeatability_first_sent=first_sent)
    assert sent(emulator) == (ID, DATE)


def test_repeated_create_makes_one_room(client: RoomsClient) -> None:
    first = client.create_room(repeatability_request_id=ID, repeatability_first_sent=TIME)
    assert client.create_room(headers=HEADERS) == first
    assert client.create_room(headers={name.lower(): value for name, value in HEADERS.items()}) == first
    assert list(client.list_rooms()) == [first]
    assert client.create_room() != first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"repeatability_request_id": ID}, "repeatability_first_sent go together: pass both or neither"),
        ({"repeatability_first_sent": TIME}, "repeatability_first_sent go together: pass both or neither"),
        ({"headers": {"repeatability-request-id": ID}}, "headers must have both Repeatability-Request-ID and Rep"),
        ({"headers": {"Repeatability-First-Sent": DATE}}, "headers must have both Repeatability-Request-ID and Rep"),
        ({"headers": HEADERS, "repeatability_request_id": ID}, "by keyword or in headers, not both"),
        ({"headers": HEADERS, "repeatability_first_sent": TIME}, "by keyword or in headers, not both"),
        *(
            ({"repeatability_request_id": text, "repeatability_first_sent": TIME}, "request_id must be a UUID, not ")
            for text in ("", "1", ID[:-1], f"{ID}0", ID.replace("5", "g"), DATE)
        ),
        (
            {
                "repeatability_request_id": ID,
                "repeatability_first_sent": datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
            },
            "repeatability_first_sent is outside the years 1 to 9999",
        ),
    ],
)
def test_invalid_pair_sends_nothing(
    client: RoomsClient, emulator: RoomsEmulator, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        client.create_room(**options)
    assert emulator.requests == []
