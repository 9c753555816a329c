"""A setting takes what fits its kind, and says what was expected of what does not."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.catalog.setting import READERS, InvalidSettingError, Setting
from durward.model import FOREVER

COUNT = Setting("count", "count", 5, minimum=1, maximum=100)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@pytest.mark.parametrize(
    ("setting", "value", "typed"),
    [
        (COUNT, 100, 100),
        (Setting("x", "number", 1.0), 2, 2.0),
        (Setting("x", "duration", 1.0), "1h", 3600.0),
        (Setting("x", "duration", 1.0), "forever", FOREVER),
        (Setting("x", "texts", ()), ["a", "b"], ("a", "b")),
        (Setting("x", "paths", ()), ["/var/log/auth.log"], ("/var/log/auth.log",)),
        (Setting("x", "boolean", False), True, True),
        (Setting("x", "choice", "a", choices=("a", "b")), "b", "b"),
        (Setting("x", "choices", (), choices=("a", "b")), ["b", "b"], ("b",)),
        (Setting("x", "ports", None, choices=("same",)), "same", None),
        (Setting("x", "rate", None), "off", None),
    ],
)
def test_what_fits_becomes_typed(setting: Setting, value: object, typed: object) -> None:
    read = setting.read(value)
    assert read == typed
    assert type(read) is type(typed)


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        (COUNT, "5", "a whole number from 1 to 100 was expected"),
        (COUNT, True, "true was given; a whole number"),
        (COUNT, 0, "a count from 1 to 100"),
        (COUNT, 101, "a count from 1 to 100"),
        (Setting("x", "count", 1, minimum=3), 2, "a count of at least 3"),
        (Setting("x", "number", 1.0, maximum=3), 4, "a number of at most 3"),
        (Setting("x", "number", 1.0), math.nan, "a number"),
        (Setting("x", "duration", 1.0), 3600, '"1h"'),
        (Setting("x", "duration", 1.0), "1 hour", "90s, 10m, 1h, 7d or forever"),
        (Setting("x", "duration", 1.0, minimum=60, maximum=86400), "1s", "a duration from 1m to 1d"),
        (Setting("x", "duration", 1.0, minimum=60, maximum=FOREVER), "1s", "a duration of at least 1m"),
        (Setting("x", "text", ""), "a\0b", "a text"),
        (Setting("x", "texts", ()), "root", 'a list of texts like ["one", "two"]'),
        (Setting("x", "paths", ()), ["auth.log"], "a list of full paths"),
        (Setting("x", "boolean", False), "yes", "true or false"),
        (Setting("x", "choice", "a", choices=("a", "b", "c")), "d", '"a", "b" or "c"'),
        (Setting("x", "choices", (), choices=("a",)), ["a", "b"], 'a list of "a"'),
        (Setting("x", "ports", ()), "ssh", "no port"),
        (Setting("x", "rate", None), "fast", '"off" or a rate like "100/s"'),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(setting: Setting, value: object, expected: str) -> None:
    with pytest.raises(InvalidSettingError) as error:
        setting.read(value)
    assert expected in str(error.value)


def test_a_long_wrong_value_is_shown_short() -> None:
    with pytest.raises(InvalidSettingError) as error:
        COUNT.read("9" * 1_000_000)
    assert len(str(error.value)) < 200


@given(st.sampled_from(sorted(READERS)), ANYTHING)
def test_nothing_but_the_one_error_comes_of_any_value(kind: str, value: object) -> None:
    with suppress(InvalidSettingError):
        Setting("x", kind, None, choices=("a", "b")).read(value)
