"""Times in arguments and in the service's JSON."""

import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure.communication.rooms._time import parse_time, request_time, response_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-07-05T21:57:45.1688857+00:00", datetime(2023, 7, 5, 21, 57, 45, 168885, timezone.utc)),
        ("2023-07-05T21:57:44.903276+00:00", datetime(2023, 7, 5, 21, 57, 44, 903276, timezone.utc)),
        ("2023-07-05T21:57:44.9+00:00", datetime(2023, 7, 5, 21, 57, 44, 900000, timezone.utc)),
        ("2023-07-05T21:57:44+00:00", datetime(2023, 7, 5, 21, 57, 44, 0, timezone.utc)),
        ("2023-07-05T21:57:44Z", datetime(2023, 7, 5, 21, 57, 44, 0, timezone.utc)),
        ("2023-07-05T23:57:44+02:00", datetime(2023, 7, 5, 21, 57, 44, 0, timezone.utc)),
        ("2023-07-05T21:57:44", datetime(2023, 7, 5, 21, 57, 44, 0, timezone.utc)),
    ],
)
def test_service_time_is_aware_and_utc(text: str, expected: datetime) -> None:
    time = parse_time(text)
    assert time == expected
    assert time.tzinfo is timezone.utc


def test_seventh_digit_is_cut_off() -> None:
    assert parse_time("2023-07-05T21:57:45.9999999+00:00").microsecond == 999999


def test_invalid_service_time() -> None:
    with pytest.raises(ValueError, match="soon"):
        parse_time("soon")


def test_naive_argument_is_utc() -> None:
    assert request_time("valid_from", datetime(2026, 12, 1, 9)) == "2026-12-01T09:00:00.000000Z"  # noqa: DTZ001


def test_aware_argument_becomes_utc() -> None:
    time = datetime(2026, 12, 1, 9, 0, 0, 5, timezone(timedelta(hours=-7, minutes=-30)))
    assert request_time("valid_from", time) == "2026-12-01T16:30:00.000005Z"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-01T09:00:00Z", "2026-12-01T09:00:00.000000Z"),
        ("2026-12-01T09:00:00", "2026-12-01T09:00:00.000000Z"),
        ("2026-12-01T09:00:00.5+02:00", "2026-12-01T07:00:00.500000Z"),
        ("2026-12-01T09:00:00.9999999Z", "2026-12-01T09:00:00.999999Z"),
        ("20261201T0900-0730", "2026-12-01T16:30:00.000000Z"),
        ("2026-12-01T09:00Z", "2026-12-01T09:00:00.000000Z"),
    ],
)
def test_iso_8601_argument(text: str, expected: str) -> None:
    assert request_time("valid_from", text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-12-01",
        "2026-12-01 09:00:00Z",
        "2026-13-01T09:00:00Z",
        "2026-12-01T25:00:00Z",
        "2026-12-01T09:00:00+25:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_invalid_iso_8601_argument(text: str) -> None:
    with pytest.raises(
        ValueError, match=f"^valid_until must be an ISO 8601 time such as .*, not {re.escape(repr(text))}"
    ):
        request_time("valid_until", text)


@given(st.text(st.sampled_from("0123456789TZW:-+., ")) | st.text())
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    try:
        time = request_time("valid_from", text)
    except ValueError as error:
        assert str(error).startswith("valid_from must be an ISO 8601 time")  # noqa: PT017 - or there is no error
    else:
        assert parse_time(time).tzinfo is timezone.utc


@given(st.datetimes(timezones=st.just(timezone.utc)))
def test_datetime_and_its_text_are_the_same(time: datetime) -> None:
    assert request_time("valid_from", time.isoformat()) == request_time("valid_from", time)
    assert parse_time(response_time("valid_from", time)) == time


@pytest.mark.parametrize("value", [1796115600, datetime(2026, 12, 1, tzinfo=timezone.utc).date(), b"2026-12-01T09:00Z"])
def test_argument_of_another_type(value: object) -> None:
    with pytest.raises(
        TypeError, match=f"valid_from must be a datetime or an ISO 8601 string, not {type(value).__name__}"
    ):
        request_time("valid_from", value)


def test_argument_outside_utc() -> None:
    with pytest.raises(ValueError, match="valid_until is outside the years 1 to 9999 in UTC"):
        request_time("valid_until", datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))))


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (datetime(2026, 12, 1, 9, 0, 0, 903276, timezone.utc), "2026-12-01T09:00:00.903276+00:00"),
        (datetime(2026, 12, 1, 9, 0, 0, 900000, timezone.utc), "2026-12-01T09:00:00.9+00:00"),
        (datetime(2026, 12, 1, 9, 0, 10, 0, timezone.utc), "2026-12-01T09:00:10+00:00"),
    ],
)
def test_service_format(time: datetime, expected: str) -> None:
    assert response_time("created_at", time) == expected
