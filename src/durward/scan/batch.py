"""Batch: lines that the same rule reads, as columns, so that what is done for each line is done by C.

Lines with the same literal are taken together: one `split` by the strict form of the likeliest rule gives every value
of every line that it fits. What it leaves goes to the next rule, and what no strict form takes is read carefully, in
every way in which it can be read.
"""

from collections.abc import Iterator, Sequence
from itertools import compress
from operator import not_
from typing import Generic, NamedTuple, TypeVar

from durward.scan.envelope import Shape, readings, shape_of
from durward.scan.matcher import Candidates
from durward.scan.meaning import Meaning
from durward.scan.rule import Row, Rule

Column = Sequence[bytes]
Found = TypeVar("Found", bound=Meaning)


class Lines(NamedTuple):
    """Lines, and where in their block they start."""

    texts: list[bytes]
    starts: list[int]

    def parted(self, wanted: list[bool]) -> tuple["Lines", "Lines"]:
        """Those that are wanted, and the others."""
        others = list(map(not_, wanted))
        return (
            Lines(list(compress(self.texts, wanted)), list(compress(self.starts, wanted))),
            Lines(list(compress(self.texts, others)), list(compress(self.starts, others))),
        )


class Batch(NamedTuple, Generic[Found]):
    """Lines that `rule` reads: for each of its columns the values, empty where a line leaves one out.

    `repeated` says how often each happened; None is once.
    """

    rule: Found
    columns: Sequence[Column]
    lines: Lines
    repeated: list[int] | None = None


NOTHING = Lines([], [])


def batches(candidates: Candidates[Rule]) -> Iterator[Batch[Rule]]:
    """What the rules read in lines that contain the same literal."""
    lines = _promising(candidates)
    while lines.texts:
        shape = shape_of(lines.texts[0])
        for rule in candidates.likely:
            batch, lines = _strictly(rule, shape, lines)
            if batch:
                yield batch
            if not lines.texts:
                return
        left, lines = lines.parted([shape_of(text) == shape for text in lines.texts])
        yield from _carefully(candidates, left)


def _promising(candidates: Candidates[Rule]) -> Lines:
    """The lines that may fit a rule. In calm logs most are near misses, such as clients that say goodbye."""
    lines = Lines(candidates.lines, candidates.starts)
    if not candidates.signs:
        return lines
    together = b"\n".join(lines.texts)
    signs = [sign for sign in candidates.signs if sign in together]
    more = candidates.more
    if not signs and not more:
        return NOTHING
    if len(signs) == 1 and not more:
        wanted = [signs[0] in text for text in lines.texts]
    else:
        wanted = [any(sign in text for sign in signs) or start in more for text, start in zip(*lines, strict=True)]
    return lines if all(wanted) else lines.parted(wanted)[0]


def _strictly(rule: Rule, shape: Shape, lines: Lines) -> tuple[Batch[Rule] | None, Lines]:
    """The lines that the strict form of `rule` takes, and those that it leaves."""
    left = NOTHING
    if rule.ending and not all(ends := [rule.ending in text for text in lines.texts]):
        if not any(ends):
            return None, lines
        lines, left = lines.parted(ends)
    columns = rule.columns_of(lines.texts, shape)
    if not columns:
        return None, Lines(lines.texts + left.texts, lines.starts + left.starts)
    if not all(columns[0]):
        takes = list(map(bool, columns[0]))
        lines, failed = lines.parted(takes)
        columns = [list(compress(column, takes)) for column in columns]
        left = Lines(left.texts + failed.texts, left.starts + failed.starts)
    return Batch(rule, columns, lines) if lines.texts else None, left


def _carefully(candidates: Candidates[Rule], lines: Lines) -> Iterator[Batch[Rule]]:
    """The lines that have to be looked at one by one; mostly they are none of ours, which is quick to see."""
    together = b"\n".join(lines.texts)
    rules = [rule for rule in candidates.rules if rule.may_fit(together)]
    if not rules and not candidates.more:
        return
    taken: dict[Rule, list[tuple[bytes, int, Row, int]]] = {}
    for text, start in zip(*lines, strict=True):
        several = candidates.rules_for(start) if start in candidates.more else rules
        if found := _read(several, text):
            rule, row, repeated = found
            taken.setdefault(rule, []).append((text, start, row, repeated))
    for rule, found_lines in taken.items():
        texts, starts, rows, times = (list(column) for column in zip(*found_lines, strict=True))
        columns: list[Column] = list(zip(*rows, strict=True))
        yield Batch(rule, columns, Lines(texts, starts), times)


def _read(rules: list[Rule], line: bytes) -> tuple[Rule, Row, int] | None:
    """Read a line in every way. Two readings that find the source in different places leave nobody to blame."""
    found: list[tuple[Rule, Row, int]] = []
    places: set[tuple[int, int]] = set()
    rules = [rule for rule in rules if rule.may_fit(line)]
    if not rules:
        return None
    line = line.rstrip(b" \t\r")
    read = {envelope: readings(line, envelope) for envelope in {rule.envelope for rule in rules}}
    for rule in rules:
        for message in read[rule.envelope]:
            if parse := rule.parse(message):
                found.append((rule, parse.row, message.repeated))
                places.add(_from_the_end(parse.place, message.text))
    return found[0] if len(places) == 1 else None


def _from_the_end(place: tuple[int, int], text: bytes) -> tuple[int, int]:
    """A place that can be compared between messages that begin at different points of the line."""
    return place if place == (-1, -1) else (place[0] - len(text), place[1] - len(text))
