"""The users and groups of this host: from a name to its number, and a helpful answer where there is none."""

import grp
import pwd
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Literal

from durward.facts.failure import FactsError

Kind = Literal["user", "group"]

NUMBER_MAX = (1 << 32) - 2  # the kernel keeps the last one for "nobody at all"
NAMES_MAX = 100_000  # of accounts are searched for a near one


class UnknownAccountError(FactsError):
    """A name that no account of this host has; `nearest` is one that it has, or empty."""

    def __init__(self, kind: Kind, name: str, nearest: str) -> None:
        super().__init__(f"this host has no {kind} {name!r}")
        self.nearest = nearest


def user_id(name: str) -> int:
    """The number of the user `name`, which may be a number itself. Raises UnknownAccountError."""
    return _number(name, "user", lambda: pwd.getpwnam(name).pw_uid, lambda: (user.pw_name for user in pwd.getpwall()))


def group_id(name: str) -> int:
    """The number of the group `name`, which may be a number itself. Raises UnknownAccountError."""
    return _number(
        name, "group", lambda: grp.getgrnam(name).gr_gid, lambda: (group.gr_name for group in grp.getgrall())
    )


def _number(name: str, kind: Kind, look_up: Callable[[], int], names: Callable[[], Iterable[str]]) -> int:
    if name.isascii() and name.isdecimal():
        if len(name) <= 10 and int(name) <= NUMBER_MAX:
            return int(name)
        raise UnknownAccountError(kind, name, "")
    try:
        return look_up()
    except (KeyError, ValueError):  # a ValueError where a zero byte is in the name
        known = [known for known, _ in zip(names(), range(NAMES_MAX), strict=False)]
        nearest = get_close_matches(name, known, n=1)
        raise UnknownAccountError(kind, name, nearest[0] if nearest else "") from None
