"""Calendar: every kind of stamp, the year that syslog leaves out, and nothing made up."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.scan.timestamps import DAY_SECONDS, STAMPS_MAX, Calendar

MORNING = datetime(2026, 11, 23, 8, 10, tzinfo=UTC).timestamp()
CALENDAR = Calendar(MORNING + 3600)


@pytest.mark.parametrize(
    ("stamp", "more"),
    [
        (b"Nov 23 08:10:00", 0),
        (b"Nov 23 2026 08:10:00", 0),
        (b"2026-11-23T08:10:00Z", 0),
        (b"2026-11-23T08:10:00.250Z", 0.25),
        (b"2026-11-23T08:10:00,250", 0.25),
        (b"2026-11-23T09:10:00.123456+01:00", 0.123456),
        (b"2026-11-23T02:40:00-05:30", 0),
        (b"2026-11-23 08:10:00", 0),
        (b"2026/11/23 08:10:00", 0),
        (b"2026-11-23 08:10:00 UTC", 0),
        (b"2026-11-23 08:10:00.500 GMT", 0.5),
        (b"[23/Nov/2026:08:10:00 +0000]", 0),
        (b"23/Nov/2026:10:10:00 +0200", 0),
        (b"23-Nov-2026 08:10:00 +0000", 0),
        (b"[Mon Nov 23 08:10:00.500 2026]", 0.5),
        (b"Mon Nov 23 08:10:00 2026", 0),
        (b"2026-11-23  8:10:00", 0),
        (b"2026-11-23 09:10:00 +0100", 0),
        (b"[23/nov./2026:08:10:00 +0000]", 0),
        (b"11/23/2026 08:10:00", 0),
        (b"23/11/2026 - 08:10:00", 0),
        (b"11/23/2026, 8:10:00 AM", 0),
        (b"11-23-2026 08:10:00", 0),
        (b"11/23/2026:08:10:00 -0000", 0),
        (b"20261123-08:10:00", 0),
        (b"11-23 08:10:00.500", 0.5),
        (b"[UTC Nov 23 08:10:00]", 0),
        (b"[CET Nov 23 08:10:00]", 0),
        (b"Nov-23-26 08:10:00", 0),
        (b"Nov 23, 2026 8:10:00 AM", 0),
        (b"08:10:00.500", 0.5),
        (b"1795421400", 0),
        (b"1795421400.500", 0.5),
        (b"1795421400500", 0.5),
    ],
)
def test_every_kind_of_stamp(stamp: bytes, more: float) -> None:
    assert CALENDAR.time(stamp) == pytest.approx(MORNING + more, abs=1e-6)
    assert CALENDAR.times([stamp], 0.0) == pytest.approx([MORNING + more], abs=1e-6)


@pytest.mark.parametrize(
    "stamp",
    [
        b"",
        b"soon",
        b"Nov 31 08:10:00",
        b"Xyz 23 08:10:00",
        b"2026-13-01T00:00:00Z",
        b"Nov 23 25:00:00",
        b"99999999999999",
        b"24:00:00",
        b"13/13/2026 08:10:00",
    ],
)
def test_what_is_no_time_is_none(stamp: bytes) -> None:
    assert CALENDAR.time(stamp) is None
    assert CALENDAR.times([stamp], 5.0) == [5.0]


def test_the_year_is_the_latest_that_is_not_in_the_future() -> None:
    new_year = datetime(2027, 1, 1, 0, 30, tzinfo=UTC).timestamp()
    assert Calendar(new_year).time(b"Dec 31 23:59:59") == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
    assert Calendar(new_year).time(b"Jan  1 23:00:00") == datetime(2027, 1, 1, 23, tzinfo=UTC).timestamp()
    assert Calendar(new_year - 3600).time(b"Jan  1 00:10:00") == datetime(2027, 1, 1, 0, 10, tzinfo=UTC).timestamp()


def test_29_february_belongs_to_a_leap_year() -> None:
    assert CALENDAR.time(b"Feb 29 12:00:00") == datetime(2024, 2, 29, 12, tzinfo=UTC).timestamp()
    after_1900s_gap = Calendar(datetime(2103, 6, 1, tzinfo=UTC).timestamp())
    assert after_1900s_gap.time(b"Feb 29 12:00:00") == datetime(2096, 2, 29, 12, tzinfo=UTC).timestamp()


def test_stamps_without_a_zone_are_in_that_of_the_calendar() -> None:
    ahead = Calendar(MORNING + 3600, utc_offset_seconds=7200)
    assert ahead.time(b"Nov 23 10:10:00") == MORNING
    assert ahead.time(b"2026-11-23 10:10:00") == MORNING
    assert ahead.time(b"2026-11-23T08:10:00Z") == MORNING


def test_a_leap_second_is_the_next_second() -> None:
    assert CALENDAR.time(b"2016-12-31T23:59:60Z") == datetime(2017, 1, 1, tzinfo=UTC).timestamp()


@given(st.floats(6e8, 3.4e9).map(lambda at: datetime.fromtimestamp(at, UTC)), st.integers(-12 * 4, 14 * 4))
def test_iso_as_python_reads_it(moment: datetime, quarters: int) -> None:
    zoned = moment.astimezone(timezone(timedelta(minutes=15 * quarters)))
    stamp = zoned.isoformat(timespec="microseconds").encode()
    assert Calendar(0.0).times([stamp], -1.0) == pytest.approx([moment.timestamp()], abs=1e-5)


@given(st.floats(0, 4e9), st.integers(0, 365))
def test_a_year_is_never_made_up_beyond_a_day_ahead(reference: float, days: int) -> None:
    stamp = (datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=days)).strftime("%b %d 12:00:00").encode()
    at = Calendar(reference).time(stamp)
    assert at is not None
    assert reference - 367 * DAY_SECONDS < at <= reference + DAY_SECONDS


@given(st.lists(st.binary(max_size=40)))
def test_bytes_of_all_kinds_are_read_without_harm(stamps: list[bytes]) -> None:
    assert len(CALENDAR.times(stamps, 1.0)) == len(stamps)


def test_what_is_remembered_is_bounded() -> None:
    calendar = Calendar(MORNING)
    calendar.times([b"%d" % (1_700_000_000 + number) for number in range(STAMPS_MAX + 10)], 0.0)
    assert len(calendar.known) <= STAMPS_MAX


@pytest.mark.parametrize("zone", [b"Z", b" UTC", b" GMT", b" +0000"])
def test_universal_time_is_not_local_time(zone: bytes) -> None:
    assert Calendar(MORNING + 3600, 7200).time(b"2026-11-23 08:10:00" + zone) == MORNING


def test_a_clock_alone_is_of_the_last_day_on_which_it_was() -> None:
    assert CALENDAR.time(b"09:30:00") == MORNING + 80 * 60  # a clock may be a little ahead
    assert CALENDAR.time(b"23:10:00") == MORNING + 15 * 3600 - DAY_SECONDS
    assert Calendar(MORNING, 7200).time(b"10:10:00") == MORNING


def test_day_and_month_change_places_where_that_is_the_latest_past_day() -> None:
    november = datetime(2026, 11, 12, 8, 10, tzinfo=UTC).timestamp()
    assert CALENDAR.time(b"12/11/2026 08:10:00") == CALENDAR.time(b"11/12/2026 08:10:00") == november
    assert CALENDAR.time(b"12.11.2026 08:10:00") == november
    assert CALENDAR.time(b"11.12.2026 08:10:00") == november + 29 * DAY_SECONDS  # with dots the day is first
    assert CALENDAR.time(b"01/02/2027 08:10:00") == datetime(2027, 1, 2, 8, 10, tzinfo=UTC).timestamp()


def test_noon_and_midnight_of_a_clock_with_two_halves() -> None:
    noon = MORNING + 4 * 3600 - 600
    assert Calendar(noon).time(b"11/23/2026 12:00:00 PM") == noon
    assert Calendar(noon).time(b"11/23/2026 12:00:00 AM") == noon - DAY_SECONDS / 2
