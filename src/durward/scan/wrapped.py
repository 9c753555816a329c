"""Wrapped lines: what a container engine puts around each line that a service writes is taken off first.

Docker's json-file is an object with `log` and `time`; CRI (containerd, CRI-O) writes time, stream, F or P, and the
line. A long line comes in parts, of which all but the first may begin with a stranger's text: they are put together.
"""

import json
import re
from bisect import bisect_right
from typing import NamedTuple

CRI = re.compile(rb"([0-9]{4}-[0-9]{2}-[0-9]{2}T\S{8,25}) (stdout|stderr) ([FP]) (.*)", re.DOTALL)
DOCKER_START = b'{"log":"'
JOINED_BYTES_MAX = 64 * 1024  # of a line in parts; a longer one is left out
NONE: frozenset[bytes] = frozenset()


class Unwrapped(NamedTuple):
    """The lines inside, and for each of them where it starts, where its wrapper starts, and the wrapper's time.

    `open` are the streams of which the last line goes on in the next block.
    """

    block: bytes
    starts: list[int]
    places: list[int]
    stamps: list[bytes]
    open: frozenset[bytes]

    def line_of(self, start: int) -> int:
        """Which line it is that begins at `start` of the block."""
        return bisect_right(self.starts, start) - 1


class Part(NamedTuple):
    """What a wrapper has inside: a line, or a part of one where `ends` is false."""

    stamp: bytes
    stream: bytes
    text: bytes
    ends: bool


class Begun(NamedTuple):
    """The parts so far of a line that has not ended, and the place and time of the first; no text: it is left out."""

    text: bytes | None
    place: int
    stamp: bytes


def unwrapped(block: bytes, still_open: frozenset[bytes] = NONE) -> Unwrapped | None:
    """The lines inside of wrapped lines; None where the first is none, so that other logs cost nothing.

    `still_open` are the streams of which the block before ended within a line: what is left of that is left out.
    """
    if _inside(block[: block.find(b"\n") + 1 or None]) is None:
        return None
    inner, starts, places, stamps = bytearray(), [], [], []
    begun = {stream: Begun(None, 0, b"") for stream in still_open}
    position = 0
    for line in block.split(b"\n"):  # and at no other sign, which a stranger might have sent
        if part := _inside(line):
            whole = _joined(begun.pop(part.stream, Begun(b"", position, part.stamp)), part)
            if not part.ends:
                begun[part.stream] = whole
            elif whole.text is not None:
                starts.append(len(inner))
                places.append(whole.place)
                stamps.append(whole.stamp)
                inner += whole.text.replace(b"\n", b" ").rstrip() + b"\n"
        position += len(line) + 1
    return Unwrapped(bytes(inner), starts, places, stamps, frozenset(begun))


def _joined(begun: Begun, part: Part) -> Begun:
    if begun.text is None or len(begun.text) + len(part.text) > JOINED_BYTES_MAX:
        return begun._replace(text=None)
    return begun._replace(text=begun.text + part.text)


def _inside(line: bytes) -> Part | None:
    if line.startswith(DOCKER_START):
        return _docker(line)
    match = CRI.match(line)
    return Part(match[1], match[2], match[4], match[3] == b"F") if match else None


def _docker(line: bytes) -> Part | None:
    try:
        read = json.loads(line)
        text, at, stream = read["log"], read["time"], read.get("stream", "")
    except (ValueError, KeyError, RecursionError):
        return None
    if not isinstance(text, str) or not isinstance(at, str) or not isinstance(stream, str):
        return None
    written = text.encode("utf-8", "replace")
    return Part(at.encode("ascii", "replace"), stream.encode("utf-8", "replace"), written, text.endswith("\n"))
