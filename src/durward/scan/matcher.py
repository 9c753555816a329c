"""Prefilter: finds the few lines of a block that may mean something, by looking for all literals at once."""

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from durward.scan.rule import Rule

PASS_LITERALS_MAX = 64  # with more, the search falls back from vector instructions to a table
LINE_BYTES_MAX = 8192  # longer lines give no event: no service writes them of its own accord


class Candidates(NamedTuple):
    """Lines in which the same literal was found, where they start, and the rules to try first."""

    likely: list[Rule]
    lines: list[bytes]
    starts: list[int]


class Prefilter:
    """The literals of some rules, and which rules to try on a line that contains one."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.literals = sorted({literal for rule in rules for literal in rule.literals})
        self._passes = [
            (first, BytesAhoCorasick(self.literals[first : first + PASS_LITERALS_MAX], MatchKind.LeftmostLongest))
            for first in range(0, max(len(self.literals), 1), PASS_LITERALS_MAX)
        ]
        self._every = BytesAhoCorasick(self.literals, MatchKind.Standard) if rules else None
        by_literal: dict[bytes, list[Rule]] = {literal: [] for literal in self.literals}
        for rule in rules:
            for literal in rule.literals:
                by_literal[literal].append(rule)
        self._rules = [by_literal[literal] for literal in self.literals]
        self._likely = [self._inside(literal, by_literal) for literal in self.literals]

    def _inside(self, literal: bytes, by_literal: dict[bytes, list[Rule]]) -> list[Rule]:
        """The rules for a line in which `literal` was found: its own, then those of the literals that it contains."""
        contained = sorted((other for other in by_literal if other in literal), key=lambda other: (-len(other), other))
        return list(dict.fromkeys(rule for other in contained for rule in by_literal[other]))

    def candidates(self, block: bytes) -> list[Candidates]:
        """The lines with a literal, those of the same literal together."""
        first, search = self._passes[0]
        hits = search.find_matches_as_indexes(block)
        if len(self._passes) > 1:
            for first, search in self._passes[1:]:
                hits += [(first + literal, start, end) for literal, start, end in search.find_matches_as_indexes(block)]
            hits.sort(key=itemgetter(1))
        return self._lines(block, hits)

    def _lines(self, block: bytes, hits: list[tuple[int, int, int]]) -> list[Candidates]:
        starts: list[list[int]] = [[] for _ in self.literals]
        lines: list[list[bytes]] = [[] for _ in self.literals]
        line_end, size, find, rfind = -1, len(block), block.find, block.rfind
        for literal, start, end in hits:
            if start < line_end:
                continue
            line_start = rfind(b"\n", 0, start) + 1
            line_end = find(b"\n", end)
            if line_end < 0:
                line_end = size
            if line_end - line_start <= LINE_BYTES_MAX:
                starts[literal].append(line_start)
                lines[literal].append(block[line_start:line_end])
        return [
            Candidates(likely, found, at) for likely, found, at in zip(self._likely, lines, starts, strict=True) if found
        ]

    def rules_in(self, line: bytes) -> list[Rule]:
        """All rules that have a literal in the line, those of the longest literal first."""
        if self._every is None:
            return []
        found = {literal for literal, _, _ in self._every.find_matches_as_indexes(line, overlapping=True)}
        longest = sorted(found, key=lambda literal: (-len(self.literals[literal]), literal))
        return list(dict.fromkeys(rule for literal in longest for rule in self._rules[literal]))
