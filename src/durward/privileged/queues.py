"""Counts the mails that wait in the queues of mail servers, by the names in their directories; no mail is opened."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import PurePath

from durward.privileged.failure import OpeningError
from durward.privileged.walking import Place

NAMES_MAX = 50_000  # of one queue are looked at; a longer one counts as so long
DEPTH_MAX = 2  # directories within a queue's directory: servers spread a long queue over some
READING = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A mail of Exim's or Sendmail's has more files than one; its envelope is the one that counts.
NO_MAIL_ENDS, NO_MAIL_BEGINS = ("-D", "-J", "-K"), ("df", "xf", "tf", "Tf")


class Queues:
    """The queues in some directories, which root-owned settings name."""

    def __init__(self, directories: Sequence[str]) -> None:
        parents = [str(PurePath(one).parent) for one in directories]
        self._queues: dict[str, list[str]] = {}
        for directory, parent in zip(directories, parents, strict=True):
            shared = parents.count(parent) > 1  # the parts of one server's queue
            self._queues.setdefault(parent if shared else directory, []).append(directory)

    def look(self) -> list[tuple[str, int]]:
        """How many mails wait in each queue that there is, by the directory that its parts have in common."""
        found = []
        for name, directories in self._queues.items():
            counts = [count for one in directories if (count := mails_in(one)) is not None]
            if counts:
                found.append((name, sum(counts)))
        return found


def mails_in(directory: str) -> int | None:
    """How many mails lie in a directory and those within it; None where there is none, or it is not to be trusted."""
    try:
        with Place(directory) as place:
            descriptor = os.open(place.name or ".", READING, dir_fd=place.directory)
    except (OpeningError, OSError):
        return None
    room = [NAMES_MAX]
    try:
        return _count(descriptor, 0, room)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _count(descriptor: int, depth: int, room: list[int]) -> int:
    """Count what lies in an open directory; `room` is how many names may be looked at still. Raises OSError."""
    mails = 0
    with os.scandir(descriptor) as entries:
        for entry in entries:
            if room[0] <= 0:
                return mails
            room[0] -= 1
            if entry.is_file(follow_symlinks=False):
                mails += not (entry.name.endswith(NO_MAIL_ENDS) or entry.name.startswith(NO_MAIL_BEGINS))
            elif depth < DEPTH_MAX and entry.is_dir(follow_symlinks=False):
                with suppress(OSError):
                    mails += _within(descriptor, entry.name, depth, room)
    return mails


def _within(descriptor: int, name: str, depth: int, room: list[int]) -> int:
    inner = os.open(name, READING, dir_fd=descriptor)
    try:
        return _count(inner, depth + 1, room)
    finally:
        os.close(inner)
