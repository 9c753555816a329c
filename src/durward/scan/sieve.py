"""Sieve: which lines of a block may contain any of many texts, seen by the few short stems that those have in common.

A search with vector instructions is many times as quick as a table, but takes only so many texts; and it is quickest
for texts that begin with what is rare. Each rule names several texts of which its lines contain one, and any of them
will do: so a few stems, chosen once for all cards of the shelf (`scan/stems.py`), stand for most rules. Stems for what
they leave are found here.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate, pairwise, zip_longest

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from durward.scan.meaning import Meaning
from durward.scan.ordinary import ORDINARY
from durward.scan.stems import STEMS

VECTOR_TEXTS_MAX = 64  # more than the search can look for with vector instructions; a table is quickest then
SEARCHES_MAX = 3  # one after the other; a table takes as long as four
STEM_BYTES = 6
# The search throws its texts by turns into 8 buckets, or into 16 if they are more than 32 (Teddy, of the Rust crate
# aho-corasick 1.1). It stops where a line looks like a mixture of the texts in one bucket.
FEW_TEXTS, FEW_BUCKETS, MANY_BUCKETS = 32, 8, 16
IDLE_BLOCKS = 7  # are not sieved after one that was no use: more of the kind will follow
SPARSE_BYTES = 400  # with more stems than one in so many, it is quicker to look for everything everywhere

Hit = tuple[int, int, int]  # which text, its start, its end


class Sieve:
    """Finds the lines that may fit one of some rules."""

    def __init__(self, rules: Sequence[Meaning]) -> None:
        self.stems = stems_for(rules, VECTOR_TEXTS_MAX * SEARCHES_MAX)
        self._idle = 0
        several = -(-len(self.stems) // VECTOR_TEXTS_MAX)
        size = -(-len(self.stems) // max(several, 1))
        self._searches = [
            BytesAhoCorasick(arranged(self.stems[start : start + size]), MatchKind.LeftmostLongest)
            for start in range(0, len(self.stems), max(size, 1))
        ]

    def lines(self, block: bytes) -> tuple[list[int], list[bytes]] | None:
        """The lines with a stem, each once, and where they start; None where so many have one that it is no use.

        None too where the rules would take too many stems.
        """
        if not self._searches or self._idle:
            self._idle = max(0, self._idle - 1)
            return None
        hits: list[Hit] = []
        for search in self._searches:
            hits += search.find_matches_as_indexes(block)
            if len(hits) * SPARSE_BYTES > len(block):
                self._idle = IDLE_BLOCKS
                return None
        if len(self._searches) > 1:
            hits.sort(key=_start)
        return lines_of(hits, block)


class RecordSieve:
    """Finds the lines that may be records: each of those has one of a few signs, and most other lines have none."""

    SIGNS = (
        b'] "',
        b'/0 "',
        b"T /",
        b"{",
    )  # of access logs, of HAProxy's, of those that put GET, POST or PUT later, of JSON

    def lines(self, block: bytes) -> tuple[list[int], list[bytes]] | None:
        """The lines with a sign, each once, and where they start; None where those are too many."""
        if b'"' not in block and b"{" not in block and b"T /" not in block:
            return [], []
        if sum(map(block.count, self.SIGNS)) * SPARSE_BYTES > len(block):
            return None
        hits = [(0, start, start) for sign in self.SIGNS for start in _places(sign, block)]
        return lines_of(sorted(hits), block)


def _places(text: bytes, block: bytes) -> Iterator[int]:
    place = block.find(text)
    while place >= 0:
        yield place
        place = block.find(text, place + 1)


def lines_of(hits: Iterable[Hit], block: bytes) -> tuple[list[int], list[bytes]]:
    """Where the lines start that have a hit, and the lines, each once. The hits are in the order of their starts."""
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


def arranged(stems: Sequence[bytes]) -> list[bytes]:
    """Stems in an order that puts those that begin alike into the same bucket of the search."""
    buckets = FEW_BUCKETS if len(stems) <= FEW_TEXTS else MANY_BUCKETS
    size, more = divmod(len(stems), buckets)
    sizes = [size + (bucket < more) for bucket in range(buckets)]
    ends = list(accumulate(sizes, initial=0))
    alike = [sorted(stems)[start:end] for start, end in pairwise(ends)]
    return [stem for turn in zip_longest(*alike) for stem in turn if stem is not None]


def stems_for(rules: Sequence[Meaning], most: int) -> list[bytes]:
    """Stems, so many at most, of which each line that fits one of the rules contains one; none where that fails."""
    used: set[bytes] = set()
    left: set[frozenset[bytes]] = set()
    for rule in rules:
        covers = [cover for choices in (rule.literals, *rule.required) if (cover := _cover(choices, used)) is not None]
        if covers:
            used |= min(covers, key=lambda cover: len(cover - used))
        else:
            left.add(rule.literals)
    more = _shared({literal for literals in left for literal in literals}, most - len(used))
    return sorted(used.union(more)) if more is not None and len(used) <= most else []


def _cover(choices: frozenset[bytes], used: set[bytes]) -> set[bytes] | None:
    """A known stem for each of the texts; None where one has none."""
    cover: set[bytes] = set()
    for text in choices:
        found = _known(text)
        if not found:
            return None
        cover.add(next((stem for stem in found if stem in used or stem in cover), found[0]))
    return cover


@cache
def _stems_search() -> BytesAhoCorasick | None:
    return BytesAhoCorasick(STEMS) if STEMS else None


def _known(text: bytes) -> list[bytes]:
    search = _stems_search()
    return [STEMS[place] for place, _, _ in search.find_matches_as_indexes(text, overlapping=True)] if search else []


def _shared(literals: Iterable[bytes], most: int) -> list[bytes] | None:
    """Stems, so many at most, of which each literal contains one; None where that many are not enough."""
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
    return None if lacking else found


def _stems(literal: bytes) -> set[bytes]:
    every = {literal[place : place + STEM_BYTES] for place in range(max(1, len(literal) - STEM_BYTES + 1))}
    return {stem for stem in every if stem not in ORDINARY} or {literal}


def _start(hit: Hit) -> int:
    return hit[1]
