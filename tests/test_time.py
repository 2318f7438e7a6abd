from datetime import datetime, timedelta, timezone

import pytest

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
def test_a_time_of_the_service_becomes_an_aware_datetime_in_utc(text: str, expected: datetime) -> None:
    time = parse_time(text)
    assert time == expected
    assert time.tzinfo is timezone.utc


def test_the_seventh_digit_is_cut_off_and_not_rounded() -> None:
    assert parse_time("2023-07-05T21:57:45.9999999+00:00").microsecond == 999999


def test_what_is_no_time_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="soon"):
        parse_time("soon")


def test_a_datetime_without_time_zone_is_utc() -> None:
    assert request_time("valid_from", datetime(2026, 12, 1, 9)) == "2026-12-01T09:00:00.000000Z"  # noqa: DTZ001


def test_an_aware_datetime_is_converted_to_utc() -> None:
    time = datetime(2026, 12, 1, 9, 0, 0, 5, timezone(timedelta(hours=-7, minutes=-30)))
    assert request_time("valid_from", time) == "2026-12-01T16:30:00.000005Z"


@pytest.mark.parametrize("value", ["2026-12-01", 1796115600, datetime(2026, 12, 1, tzinfo=timezone.utc).date()])
def test_anything_but_a_datetime_is_a_type_error_that_names_the_argument(value: object) -> None:
    with pytest.raises(TypeError, match=f"valid_from must be a datetime, not {type(value).__name__}"):
        request_time("valid_from", value)


def test_a_time_that_utc_cannot_hold_is_a_value_error_that_names_the_argument() -> None:
    with pytest.raises(ValueError, match="valid_until is outside"):
        request_time("valid_until", datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))))


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (datetime(2026, 12, 1, 9, 0, 0, 903276, timezone.utc), "2026-12-01T09:00:00.903276+00:00"),
        (datetime(2026, 12, 1, 9, 0, 0, 900000, timezone.utc), "2026-12-01T09:00:00.9+00:00"),
        (datetime(2026, 12, 1, 9, 0, 10, 0, timezone.utc), "2026-12-01T09:00:10+00:00"),
    ],
)
def test_a_time_is_written_as_the_service_writes_it(time: datetime, expected: str) -> None:
    assert response_time("created_at", time) == expected
