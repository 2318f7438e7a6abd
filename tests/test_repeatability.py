"""The repeatability headers of create_room."""

import string
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure.communication.rooms import RoomsClient
from azure.communication.rooms._repeatability import check_client_headers, repeatability_headers
from azure.communication.rooms.emulator import RoomsEmulator

ID = "5d1b0f2e-2f65-4b46-9d3d-1f7a3c0f9a10"
DATE = "Thu, 27 Jul 2023 16:34:41 GMT"
TIME = datetime(2023, 7, 27, 16, 34, 41, tzinfo=timezone.utc)
HEADERS = {"Repeatability-Request-ID": ID, "Repeatability-First-Sent": DATE}
NAIVE_TIMES = st.datetimes(TIME.replace(1000, tzinfo=None))
NOT_UUIDS = ["", "1", ID[:-1], f"{ID}0", ID.replace("5", "g"), "Thu, 27 Jul 2023 16:34:41 GMT"]
NOT_DATES = [
    "",
    "now",
    "2023-07-27T16:34:41Z",
    "Fri, 27 Jul 2023 16:34:41 GMT",  # it was a Thursday
    "Thu, 27 Jul 2023 16:34:41 +0000",
    "Thu, 27 Jul 2023 16:34:41 -0000",
    "Thu, 27 Jul 2023 16:34:41",
    "Thu, 27 Jul 2023 25:34:41 GMT",
    "Thu, 30 Feb 2023 16:34:41 GMT",
    "Thursday, 27-Jul-23 16:34:41 GMT",
    " Thu, 27 Jul 2023 16:34:41 GMT",
    "Thu, 27 Jul 99999 16:34:41 GMT",
]


def test_default_is_a_new_pair() -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0)
    first, second = repeatability_headers(None, None, {}), repeatability_headers(None, None, {})
    assert uuid.UUID(first["Repeatability-Request-ID"]).version == 4
    assert first["Repeatability-Request-ID"] != second["Repeatability-Request-ID"]
    assert before <= parsedate_to_datetime(first["Repeatability-First-Sent"]) <= datetime.now(timezone.utc)


@pytest.mark.parametrize("request_id", [ID, uuid.UUID(ID), ID.upper(), f"{{{ID}}}", ID.replace("-", "")])
def test_keywords_become_headers(request_id: str | uuid.UUID) -> None:
    assert repeatability_headers(request_id, TIME, {"x-mine": "1"}) == HEADERS


@pytest.mark.parametrize(
    "first_sent",
    [
        TIME.replace(tzinfo=None),
        TIME.replace(microsecond=999999),
        TIME.astimezone(timezone(timedelta(hours=-7, minutes=-30))),
    ],
    ids=["naive", "microseconds", "zone"],
)
def test_first_sent_is_utc_to_the_second(first_sent: datetime) -> None:
    assert repeatability_headers(ID, first_sent, {}) == HEADERS


@pytest.mark.parametrize("headers", [HEADERS, {name.lower(): value for name, value in HEADERS.items()}])
def test_headers_stay_as_they_are(headers: Mapping[str, str]) -> None:
    assert repeatability_headers(None, None, headers) == {}


@pytest.mark.parametrize(("request_id", "first_sent"), [(ID, None), (None, TIME)])
def test_keywords_go_together(request_id: str | None, first_sent: datetime | None) -> None:
    with pytest.raises(ValueError, match="repeatability_first_sent go together: pass both or neither"):
        repeatability_headers(request_id, first_sent, {})


@pytest.mark.parametrize("name", HEADERS)
def test_headers_go_together(name: str) -> None:
    with pytest.raises(ValueError, match="headers must have both Repeatability-Request-ID and Repeatability-First-S"):
        repeatability_headers(None, None, {name: HEADERS[name]})


@pytest.mark.parametrize(("request_id", "first_sent"), [(ID, TIME), (ID, None), (None, TIME)])
@pytest.mark.parametrize("name", HEADERS)
def test_keyword_or_header_not_both(request_id: str | None, first_sent: datetime | None, name: str) -> None:
    with pytest.raises(ValueError, match="by keyword or in headers, not both"):
        repeatability_headers(request_id, first_sent, {name: HEADERS[name]})


