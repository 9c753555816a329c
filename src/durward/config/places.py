"""The networks of countries and autonomous systems whose sources are not counted, from the files of merged lists."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from durward.catalog.countries import file_of
from durward.catalog.document import Problem
from durward.config.lists import read_list
from durward.config.membership import Networks

NETWORKS_MAX = 300_000  # of one place; the rest of it is counted, and that is a problem
KEY = "exemptions.countries"

Stamp = tuple[float, int]
ABSENT: Stamp = (0.0, -1)


class Places:
    """Which of some places an address is in. What a file that is gone or cannot be read held is no longer exempt."""

    def __init__(self, directory: Path, places: Sequence[str]) -> None:
        self.problems: list[Problem] = []
        self.networks: Networks[str] = Networks(())
        self._files = {place: directory / file_of(place) for place in places}
        self._stamps: dict[str, Stamp] | None = None

    def read(self) -> bool:
        """Read the files, if one of them changed since; gives whether that was so."""
        stamps = {place: _stamp(path) for place, path in self._files.items()}
        if stamps == self._stamps:
            return False
        self._stamps, self.problems = stamps, []
        self.networks = Networks(self._networks())
        return True

    def _networks(self) -> Iterator[tuple[str, str]]:
        for place, path in self._files.items():
            found = read_list(path, NETWORKS_MAX)
            self.problems += found.problems[:1]
            if found.further:
                self.problems.append(
                    Problem(str(path), 1, KEY, f"more than {NETWORKS_MAX} networks; the rest is counted")
                )
            if self._stamps is not None and self._stamps[place] == ABSENT:
                self.problems.append(Problem(str(path), 1, KEY, _gone(path, place)))
            yield from ((one.network, f"{KEY}: {place}") for one in found.entries if one.network and not one.filter)


def absent(directory: Path, places: Sequence[str]) -> list[str]:
    """What is missing of the places' files, in plain words. Raises PermissionError where nobody lets us look."""
    if not os.access(directory, os.X_OK) and directory.exists():
        raise PermissionError(f"{directory} cannot be looked into")
    return [_gone(path, place) for place in places if not (path := directory / file_of(place)).exists()]


def _gone(path: Path, place: str) -> str:
    return f"{path} is not there; the networks of {place}, one a line, were expected in it"


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return ABSENT
    return (status.st_mtime, status.st_size)
