"""Who hands out descriptors, and the one error of this package. The engine itself may not open a path."""

from typing import Protocol

ABSENT = "is absent or may not be read"  # what a source says of itself when the opener gave nothing
SIBLINGS_MAX = 5  # rotated copies that are looked at; older ones than that are never read again


class SourceError(Exception):
    """A source cannot be read; the message says which and why."""


class NotNowError(SourceError):
    """Whoever opens cannot be asked at the moment: nothing is known, so nothing is given up, and we ask again."""


class Opener(Protocol):
    """Opens what root-owned settings name. The descriptors belong to the caller, who closes them."""

    def open(self, path: str) -> int | None:
        """Give a reading descriptor of the regular file `path`; None when it is absent or refused.

        Raises NotNowError.
        """
        ...

    def siblings(self, path: str) -> list[tuple[str, int]]:
        """Give the rotated copies of `path`, newest first, at most SIBLINGS_MAX: (name, reading descriptor).

        Raises NotNowError.
        """
        ...
