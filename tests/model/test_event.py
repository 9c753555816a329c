"""Events: their text is bounded and readable whatever the bytes, and the evidence points at the line."""

from hypothesis import given
from hypothesis import strategies as some

from durward.model import Event, Evidence
from durward.model.event import TEXT_BYTES_MAX


def event(line: bytes) -> Event:
    return Event("auth.failure", 10.0, 11.0, "sshd", "file:auth.log", 7, line)


@given(some.binary(max_size=3000))
def test_any_line_is_a_bounded_text(line: bytes) -> None:
    text = event(line).text
    assert len(text) <= 4 * TEXT_BYTES_MAX
    text.encode()  # no lone surrogates: it can be stored and sent


def test_bytes_that_are_no_text_are_shown_as_escapes() -> None:
    assert event(b"user \xff\xfe").text == r"user \xff\xfe"
    assert event("Jürgen".encode()).text == "Jürgen"


def test_the_evidence_says_where_the_line_is() -> None:
    assert event(b"a line").evidence == Evidence("file:auth.log", 7, 10.0, "a line")
