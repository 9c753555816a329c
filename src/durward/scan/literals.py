"""Which text each line that a pattern matches must contain: the needles that the scanner looks for first."""

from collections.abc import Iterable

from durward.scan.grammar import Group, Node, PatternError, Repeat, Sequence, Set, Text
from durward.scan.holes import members

LITERAL_BYTES_MIN = 4  # shorter ones are in half of all lines
LITERAL_BYTES_GOOD = 24  # beyond this, longer is no better
CHOICES_MAX = 16  # beyond so many spellings a part counts as not fixed
MEMBERS_MAX = 4
STEM_BYTES = 6
NEEDLE_BYTES_MIN = 8
START_BYTES = 4  # of a needle, which the search compares first: if they are rare, it hardly ever stops
# What most lines of most logs look like: a needle had better not begin like this.
ORDINARY = b"""
CRON[4242]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)
CRON[4242]: pam_unix(cron:session): session closed for user root
CRON[4242]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)
sudo: bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/apt-get update
systemd[1]: Started Session 4242 of User bob. systemd[1]: Finished Daily apt activities. Stopped target. Reached target
systemd-logind[611]: New session 4242 of user bob. Session 4242 logged out. Waiting for processes to exit. Removed
sshd[4242]: Accepted publickey for bob from 192.0.2.4 port 50514 ssh2 kernel: audit: type=1400 operation= name= pid=
"""


def literals_of(sequence: Sequence) -> frozenset[bytes]:
    """Texts of which each matching line contains one; the longest that there are.

    None begins with a blank or a colon: those are so common that the search would stop at every word. Raises
    PatternError where there is none that is long enough.
    """
    found = required_of(sequence)
    if not found or min(map(len, found)) < LITERAL_BYTES_MIN:
        raise PatternError(f"needs a fixed text of at least {LITERAL_BYTES_MIN} characters that each line contains")
    return found


def ending_of(sequence: Sequence) -> bytes:
    """The fixed text with which each matching line ends; nothing where the pattern ends with something that varies."""
    ending = b""
    for node in reversed(sequence):
        if not isinstance(node, Text):
            break
        ending = node.value + ending
    return ending


def needle_of(literal: bytes) -> bytes:
    """What to look for instead of a literal: that, from where it no longer begins like most lines."""
    for place in range(len(literal) - NEEDLE_BYTES_MIN + 1):
        if literal[place : place + START_BYTES] not in ORDINARY:
            return literal[place:]
    return literal


def stems_of(literals: Iterable[bytes], most: int) -> list[bytes]:
    """Short texts, so many at most, of which each literal contains one; none where that many are not enough."""
    lacking: dict[bytes, set[bytes]] = {}
    for literal in literals:
        for stem in _stems(literal):
            lacking.setdefault(stem, set()).add(literal)
    found: list[bytes] = []
    while lacking and len(found) < most:
        stem = max(lacking, key=lambda one: (len(lacking[one]), one))
        found.append(stem)
        for literal in lacking[stem].copy():
            for other in _stems(literal):
                lacking[other].discard(literal)
        lacking = {one: without for one, without in lacking.items() if without}
    return [] if lacking else found


def _stems(literal: bytes) -> set[bytes]:
    every = {literal[place : place + STEM_BYTES] for place in range(max(1, len(literal) - STEM_BYTES + 1))}
    return {stem for stem in every if stem not in ORDINARY} or {literal}


def required_of(sequence: Sequence) -> frozenset[bytes]:
    """The best texts of which each match contains one, however short; perhaps none."""
    found: list[frozenset[bytes]] = []
    current = frozenset({b""})
    for node in sequence:
        exact = _exact(node)
        if exact is not None and len(exact) > 1:
            found.append(current)
        if exact is not None and len(current) * len(exact) <= CHOICES_MAX:
            current = frozenset(left + right for left in current for right in exact)
            continue
        found += [current, _inside(node)]
        current = frozenset({b""})
    found = [_reduced(frozenset(text.lstrip(b" :") for text in choices)) for choices in [*found, current] if choices]
    return max(found, key=worth)


def worth(choices: frozenset[bytes]) -> tuple[int, int]:
    """A long literal is in few lines, and few literals are quick to look for."""
    return (min(LITERAL_BYTES_GOOD, *map(len, choices)) - len(choices), -len(choices))


def _inside(node: Node) -> frozenset[bytes]:
    match node:
        case Group(alternatives):
            return frozenset().union(*(required_of(alternative) for alternative in alternatives))
        case Repeat(inner, least) if least > 0:
            return required_of((inner,))
        case _:
            return frozenset()


def _exact(node: Node) -> frozenset[bytes] | None:
    """All texts that a node can stand for, if they are few."""
    match node:
        case Text(value):
            return frozenset({value})
        case Set():
            admitted = members(node)
            return frozenset(admitted) if len(admitted) <= MEMBERS_MAX else None
        case Group(alternatives):
            choices = [choices_of(alternative) for alternative in alternatives]
            every = frozenset(text for texts in choices for text in texts or ())
            return every if None not in choices and len(every) <= CHOICES_MAX else None
        case Repeat(inner, 0, 1):
            exact = _exact(inner)
            return None if exact is None else exact | {b""}
        case _:
            return None


def choices_of(sequence: Sequence) -> frozenset[bytes] | None:
    """All texts that a pattern fits as a whole, if they are few; None where they are not."""
    current = frozenset({b""})
    for node in sequence:
        exact = _exact(node)
        if exact is None or len(current) * len(exact) > CHOICES_MAX:
            return None
        current = frozenset(left + right for left in current for right in exact)
    return current


def _reduced(choices: frozenset[bytes]) -> frozenset[bytes]:
    """Without those that contain another one: finding that one is enough."""
    return frozenset(text for text in choices if not any(other != text and other in text for other in choices))
