"""Lexicon: the literals of some rules, and for each which rules to try on a line in which it was found.

A start would take long if that were worked out for all literals, so it is when they are first found: most never are.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from durward.scan.literals import needle_of
from durward.scan.meaning import Meaning

OVERLAP_BYTES = 4  # of two literals, with which one of them stands for the other too
ENTRIES_MAX = 2048  # of which is remembered which rules to try; all are forgotten beyond that

Rule = TypeVar("Rule", bound=Meaning)


class Entry(NamedTuple, Generic[Rule]):
    """Rules for a line that contains a literal; see Candidates (scan/matcher.py), which is made of it."""

    likely: list[Rule]
    rules: list[Rule]
    signs: frozenset[bytes]


class Lexicon(Generic[Rule]):
    """`literals` are in alphabetical order, and known by their place in it.

    In `order` the first of several rules that fit a line counts: that with the longest text, or that of the first card.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.order = {rule: (-rule.text_bytes, place) for place, rule in enumerate(rules)}.__getitem__
        self._by_literal: dict[bytes, list[Rule]] = {}
        for rule in rules:
            for literal in rule.literals:
                self._by_literal.setdefault(needle_of(literal), []).append(rule)
        self.literals = sorted(self._by_literal)
        self._entries: dict[frozenset[int], Entry[Rule]] = {}

    def __getitem__(self, places: frozenset[int]) -> Entry[Rule]:
        """What is known of lines in which the literals at some places were found."""
        entry = self._entries.get(places)
        if entry is None:
            if len(self._entries) >= ENTRIES_MAX:
                self._entries.clear()
            entry = self._entries[places] = self._entry([self.literals[place] for place in sorted(places)])
        return entry

    def own(self, place: int) -> list[Rule]:
        """The rules that have the literal."""
        return self._by_literal[self.literals[place]]

    def _entry(self, literals: list[bytes]) -> Entry[Rule]:
        inside = (rule for literal in literals for rule in self._inside(literal))
        much = (rule for literal in literals for rule in self._overlapping(literal, OVERLAP_BYTES))
        likely = list(dict.fromkeys([*inside, *much]))
        others = (rule for literal in literals for rule in self._overlapping(literal, 1))
        rules = list(dict.fromkeys([*likely, *others]))
        return Entry(sorted(likely, key=self.order), sorted(rules, key=self.order), _signs(literals, rules))

    def _inside(self, literal: bytes) -> list[Rule]:
        """The rules for a line in which `literal` was found: its own, then those of the literals that it contains."""
        size, known = len(literal), self._by_literal
        parts = (literal[first : first + length] for length in range(size, 0, -1) for first in range(size - length + 1))
        return list(dict.fromkeys(rule for part in parts for rule in known.get(part, ())))

    def _overlapping(self, literal: bytes, least: int) -> Iterator[Rule]:
        """The rules of those literals whose first bytes, `least` or more, end it: the search passes those over."""
        for tail in (literal[start:] for start in range(1, len(literal) - least + 1)):
            for place in range(bisect_left(self.literals, tail), len(self.literals)):
                if not self.literals[place].startswith(tail):
                    break
                yield from self._inside(self.literals[place])


def _signs(literals: Sequence[bytes], rules: Sequence[Meaning]) -> frozenset[bytes]:
    """The further texts of which a line with `literals` must contain one; none if it may fit a rule without."""
    found: set[bytes] = set()
    for rule in rules:
        if rule.ending and not any(rule.ending in literal for literal in literals):
            found.add(rule.ending)
        elif any(needle_of(one) in literal for literal in literals for one in rule.literals):
            return frozenset()
        else:
            found |= rule.literals
    return frozenset(found)
