"""Work: how many steps a pattern could take on a line, at most. A line that would take too many is not read.

A regular expression tries every place where a hole can end, for each of them every place where the next hole can, and
so on: whoever fills a line with what stands between the holes can make that take minutes. A hole can only end where
the text that follows it begins, so counting those texts bounds the steps before the first of them is taken.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from durward.scan.grammar import Group, Hole, Node, Repeat, Sequence, Set, Text
from durward.scan.holes import HOLES, WIDE, members

STEPS_MAX = 2_000_000  # for one line and one pattern: some ten milliseconds
FOLLOWING_BYTES_MAX = 24  # of the text behind a hole that are counted; more makes it no rarer
FOLLOWING_MAX = 16  # such texts at most are told apart

Ends = frozenset[bytes] | None  # what can stand behind a hole: one of these, or (None) anything


@dataclass(frozen=True, slots=True)
class Factor:
    """One hole, by which texts it can end and how many characters it takes; or a group, each alternative's holes."""

    ends: Ends = frozenset()
    most: int = 0
    alternatives: tuple[tuple["Factor", ...], ...] = ()


def factors_of(sequence: Sequence, behind: Ends = frozenset()) -> tuple[Factor, ...]:
    """The holes and repeats of a pattern that can end at several places. `behind` is what follows it."""
    found: list[Factor] = []
    for place, node in enumerate(sequence):
        after = _first(sequence[place + 1 :], behind)
        match node:
            case Group(alternatives):
                inner = tuple(factors_of(alternative, after) for alternative in alternatives)
                found += [Factor(alternatives=inner)] if any(inner) else []
            case Repeat(Set() | Text() as one, _, most) if most > WIDE and _is_open(one, after):
                found.append(Factor(after, most))
            case Repeat(Group() | Repeat() | Hole() as inner_node):
                found += factors_of((inner_node,), after)
            case Hole(name) if HOLES[name].most > WIDE and _is_open(_set_of(name), after):
                found.append(Factor(after, HOLES[name].most))
            case _:
                pass
    return tuple(found)


def _set_of(name: str) -> Set:
    characters = HOLES[name].characters
    return Set("." if characters is None else f"[{characters}]")


def _is_open(one: Set | Text, ends: Ends) -> bool:
    """Whether what repeats `one` can end at several places: not where what follows begins with no such character."""
    if ends is None:
        return True
    admitted = {one.value[:1]} if isinstance(one, Text) else members(one)
    return any(end[:1] in admitted for end in ends)


def steps(factors: Iterable[Factor], line: bytes) -> int:
    """How many steps reading a line could take, at most; it is of the order of the line's length for ordinary ones."""
    return _ways(factors, line) * len(line)


def _ways(factors: Iterable[Factor], line: bytes) -> int:
    ways = 1
    for factor in factors:
        if factor.alternatives:
            ways *= max(1, sum(_ways(alternative, line) for alternative in factor.alternatives if alternative))
        elif factor.ends != frozenset():
            ends = len(line) if factor.ends is None else sum(map(line.count, factor.ends))
            ways *= max(1, min(ends, factor.most))
    return ways


def _first(sequence: Sequence, behind: Ends) -> Ends:
    """The texts with which a sequence can begin, or what follows it if it is empty; None where that is no text."""
    text = b""
    for place, node in enumerate(sequence):
        if not isinstance(node, Text) or len(text) >= FOLLOWING_BYTES_MAX:
            return _longer(text, _of_node(node, _first(sequence[place + 1 :], behind)))
        text += node.value
    return _longer(text, behind)


def _longer(text: bytes, ends: Ends) -> Ends:
    if not text or (ends and len(text) < FOLLOWING_BYTES_MAX and len(ends) <= FOLLOWING_MAX):
        return ends if ends is None else frozenset({text + end for end in ends})
    return frozenset({text})


def _of_node(node: Node, after: Ends) -> Ends:
    match node:
        case Group(alternatives):
            return _joined(_first(alternative, after) for alternative in alternatives)
        case Repeat(inner, least):
            return _joined((_first((inner,), after), after)) if least == 0 else _first((inner,), after)
        case _:
            return None


def _joined(several: Iterable[Ends]) -> Ends:
    found: set[bytes] = set()
    for ends in several:
        if ends is None:
            return None
        found |= ends
    return frozenset(found)
