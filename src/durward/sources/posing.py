"""Posing: who wrote to the journal under the name of a service that is not his, and how often. Nothing of it counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

POSERS_MAX = 256  # writers and names that are remembered; who has been silent for longest is forgotten beyond that
SAMPLE_BYTES_MAX = 200  # of the last message are kept


class Writer(NamedTuple):
    """Who wrote an entry: `uid` is the kernel's word, -1 where there is none; `name` is what he called himself.

    `program` is his process's name, which he may choose, `unit` systemd's word. `kindred`: his executable is one of the
    service's own by its name and place, so this may be a service that runs in an unusual way, or a set-uid program.
    """

    uid: int
    name: bytes
    program: bytes
    unit: bytes
    kindred: bool


@dataclass(slots=True)
class Pose:
    """What one writer wrote in one name; `last_at` is epoch seconds."""

    writer: Writer
    lines: int = 0
    last_at: float = 0.0
    sample: bytes = b""


class Posing:
    """All who did."""

    def __init__(self) -> None:
        self._poses: dict[tuple[int, bytes, bytes, bool], Pose] = {}

    def note(self, writer: Writer, at: float, message: bytes) -> None:
        """Remember one entry."""
        key = (writer.uid, writer.name, writer.unit if writer.kindred else b"", writer.kindred)
        pose = self._poses.pop(key, None) or Pose(writer)
        if len(self._poses) >= POSERS_MAX:
            del self._poses[next(iter(self._poses))]
        self._poses[key] = pose  # behind all others
        pose.writer, pose.lines, pose.last_at = writer, pose.lines + 1, max(pose.last_at, at)
        pose.sample = message[:SAMPLE_BYTES_MAX]

    def __iter__(self) -> Iterator[Pose]:
        return iter(self._poses.values())
