"""Wrapped lines: what a container engine puts around each line that a service writes is taken off first.

Docker's json-file is an object with `log` and `time`; CRI (containerd, CRI-O) writes time, stream, F or P, and the
line.
"""

import json
import re
from bisect import bisect_right
from typing import NamedTuple

CRI = re.compile(rb"([0-9]{4}-[0-9]{2}-[0-9]{2}T\S{8,25}) (?:stdout|stderr) [FP] (.*)", re.DOTALL)
DOCKER_START = b'{"log":"'


class Unwrapped(NamedTuple):
    """The lines inside, and for each of them where it starts, where its wrapper starts, and the wrapper's time."""

    block: bytes
    starts: list[int]
    places: list[int]
    stamps: list[bytes]

    def line_of(self, start: int) -> int:
        """Which line it is that begins at `start` of the block."""
        return bisect_right(self.starts, start) - 1


def unwrapped(block: bytes) -> Unwrapped | None:
    """The lines inside of wrapped lines; None where the first is none, so that other logs cost nothing."""
    if _inside(block[: block.find(b"\n") + 1 or None]) is None:
        return None
    inner, starts, places, stamps = bytearray(), [], [], []
    position = 0
    for line in block.splitlines(keepends=True):
        if found := _inside(line):
            starts.append(len(inner))
            places.append(position)
            stamps.append(found[0])
            inner += found[1].replace(b"\n", b" ").rstrip() + b"\n"
        position += len(line)
    return Unwrapped(bytes(inner), starts, places, stamps)


def _inside(line: bytes) -> tuple[bytes, bytes] | None:
    if line.startswith(DOCKER_START):
        return _docker(line)
    match = CRI.match(line)
    return (match[1], match[2]) if match else None


def _docker(line: bytes) -> tuple[bytes, bytes] | None:
    try:
        read = json.loads(line)
        text, at = read["log"], read["time"]
    except (ValueError, KeyError, RecursionError):
        return None
    if not isinstance(text, str) or not isinstance(at, str):
        return None
    return at.encode("ascii", "replace"), text.encode("utf-8", "replace")