@pytest.mark.parametrize("value", NOT_UUIDS)
def test_malformed_request_id(value: str) -> None:
    with pytest.raises(ValueError, match="^repeatability_request_id must be a UUID, not "):
        repeatability_headers(value, TIME, {})
    with pytest.raises(ValueError, match="^headers: Repeatability-Request-ID must be a hyphenated UUID, not "):
        repeatability_headers(None, None, {**HEADERS, "Repeatability-Request-ID": value})


@pytest.mark.parametrize("value", [f"{{{ID}}}", ID.replace("-", ""), f"urn:uuid:{ID}", 5])
def test_header_is_a_hyphenated_uuid(value: Any) -> None:
    with pytest.raises(ValueError, match="must be a hyphenated UUID"):
        repeatability_headers(None, None, {**HEADERS, "Repeatability-Request-ID": value})


@pytest.mark.parametrize("value", [*NOT_DATES, 5])
def test_malformed_date(value: Any) -> None:
    with pytest.raises(
        ValueError, match="^headers: Repeatability-First-Sent must be an HTTP date such as 'Thu, 27 Jul"
    ):
        repeatability_headers(None, None, {**HEADERS, "Repeatability-First-Sent": value})


def test_wrong_types() -> None:
    request_id: Any = 5
    with pytest.raises(TypeError, match="repeatability_request_id must be a str or a UUID, not int"):
        repeatability_headers(request_id, TIME, {})
    first_sent: Any = DATE
    with pytest.raises(TypeError, match="repeatability_first_sent must be a datetime, not str"):
        repeatability_headers(ID, first_sent, {})


def test_first_sent_outside_utc() -> None:
    with pytest.raises(ValueError, match="repeatability_first_sent is outside the years 1 to 9999"):
        repeatability_headers(ID, datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), {})


@given(st.uuids(), NAIVE_TIMES | NAIVE_TIMES.map(lambda time: time.replace(tzinfo=timezone.utc)))
def test_keywords_and_headers_agree(request_id: uuid.UUID, first_sent: datetime) -> None:
    headers = repeatability_headers(request_id, first_sent, {})
    assert repeatability_headers(None, None, headers) == {}
    again = parsedate_to_datetime(headers["Repeatability-First-Sent"])
    assert repeatability_headers(str(request_id), again, {}) == headers


@given(st.text(st.sampled_from(string.hexdigits + "-{}:gurn ")) | st.text(), st.text() | st.sampled_from(NOT_DATES))
def test_random_text_is_a_value_error(request_id: str, date: str) -> None:
    headers = {"Repeatability-Request-ID": request_id, "Repeatability-First-Sent": date}
    with pytest.raises(ValueError, match="headers: Repeatability-"):
        repeatability_headers(None, None, headers)


@pytest.mark.parametrize("name", [*HEADERS, "repeatability-request-id"])
def test_client_headers_must_not_have_them(emulator: RoomsEmulator, name: str) -> None:
    with pytest.raises(ValueError, match="to a single create_room, not to the client"):
        RoomsClient.from_connection_string(emulator.connection_string, headers={name: ID})
    check_client_headers({"x-mine": "1"})


def test_repeated_create_makes_one_room(client: RoomsClient, emulator: RoomsEmulator) -> None:
    first = client.create_room(repeatability_request_id=ID, repeatability_first_sent=TIME)
    assert client.create_room(repeatability_request_id=uuid.UUID(ID), repeatability_first_sent=TIME) == first
    assert client.create_room(headers=HEADERS) == first
    assert list(client.list_rooms()) == [first]
    assert client.create_room() != first
    for request in emulator.requests[:3]:
        assert request.headers["repeatability-request-id"] == ID
        assert request.headers["repeatability-first-sent"] == DATE


def test_invalid_pair_sends_nothing(client: RoomsClient, emulator: RoomsEmulator) -> None:
    with pytest.raises(ValueError, match="go together"):
        client.create_room(repeatability_request_id=ID)
    with pytest.raises(ValueError, match="headers must have both"):
        client.create_room(headers={"repeatability-first-sent": DATE})
    assert emulator.requests == []
