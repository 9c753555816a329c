"""An opener that simply opens, as the engine may not: what sources are given in these tests."""

import os
import re
from pathlib import Path

ROTATED = re.compile(r"[.-](\d+)(\.(?:gz|bz2|xz|zst))?")
SIBLINGS_MAX = 5


class DirectOpener:
    """Opens whatever is there. `opened` counts the calls; a path in `refused` is not opened."""

    def __init__(self) -> None:
        self.opened = 0
        self.refused: set[str] = set()

    def open(self, path: str) -> int | None:
        self.opened += 1
        try:
            return None if path in self.refused else os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            return None

    def siblings(self, path: str) -> list[tuple[str, int]]:
        log = Path(path)
        found = [
            (int(match[1]), bool(match[2]), name)
            for name in os.listdir(log.parent)  # noqa: PTH208
            if name.startswith(log.name) and (match := ROTATED.fullmatch(name, len(log.name)))
        ]
        return [(name, os.open(log.parent / name, os.O_RDONLY)) for _, _, name in sorted(found)[:SIBLINGS_MAX]]
