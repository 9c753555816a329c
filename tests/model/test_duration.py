"""Durations: read as people write them, written so that they read back, and bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.model import FOREVER, InvalidDurationError, duration, parse_duration
from durward.model.duration import SECONDS_MAX, UNITS


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1h", 3600), ("7d", 604800), ("2w", 1209600), ("0s", 0), ("forever", FOREVER)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("", "s", "5", "1.5h", "-1h", "+1h", "1 h", " 1h", "1h ", "1y", "1H", "1h30m", "\u0661h", "Forever", "inf"),
        *("nan", "36501d", "9" * 30 + "s", "9" * 5000 + "s"),
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidDurationError, match="is not a duration"):
        parse_duration(text)


@given(some.integers(0, SECONDS_MAX))
def test_whole_seconds_read_back_as_themselves(seconds: int) -> None:
    assert parse_duration(duration.text_of(float(seconds))) == seconds


@given(some.integers(0, 10**6), some.sampled_from(sorted(UNITS)))
def test_what_was_read_is_written_in_its_largest_unit(count: int, unit: str) -> None:
    seconds = count * UNITS[unit]
    if seconds > SECONDS_MAX:
        return
    text = duration.text_of(parse_duration(f"{count}{unit}"))
    assert parse_duration(text) == seconds
    if seconds:
        assert all(seconds % size for name, size in UNITS.items() if name != "w" and size > UNITS[text[-1]])


def test_for_ever_stays_for_ever() -> None:
    assert duration.text_of(FOREVER) == "forever"
    assert parse_duration(duration.text_of(FOREVER)) == FOREVER


@given(some.text(max_size=30))
def test_any_text_is_a_duration_or_refused_cleanly(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except InvalidDurationError:
        return
    assert seconds == FOREVER or 0 <= seconds <= SECONDS_MAX
