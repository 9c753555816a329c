"""Prefixes: a million networks in a few megabytes, and the elements of hash sets by prefix length that they become.

They lie in arrays of numbers by family, length and a few bits of the address, and are taken from there a piece at a
time. No piece is larger than PIECE_MAX, so neither are the Python objects made for it.
"""

from array import array
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

from durward.ruleset.matching import VERSIONS, Version
from durward.ruleset.merged import Filling

SHORTEST: Mapping[Version, int] = {4: 8, 6: 16}  # a wider network in a list is a mistake that would shut out half of all
LEVELS, LEVELS_MAX = 3, 6
WIDENING_MAX = 4  # times as many elements as networks; beyond, there are more than LEVELS prefix lengths
PIECE_MAX = 65_536
HALF = 64  # bits of an IPv6 address that are kept where the prefix is no longer
BITS: Mapping[Version, int] = {4: 32, 6: 128}


class Piece(NamedTuple):
    """Some elements of one level: the addresses, without the bits behind the first 64 where the level is shorter."""

    version: Version
    level: int
    values: set[int]


class Prefixes:
    """Networks, in any order; the same one several times does no harm."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[Version, int, int], array[int]] = {}
        self._low: dict[tuple[int, int], array[int]] = {}  # the second halves of IPv6 prefixes beyond HALF

    def __len__(self) -> int:
        return sum(map(len, self._arrays.values()))

    def add_v4(self, value: int, length: int) -> None:
        """Add an IPv4 network by its number; SHORTEST to 32 bits long."""
        key: tuple[Version, int, int] = (4, length, value >> 24)
        try:
            self._arrays[key].append(value)
        except KeyError:
            self._arrays[key] = array("I", (value,))

    def add_v6(self, value: int, length: int) -> None:
        """Add an IPv6 network by its number; SHORTEST to 128 bits long."""
        high = value >> HALF
        place = high >> 48 & 0xFF
        self._arrays.setdefault((6, length, place), array("Q")).append(high)
        if length > HALF:
            self._low.setdefault((length, place), array("Q")).append(value & (1 << HALF) - 1)

    def counts(self, version: Version) -> dict[int, int]:
        """How many networks there are of each prefix length."""
        counted: dict[int, int] = {}
        for (family, length, _), values in self._arrays.items():
            if family == version:
                counted[length] = counted.get(length, 0) + len(values)
        return counted

    def filling(self, number: int) -> Filling:
        """The prefix lengths that need the fewest elements."""
        return Filling(number, choose_levels(self.counts(4)), choose_levels(self.counts(6)))

    def fits(self, filling: Filling) -> bool:
        """Whether the prefix lengths of a filling can hold these too, without many more elements."""
        for version in VERSIONS:
            counts, levels = self.counts(version), filling.levels(version)
            if counts and (not levels or max(counts) > levels[-1]):
                return False
            if counts and _elements(counts, levels) > 2 * _elements(counts, choose_levels(counts)):
                return False
        return True

    def sizes(self, filling: Filling) -> dict[tuple[Version, int], int]:
        """How many elements each level has at most."""
        return {
            (version, level): _elements(group, (level,))
            for version in VERSIONS
            for level, group in _groups(self.counts(version), filling.levels(version))
        }

    def pieces(self, filling: Filling) -> Iterator[Piece]:
        """All elements, each once, in an order that is always the same."""
        for place in self.places():
            yield from self._pieces_at(filling, place, None)

    def differences(self, other: "Prefixes", filling: Filling) -> Iterator[tuple[Piece, Piece]]:
        """What is here and not in `other`, and the other way round, a piece at a time."""
        for place in sorted({*self.places(), *other.places()}):
            for ours, theirs in zip(
                self._pieces_at(filling, place, other), other._pieces_at(filling, place, self), strict=True
            ):
                yield ours._replace(values=ours.values - theirs.values), theirs._replace(
                    values=theirs.values - ours.values
                )

    def places(self) -> list[tuple[Version, int]]:
        """Which parts of the addresses there are. Networks of one never become elements of another."""
        return sorted({(version, place) for version, _, place in self._arrays})

    def _pieces_at(self, filling: Filling, place: tuple[Version, int], other: "Prefixes | None") -> Iterator[Piece]:
        version, _ = place
        counts = self._counts_at(place)
        theirs = other._counts_at(place) if other else {}
        groups = dict(_groups(theirs, filling.levels(version)))
        for level, group in _groups(counts, filling.levels(version)):
            count = max(_elements(group, (level,)), _elements(groups.get(level, {}), (level,)))
            parts = count // PIECE_MAX + 1
            for part in range(parts):
                yield Piece(version, level, self._values(place, level, sorted(group), part, parts))

    def _counts_at(self, place: tuple[Version, int]) -> dict[int, int]:
        version, bits = place
        return {length: len(values) for (one, length, at), values in self._arrays.items() if (one, at) == place}

    def _values(self, place: tuple[Version, int], level: int, lengths: list[int], part: int, parts: int) -> set[int]:
        version, at = place
        shift = (32 if version == 4 else HALF if level <= HALF else 128) - level
        found: set[int] = set()
        for length in lengths:
            bases = self._bases(version, length, at, level)
            for index in range(1 << (level - length)):
                offset = index << shift
                if parts == 1:
                    found.update(base + offset for base in bases) if offset else found.update(bases)
                else:
                    found.update(
                        base + offset for base in bases if ((base + offset) >> shift) % parts == part
                    )
        return found
