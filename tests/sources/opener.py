"""An opener that simply opens, as the engine may not: what sources are given in these tests."""

import os
import re
from pathlib import Path

from durward.sources.opening import NotNowError

ROTATED = re.compile(r"[.-](\d+)(\.(?:gz|bz2|xz|zst))?")
SIBLINGS_MAX = 5


class DirectOpener:
    """Opens whatever is there. `opened` counts the calls; a path in `refused` is not opened; `busy` answers nothing."""

    def __init__(self) -> None:
        self.opened = 0
        self.refused: set[str] = set()
        self.busy = False

    def open(self, path: str) -> int | None:
        self.opened += 1
        self._answer()
        try:
            return None if path in self.refused else os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return None

    def siblings(self, path: str) -> list[tuple[str, int]]:
        self._answer()
        log = Path(path)
        found = [
            (order(int(match[1])), bool(match[2]), name)
            for name in os.listdir(log.parent)  # noqa: PTH208
            if name.startswith(log.name) and (match := ROTATED.fullmatch(name, len(log.name)))
        ]
        return [(name, os.open(log.parent / name, os.O_RDONLY)) for _, _, name in sorted(found)[:SIBLINGS_MAX]]

    def _answer(self) -> None:
        if self.busy:
            raise NotNowError("the enforcer does not answer")


def order(number: int) -> int:
    """Counted copies come in their order, dated ones (20261123) from behind."""
    return number if number < 1000 else -number
