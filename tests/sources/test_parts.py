"""Lines that journald had to break are read whole, or not at all: no piece of one passes for a line."""

import pytest

from durward.sources.libsystemd import FIELD_BYTES_MAX
from durward.sources.parts import STREAMS_MAX, Parts


def test_what_is_whole_stays_as_it_is() -> None:
    parts = Parts()
    assert parts.whole(b"s", None, b"refused") == b"refused"
    assert parts.whole(None, b"line-max", b"refused") == b"refused"
    assert parts.whole(b"s", b"eof", b"the last") == b"the last"
    assert not parts


@pytest.mark.parametrize("how", [b"line-max", b"nul", b"pid-change"])
def test_the_parts_of_a_line_are_put_together_for_each_stream(how: bytes) -> None:
    parts = Parts()
    assert parts.whole(b"s", how, b"refused x") is None
    assert parts.whole(b"t", None, b"another") == b"another"
    assert parts.whole(b"s", how, b" refused y at 198.51.100.7") is None
    assert parts.whole(b"s", None, b" at 203.0.113.9") == b"refused x refused y at 198.51.100.7 at 203.0.113.9"
    assert parts.whole(b"s", None, b"refused") == b"refused"


def test_a_line_that_is_too_long_is_left_out_to_its_end() -> None:
    parts = Parts()
    assert parts.whole(b"s", b"line-max", b"x" * FIELD_BYTES_MAX) is None
    assert parts.whole(b"s", b"line-max", b"refused y at 198.51.100.7") is None
    assert parts.whole(b"s", None, b"refused y at 198.51.100.7") is None
    assert parts.whole(b"s", None, b"refused") == b"refused"


def test_a_part_that_nobody_is_to_read_takes_the_others_with_it() -> None:
    parts = Parts()
    assert parts.whole(b"s", b"pid-change", None) is None
    assert parts.whole(b"s", None, b"refused y at 198.51.100.7") is None
    assert parts.whole(b"s", None, b"refused") == b"refused"


def test_there_is_a_bound() -> None:
    parts = Parts()
    for number in range(STREAMS_MAX + 1):
        assert parts.whole(b"%d" % number, b"nul", b"x") is None
    assert parts.whole(b"0", None, b"y") == b"y"
    assert parts.whole(b"1", None, b"y") == b"xy"
