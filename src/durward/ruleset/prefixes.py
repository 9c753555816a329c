"""Prefixes: a million networks in a few megabytes, and the elements of hash sets by prefix length that they become.

They lie in arrays of numbers, by a few bits of the address and by length, and are taken out a piece at a time. No piece
is much larger than PIECE_MAX, so neither is what Python makes of it, nor the time that it takes.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from durward.ruleset.matching import VERSIONS, Version
from durward.ruleset.merged import Filling

SHORTEST: Mapping[Version, int] = {4: 8, 6: 16}  # a wider network in a list is a mistake that shuts out half the world
LEVELS, LEVELS_MAX = 3, 6
WIDENING_MAX = 2  # times as many elements as networks; before there are more, there are more levels than LEVELS
PIECE_MAX = 16_384
LOOK_MAX = 16_384  # networks that are looked at in one step
HALF = 64  # bits; of IPv6 networks no longer than that only these are kept

Found = TypeVar("Found")
Place = tuple[Version, int]  # the family and a few of the first bits


class Piece(NamedTuple):
    """Some elements of one level, as numbers of 32, 64 (IPv6 up to HALF: the first half) or 128 bits."""

    version: Version
    level: int
    values: set[int]


class _Run(NamedTuple):
    """The networks of one length at one place; `low` has the second halves of IPv6 networks longer than HALF."""

    high: "array[int]"
    low: "array[int]"


class Prefixes:
    """Networks, in any order; the same one several times does no harm."""

    def __init__(self) -> None:
        self._runs: dict[Place, dict[int, _Run]] = {}

    def __len__(self) -> int:
        return sum(len(run.high) for runs in self._runs.values() for run in runs.values())

    def add_v4(self, value: int, length: int) -> None:
        """Add an IPv4 network by its number; `length` is SHORTEST to 32."""
        try:
            self._runs[4, value >> 24][length].high.append(value)
        except KeyError:
            self._runs.setdefault((4, value >> 24), {})[length] = _Run(array("I", (value,)), array("Q"))

    def add_v6(self, value: int, length: int) -> None:
        """Add an IPv6 network by its number; `length` is SHORTEST to 128."""
        high = value >> HALF
        runs = self._runs.setdefault((6, high >> 48 & 0xFF), {})
        run = runs.setdefault(length, _Run(array("Q"), array("Q")))
        run.high.append(high)
        if length > HALF:
            run.low.append(value & (1 << HALF) - 1)

    def counts(self, version: Version) -> dict[int, int]:
        """How many networks there are of each length."""
        counted: dict[int, int] = {}
        for place, runs in self._runs.items():
            for length, run in runs.items() if place[0] == version else ():
                counted[length] = counted.get(length, 0) + len(run.high)
        return counted

    def filling(self, number: int) -> Filling:
        """The prefix lengths that need the fewest elements."""
        return Filling(number, choose_levels(self.counts(4)), choose_levels(self.counts(6)))

    def fits(self, filling: Filling) -> bool:
        """Whether the prefix lengths of a filling are right for these too, with at most twice the elements."""
        for version in VERSIONS:
            counts, levels = self.counts(version), filling.levels(version)
            if counts and (not levels or max(counts) > levels[-1]):
                return False
            if counts and elements(counts, levels) > 2 * elements(counts, choose_levels(counts)):
                return False
        return True

    def sizes(self, filling: Filling) -> dict[tuple[Version, int], int]:
        """How many elements each level gets at most."""
        return {
            (version, level): elements(_within(self.counts(version), lower, level), (level,))
            for version in VERSIONS
            for lower, level in _spans(filling.levels(version))
        }

    def pieces(self, filling: Filling) -> Iterator[Piece]:
        """All elements, each once. A piece may be empty: then finding the next one is not finished yet."""
        for ours, _ in self.differences(Prefixes(), filling):
            yield ours

    def differences(self, other: "Prefixes", filling: Filling) -> Iterator[tuple[Piece, Piece]]:
        """The elements that these have and `other` has not, and the other way round.

        Both are empty where finding them takes longer than one step should.
        """
        for place in sorted(self._runs.keys() | other._runs.keys()):  # noqa: SLF001 (of the same class)
            version, here, there = place[0], self._runs.get(place, {}), other._runs.get(place, {})  # noqa: SLF001
            for span in _spans(filling.levels(version)):
                mine, theirs = _within(here, *span), _within(there, *span)
                parts = max(_parts(mine, span[1]), _parts(theirs, span[1]))
                for part in range(parts):
                    one: set[int] = set()
                    another: set[int] = set()
                    for found, runs in ((one, mine), (another, theirs)):
                        for _ in _finding(found, version, runs, span[1], (part, parts)):
                            yield Piece(version, span[1], set()), Piece(version, span[1], set())
                    if another:
                        yield Piece(version, span[1], one - another), Piece(version, span[1], another - one)
                    elif one:
                        yield Piece(version, span[1], one), Piece(version, span[1], another)


def choose_levels(counts: Mapping[int, int]) -> tuple[int, ...]:
    """Of the lengths there are, those that networks of all lengths need the fewest elements of; shortest first.

    Each look-up costs every packet that is asked, so there are LEVELS, or more only where they would widen too much.
    """
    lengths = sorted(counts)
    # What can be reached with so many levels: by the last of them, the elements and the levels.
    ways: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
    best: tuple[int, ...] = ()
    for size in range(1, min(LEVELS_MAX, len(lengths)) + 1):
        ways = {last: min(longer) for last in lengths if (longer := _with_level(counts, ways, last))}
        needed, best = ways[lengths[-1]]
        if size >= LEVELS and needed <= WIDENING_MAX * sum(counts.values()):
            break
    return best


def _with_level(
    counts: Mapping[int, int], ways: Mapping[int, tuple[int, tuple[int, ...]]], last: int
) -> list[tuple[int, tuple[int, ...]]]:
    """All `ways` with one more level."""
    found = []
    needed = 0
    for end in range(last - 1, -1, -1):
        needed += counts.get(end + 1, 0) << (last - end - 1)
        if end in ways:
            before, levels = ways[end]
            found.append((before + needed, (*levels, last)))
    return found


def elements(counts: Mapping[int, int], levels: tuple[int, ...]) -> int:
    """How many elements networks of these lengths become."""
    return sum(
        count << (level - length)
        for lower, level in _spans(levels)
        for length, count in _within(counts, lower, level).items()
    )


def _spans(levels: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    return zip((0, *levels), levels, strict=False)


def _within(found: Mapping[int, Found], lower: int, level: int) -> dict[int, Found]:
    """What there is of the lengths that belong to `level`."""
    return {length: one for length, one in found.items() if lower < length <= level}


def _parts(runs: dict[int, _Run], level: int) -> int:
    return sum(len(run.high) << (level - length) for length, run in runs.items()) // PIECE_MAX + 1


def _finding(
    found: set[int], version: Version, runs: dict[int, _Run], level: int, share: tuple[int, int]
) -> Iterator[None]:
    """Put the elements of some runs, or a share of them, into `found`; stops after each LOOK_MAX that it looked at."""
    part, parts = share
    shift = (32 if version == 4 else HALF if level <= HALF else 128) - level
    looked = 0
    for length, run in runs.items():
        for index in range(1 << (level - length)):
            offset = index << shift
            for begin in range(0, len(run.high), LOOK_MAX):
                bases = _bases(run, level, begin)
                looked += len(bases)
                moved = bases if not offset else [base + offset for base in bases]
                found.update(moved if parts == 1 else [one for one in moved if (one >> shift) % parts == part])
                if looked >= LOOK_MAX:
                    looked = 0
                    yield


def _bases(run: _Run, level: int, begin: int) -> Sequence[int]:
    """LOOK_MAX of the first numbers of the networks in a run."""
    high = run.high[begin : begin + LOOK_MAX]
    if level <= HALF:
        return high
    low = run.low[begin : begin + LOOK_MAX] or array("Q", bytes(8 * len(high)))
    return [(first << HALF) + second for first, second in zip(high, low, strict=True)]
