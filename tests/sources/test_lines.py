"""Cutting lines: the same lines come out however the bytes arrive."""

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from durward.sources import lines
from durward.sources.lines import cut


def expected(text: bytes, length_max: int) -> list[bytes]:
    """The lines of a whole text, each no longer than allowed."""
    found = text.split(b"\n")
    rest = found.pop()
    return [line[:length_max] for line in found] + ([rest[:length_max]] if rest else [])


@given(
    st.lists(st.sampled_from([b"\n", b"a", b"bb\n", b"c" * 7, b"\0\xff", b"d" * 30, b"e" * 8 + b"\n"]), max_size=30),
    st.integers(9, 40),
)
def test_the_same_lines_however_large_the_window(parts: list[bytes], window_length: int) -> None:
    text = b"".join(parts)
    with patch.object(lines, "LINE_BYTES_MAX", 8):
        found: list[bytes] = []
        offset, inside = 0, False
        while True:
            window = text[offset : offset + window_length]
            piece = cut(window, 0, inside=inside, final=len(window) < window_length)
            if piece.end == 0:
                break
            assert piece.data == b"" or piece.data.endswith(b"\n")
            assert window[piece.begin :].startswith(piece.data[:-1])
            found += piece.data.split(b"\n")[:-1]
            offset += piece.end
            inside = text[offset - 1 : offset] != b"\n"
        assert offset == len(text)
        assert found == expected(text, 8)


def test_a_begun_line_is_left_for_later() -> None:
    assert cut(b"one\ntwo", 0, inside=False, final=False).data == b"one\n"
    assert cut(b"two", 0, inside=False, final=False).end == 0
    assert cut(b"xxtwo", 2, inside=False, final=True) == (2, 5, b"two\n", False)
    assert cut(b"rest", 0, inside=True, final=True) == (4, 4, b"", False)
