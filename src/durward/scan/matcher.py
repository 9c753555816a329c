"""Prefilter: finds the few lines of a block that may mean something, by looking for all literals at once."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, NamedTuple, Protocol

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from durward.scan.grammar import LINE_BYTES_MAX
from durward.scan.lexicon import Lexicon, Rule
from durward.scan.sieve import VECTOR_TEXTS_MAX, Hit, Sieve

TOO_LONG = -1  # the group of lines that nobody reads
KNOWN_MAX = 1024  # sets of literals of which the rules are remembered; all are forgotten beyond that


class AnySieve(Protocol):
    """Finds the lines of a block that may mean something, and where they start; None: it is no use here."""

    def lines(self, block: bytes) -> tuple[list[int], list[bytes]] | None:
        """The lines, each once, in their order."""


class Candidates(NamedTuple, Generic[Rule]):
    """Lines in which the same literals were found, and where they start.

    `likely` are the rules that the literals stand for, in the order in which they count. `rules` are all that can fit
    such a line. A line in which none of `signs` stands fits no rule; without any signs nothing is known.
    """

    likely: list[Rule]
    rules: list[Rule]
    signs: frozenset[bytes]
    lines: list[bytes]
    starts: list[int]


class Prefilter(Generic[Rule]):
    """The literals of some rules, and which rules to try on a line that contains one.

    There may be too many for a search with vector instructions. If so, a sieve finds the lines that are worth it.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        line_bytes_max: int = LINE_BYTES_MAX,
        sieve: "AnySieve | None" = None,
    ) -> None:
        self._line_bytes_max = line_bytes_max
        self._lexicon = Lexicon(rules)
        self.literals = self._lexicon.literals
        self._every: BytesAhoCorasick | None = None
        self._known: dict[frozenset[int], list[Rule]] = {}
        self._groups = Groups(len(self.literals))
        vectors = len(self.literals) <= VECTOR_TEXTS_MAX
        self._sieve = sieve or (None if vectors else Sieve(rules))
        self._search = _search(self.literals, vectors=vectors) if rules else None

    def candidates(self, block: bytes) -> list[Candidates[Rule]]:
        """The lines with a literal, those of the same literal together."""
        if self._search is None:
            return []
        sieved = self._sieve.lines(block) if self._sieve else None
        if sieved is None:
            return self._lines(block, self._search.find_matches_as_indexes(block))
        starts, lines = sieved
        if not lines:
            return []
        together = b"\n".join(lines)
        found = self._lines(together, self._search.find_matches_as_indexes(together))
        places = dict(zip(accumulate((len(line) + 1 for line in lines), initial=0), starts, strict=False))
        return [one._replace(starts=[places[start] for start in one.starts]) for one in found]

    def rules_in(self, line: bytes) -> list[Rule]:
        """The rules of which a literal is in a line, and no others, in their order."""
        if self._every is None:
            self._every = BytesAhoCorasick(self.literals, implementation=Implementation.DFA)
        found = frozenset(literal for literal, _, _ in self._every.find_matches_as_indexes(line, overlapping=True))
        if found not in self._known:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            rules = {rule for literal in found for rule in self._lexicon.own(literal)}
            self._known[found] = sorted(rules, key=self._lexicon.order)
        return self._known[found]

    def _lines(self, block: bytes, hits: list[Hit]) -> list[Candidates[Rule]]:
        found: defaultdict[int, Found] = defaultdict(Found)
        if len(self._groups.sets) > self._groups.singles + KNOWN_MAX:
            self._groups = Groups(len(self.literals))
        group, further = TOO_LONG, self._groups
        line_start, line_end, size, find, rfind = 0, 0, len(block), block.find, block.rfind
        for literal, start, end in hits:
            if start < line_end:
                group = further[group, literal]
                continue
            one = found[group]
            one.starts.append(line_start)
            one.lines.append(block[line_start:line_end])
            line_start = rfind(b"\n", 0, start) + 1
            line_end = find(b"\n", end)
            if line_end < 0:
                line_end = size
            group = literal if line_end - line_start <= self._line_bytes_max else TOO_LONG
        found[group].starts.append(line_start)
        found[group].lines.append(block[line_start:line_end])
        found.pop(TOO_LONG, None)
        return [
            Candidates(*self._lexicon[further.sets[number]], one.lines, one.starts) for number, one in found.items()
        ]


class Found:
    """Lines and where they start."""

    __slots__ = ("lines", "starts")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.starts: list[int] = []


class Groups(dict[tuple[int, int], int]):
    """Groups of lines by the literals in them: to which of them a further literal leads a line from its own.

    The group of those with but one literal has its number. A line may be made of nothing else: each counts once.
    """

    def __init__(self, literals: int) -> None:
        super().__init__()
        self.singles = literals
        self.sets = [frozenset({literal}) for literal in range(literals)]
        self._numbers = {literals: number for number, literals in enumerate(self.sets)}

    def __missing__(self, step: tuple[int, int]) -> int:
        group, literal = step
        if group == TOO_LONG:
            return TOO_LONG
        literals = self.sets[group] | {literal}
        self[step] = number = self._numbers.setdefault(literals, len(self.sets))
        if number == len(self.sets):
            self.sets.append(literals)
        return number


def _search(literals: list[bytes], *, vectors: bool) -> BytesAhoCorasick:
    how = None if vectors else Implementation.DFA
    return BytesAhoCorasick(literals, MatchKind.LeftmostLongest, implementation=how)
