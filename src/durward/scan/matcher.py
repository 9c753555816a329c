"""Prefilter: finds the few lines of a block that may mean something, by looking for all literals at once."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Generic, NamedTuple, TypeVar

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from durward.scan.grammar import LINE_BYTES_MAX
from durward.scan.literals import needle_of, stems_of
from durward.scan.meaning import Meaning

VECTOR_LITERALS_MAX = 64  # more than the search can look for with vector instructions; a table is quickest then
SPARSE_BYTES = 400  # with more stems than one in so many, it is quicker to look for the literals everywhere

Hit = tuple[int, int, int]  # which literal, its start, its end
Rule = TypeVar("Rule", bound=Meaning)


class Candidates(NamedTuple, Generic[Rule]):
    """Lines in which the same literal was found first, and where they start.

    `likely` are the rules that the literal stands for. `rules` are all that can fit such a line, unless further
    literals were found in it: `more` has the rules of those, by the start of the line. A line in which none of `signs`
    stands, nor a further literal, fits no rule; without any signs nothing is known.
    """

    likely: list[Rule]
    rules: list[Rule]
    signs: frozenset[bytes]
    lines: list[bytes]
    starts: list[int]
    more: dict[int, list[Rule]]

    def rules_for(self, start: int) -> list[Rule]:
        """All rules of which a literal is in the line at `start`, those of the longest literals first."""
        if start not in self.more:
            return self.rules
        return sorted(dict.fromkeys(self.rules + self.more[start]), key=_preference)


class Prefilter(Generic[Rule]):
    """The literals of some rules, and which rules to try on a line that contains one.

    There may be too many for a search with vector instructions. If so, lines are first looked for that contain one of a
    few stems of theirs, and the literals in those.
    """

    def __init__(self, rules: Sequence[Rule], line_bytes_max: int = LINE_BYTES_MAX) -> None:
        self._line_bytes_max = line_bytes_max
        by_literal: dict[bytes, list[Rule]] = {}
        for rule in rules:
            for literal in rule.literals:
                by_literal.setdefault(needle_of(literal), []).append(rule)
        self.literals = sorted(by_literal)
        self._likely = [_inside(literal, by_literal) for literal in self.literals]
        self._rules = _overlapping(self.literals, self._likely)
        self._signs = list(map(_signs, self.literals, self._rules))
        vectors = len(self.literals) <= VECTOR_LITERALS_MAX
        stems = [] if vectors else stems_of(self.literals, VECTOR_LITERALS_MAX)
        self._sieve = _search(stems, vectors=True) if stems else None
        self._search = _search(self.literals, vectors=vectors) if rules else None

    def candidates(self, block: bytes) -> list[Candidates[Rule]]:
        """The lines with a literal, those of the same literal together."""
        if self._search is None:
            return []
        hits = self._sieve.find_matches_as_indexes(block) if self._sieve else []
        if self._sieve is None or len(hits) * SPARSE_BYTES > len(block):
            return self._lines(block, self._search.find_matches_as_indexes(block))
        starts, lines = _lines_of(hits, block)
        together = b"\n".join(lines)
        found = self._lines(together, self._search.find_matches_as_indexes(together))
        places = dict(zip(accumulate((len(line) + 1 for line in lines), initial=0), starts, strict=False))
        more = {places[start]: rules for start, rules in found[0].more.items()} if found else {}
        return [one._replace(starts=[places[start] for start in one.starts], more=more) for one in found]

    def _lines(self, block: bytes, hits: list[Hit]) -> list[Candidates[Rule]]:
        starts: defaultdict[int, list[int]] = defaultdict(list)
        lines: defaultdict[int, list[bytes]] = defaultdict(list)
        more: dict[int, list[Rule]] = {}
        line_start, line_end, size, find, rfind = 0, -1, len(block), block.find, block.rfind
        for literal, start, end in hits:
            if start < line_end:
                more[line_start] = more.get(line_start, []) + self._rules[literal]
                continue
            line_start = rfind(b"\n", 0, start) + 1
            line_end = find(b"\n", end)
            if line_end < 0:
                line_end = size
            if line_end - line_start <= self._line_bytes_max:
                starts[literal].append(line_start)
                lines[literal].append(block[line_start:line_end])
        return [
            Candidates(self._likely[one], self._rules[one], self._signs[one], lines[one], starts[one], more)
            for one in lines
        ]


def _lines_of(hits: list[Hit], block: bytes) -> tuple[list[int], list[bytes]]:
    """The lines with a hit, each once, and where they start."""
    starts: list[int] = []
    lines: list[bytes] = []
    line_end = -1
    for _, start, end in hits:
        if start < line_end:
            continue
        line_start = block.rfind(b"\n", 0, start) + 1
        line_end = block.find(b"\n", end)
        if line_end < 0:
            line_end = len(block)
        starts.append(line_start)
        lines.append(block[line_start:line_end])
    return starts, lines


def _search(literals: list[bytes], *, vectors: bool) -> BytesAhoCorasick:
    how = None if vectors else Implementation.DFA
    return BytesAhoCorasick(literals, MatchKind.LeftmostLongest, implementation=how)


def _signs(literal: bytes, rules: list[Rule]) -> frozenset[bytes]:
    """The further texts of which a line with `literal` must contain one; none if it may fit a rule without."""
    found: set[bytes] = set()
    for rule in rules:
        if rule.ending and rule.ending not in literal:
            found.add(rule.ending)
        elif any(needle_of(one) in literal for one in rule.literals):
            return frozenset()
        else:
            found |= rule.literals
    return frozenset(found)


def _preference(rule: Meaning) -> int:
    return -max(map(len, rule.literals))


def _inside(literal: bytes, by_literal: dict[bytes, list[Rule]]) -> list[Rule]:
    """The rules for a line in which `literal` was found: its own, then those of the literals that it contains."""
    size = len(literal)
    parts = (literal[first : first + length] for length in range(size, 0, -1) for first in range(size - length + 1))
    return list(dict.fromkeys(rule for part in parts for rule in by_literal.get(part, ())))


def _overlapping(literals: list[bytes], likely: list[list[Rule]]) -> list[list[Rule]]:
    """For each literal also the rules of those that may begin inside it, which the search then passes over."""
    by_start: dict[bytes, list[Rule]] = {}
    for literal, rules in zip(literals, likely, strict=True):
        for end in range(1, len(literal)):
            by_start.setdefault(literal[:end], []).extend(rules)
    return [
        list(dict.fromkeys(rules + [rule for tail in _tails(literal) for rule in by_start.get(tail, ())]))
        for literal, rules in zip(literals, likely, strict=True)
    ]


def _tails(literal: bytes) -> list[bytes]:
    return [literal[start:] for start, _ in pairwise(range(1, len(literal) + 1))]
