"""How the engine comes by its sources: the enforcer opens them and hands over the descriptors."""

import os
from collections.abc import Iterator

from durward.control.channel import ChannelError
from durward.daemons.door import Door
from durward.sources.opening import NotNowError

WILD = frozenset("*?[")  # what makes a path of the settings a glob


def is_of_many(glob: str) -> bool:
    """Whether a glob names files of directories that are not named one by one: there may be thousands."""
    return bool(set(glob.rpartition("/")[0]) & WILD)


class Opening:
    """Asks the enforcer for descriptors. A path that it cannot or will not open is absent; the reason is kept.

    `absent` are the globs whose directory was not there when they were last asked for.
    """

    def __init__(self, door: Door) -> None:
        self.problems: dict[str, str] = {}
        self.absent: set[str] = set()
        self.watches: dict[str, list[tuple[int, bytes]]] = {}
        self._door = door

    @property
    def connected(self) -> bool:
        """Whether there is an enforcer to ask; without one nothing is known of any path."""
        return self._door.channel.connected

    def open(self, path: str) -> int | None:
        """A reading descriptor of `path`; None when it is absent or refused."""
        try:
            answer, descriptors = self._door.channel.ask_descriptors("open file", path=path)
        except ChannelError as error:
            raise NotNowError(str(error)) from None
        self.watches[path] = [(number, os.fsencode(name)) for number, name in answer["watches"]]
        if answer["problem"]:
            self.problems[path] = answer["problem"]
        else:
            self.problems.pop(path, None)
        return descriptors[0] if descriptors else None

    def siblings(self, path: str) -> list[tuple[str, int]]:
        """The rotated copies of `path`, newest first."""
        try:
            answer, descriptors = self._door.channel.ask_descriptors("open siblings", path=path)
        except ChannelError as error:
            raise NotNowError(str(error)) from None
        return list(zip(answer["names"], descriptors, strict=True))

    def matching(self, glob: str) -> Iterator[str]:
        """The paths that a glob of the settings names now. Raises ChannelError."""
        after, more = "", True
        while more:
            answer = self._door.channel.ask("open list", pattern=glob, after=after)
            if answer["absent"]:
                self.absent.add(glob)
            else:
                self.absent.discard(glob)
            yield from answer["paths"]
            more = answer["more"] and bool(answer["paths"])
            after = answer["paths"][-1] if answer["paths"] else after

    def changes(self) -> int:
        """The descriptor that tells what changes in the watched directories. Raises ChannelError."""
        _answer, (descriptor, *_rest) = self._door.channel.ask_descriptors("open watch")
        os.set_blocking(descriptor, False)
        return descriptor

    def journal(self) -> tuple[list[int], frozenset[int]]:
        """The journal's files, and the numbers of the watches on their directories. Raises ChannelError."""
        answer, descriptors = self._door.channel.ask_descriptors("open journal")
        return descriptors, frozenset(number for number, _name in answer["watches"])
