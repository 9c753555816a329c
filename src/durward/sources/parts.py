"""Parts: what a service writes to its standard output reaches the journal in pieces where a line is long or broken.

A piece that is none of a line's first may begin with a stranger's text, and one that is not its last may end where he
wants it to: only the whole line tells what the service wrote.
"""

from durward.sources.libsystemd import FIELD_BYTES_MAX

BREAKS = frozenset({b"line-max", b"nul", b"pid-change"})  # behind which the line goes on; at "eof" it ends
STREAMS_MAX = 1024  # whose last line goes on; what is left of the first one's counts as a line of its own beyond that


class Parts:
    """The lines that have begun and not ended yet, by the stream that they are written to."""

    def __init__(self) -> None:
        self._begun: dict[bytes, bytes | None] = {}  # None: it is left out

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._begun)

    def whole(self, stream: bytes | None, broken: bytes | None, text: bytes | None) -> bytes | None:
        """The line that ends with this text; None where it goes on, is longer than FIELD_BYTES_MAX, or is left out.

        `broken` says how journald came to end the text, if not at a newline. No text: nobody is to read the line.
        """
        if stream is None or (broken not in BREAKS and stream not in self._begun):
            return text
        begun = self._begun.pop(stream, b"")
        line = None if begun is None or text is None else begun + text
        if line is not None and len(line) > FIELD_BYTES_MAX:
            line = None
        if broken not in BREAKS:
            return line
        if len(self._begun) >= STREAMS_MAX:
            del self._begun[next(iter(self._begun))]
        self._begun[stream] = line
        return None
