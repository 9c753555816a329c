"""Cutting bytes into whole lines, so that one endless line costs nobody else theirs."""

from typing import NamedTuple

LINE_BYTES_MAX = 64 * 1024  # of a longer line only this much is given, with a newline; the rest is passed over


class Cut(NamedTuple):
    """What a window holds: `data` are whole lines, from `begin` on; everything before `end` is dealt with."""

    begin: int
    end: int
    data: bytes
    overlong: bool = False  # `data` is the first part of a line that is too long


def cut(window: bytes, begin: int, *, inside: bool, final: bool) -> Cut:
    r"""Cut `window` from `begin` on.

    `inside`: it begins within a line whose first part was given already, and the rest of that line is passed over.
    `final`: nothing will follow, so a last line without `\n` is whole and gets one.
    """
    if inside:
        newline = window.find(b"\n", begin)
        if newline < 0:
            return Cut(len(window), len(window), b"")
        begin = newline + 1
    end = _lines_end(window, begin)
    if end > begin:
        return Cut(begin, end, window[begin:end])
    if len(window) - begin > LINE_BYTES_MAX:
        end = begin + LINE_BYTES_MAX
        return Cut(begin, end, window[begin:end] + b"\n", overlong=True)
    if final and len(window) > begin:
        return Cut(begin, len(window), window[begin:] + b"\n")
    return Cut(begin, begin, b"")


def _lines_end(window: bytes, begin: int) -> int:
    """Where the last whole line ends that no overlong line precedes. One look per LINE_BYTES_MAX, from behind."""
    end = begin
    while (newline := window.rfind(b"\n", end, end + LINE_BYTES_MAX + 1)) >= 0:
        end = newline + 1
    return end
