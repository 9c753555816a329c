"""Batch: lines that the same rule reads, as columns, so that what is done for each line is done by C.

Lines with the same literal are taken together: one `split` by the strict form of the likeliest rule gives every value
of every line that it fits. What it leaves goes to the next rule, and what no strict form takes is read carefully, in
every way in which it can be read.
"""

from collections.abc import Iterator, Sequence
from itertools import compress
from operator import not_
from typing import Generic, NamedTuple, TypeVar

from durward.scan.access import is_access
from durward.scan.envelope import Shape, is_process_s, program_of, readings, shape_of
from durward.scan.matcher import Candidates
from durward.scan.meaning import Meaning
from durward.scan.rule import APART, NOWHERE, Row, Rule

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


OTHERS = ("plain", "stamped")
SHORT_BYTES = 256  # a line that is no longer can make no pattern search for long
NOTHING = Lines([], [])


def batches(candidates: Candidates[Rule], doubtful: list[bytes], *, named: bool = False) -> Iterator[Batch[Rule]]:
    """What the rules read in lines that contain the same literals; `doubtful` gets those that name two sources.

    `named`: see `readings`.
    """
    lines = _promising(candidates)
    while lines.texts:
        shape = shape_of(lines.texts[0])
        program = program_of(lines.texts[0], shape)
        for rule in _for_program(candidates.likely, program) if program else candidates.likely:
            batch, lines = _strictly(rule, shape, lines)
            if batch:
                yield batch
            if not lines.texts:
                return
        left, lines = lines.parted([shape_of(text) == shape and program in text for text in lines.texts])
        yield from _carefully(candidates, left, doubtful, named=named)


def _for_program(rules: list[Rule], program: bytes) -> list[Rule]:
    """The rules for lines of a program: first those that name it, then those for lines without any program."""
    named = [rule for rule in rules if rule.envelope == "syslog" and program in rule.programs]
    return named + [rule for rule in rules if rule.envelope != "syslog"]


def _promising(candidates: Candidates[Rule]) -> Lines:
    """The lines that may fit a rule. In calm logs most are near misses, such as clients that say goodbye."""
    lines = Lines(candidates.lines, candidates.starts)
    if not candidates.signs:
        return lines
    together = b"\n".join(lines.texts)
    signs = [sign for sign in candidates.signs if sign in together]
    if not signs:
        return NOTHING
    if len(signs) == 1:
        wanted = [signs[0] in text for text in lines.texts]
    else:
        wanted = [any(sign in text for sign in signs) for text in lines.texts]
    return lines if all(wanted) else lines.parted(wanted)[0]


def _strictly(rule: Rule, shape: Shape, lines: Lines) -> tuple[Batch[Rule] | None, Lines]:
    """The lines that the strict form of `rule` takes, and those that it leaves."""
    left = NOTHING
    if rule.ending and not all(ends := [rule.ending in text for text in lines.texts]):
        if not any(ends):
            return None, lines
        lines, left = lines.parted(ends)
    if max(map(len, lines.texts)) > SHORT_BYTES:
        fair = [len(text) <= SHORT_BYTES or not rule.is_too_much(text) for text in lines.texts]
        if not all(fair):
            lines, stuffed = lines.parted(fair)
            left = Lines(left.texts + stuffed.texts, left.starts + stuffed.starts)
    columns = rule.columns_of(lines.texts, shape)
    if not columns:
        return None, Lines(lines.texts + left.texts, lines.starts + left.starts)
    if not all(columns[0]):
        takes = list(map(bool, columns[0]))
        lines, failed = lines.parted(takes)
        columns = [list(compress(column, takes)) for column in columns]
        left = Lines(left.texts + failed.texts, left.starts + failed.starts)
    return Batch(rule, columns, lines) if lines.texts else None, left


def _carefully(
    candidates: Candidates[Rule], lines: Lines, doubtful: list[bytes], *, named: bool
) -> Iterator[Batch[Rule]]:
    """The lines that have to be looked at one by one; mostly they are none of ours, which is quick to see."""
    together = b"\n".join(lines.texts)
    rules = [rule for rule in candidates.rules if rule.may_fit(together)]
    if not rules:
        return
    taken: dict[Rule, list[tuple[bytes, int, Row, int]]] = {}
    for text, start in zip(*lines, strict=True):
        if found := _read(rules, text, doubtful, named=named):
            rule, row, repeated = found
            taken.setdefault(rule, []).append((text, start, row, repeated))
    for rule, found_lines in taken.items():
        texts, starts, rows, times = (list(column) for column in zip(*found_lines, strict=True))
        columns: list[Column] = list(zip(*rows, strict=True))
        yield Batch(rule, columns, Lines(texts, starts), times)


def _read(rules: list[Rule], line: bytes, doubtful: list[bytes], *, named: bool) -> tuple[Rule, Row, int] | None:
    """Read a line in every way. Two readings that find the source in different places leave nobody to blame.

    But if all that fits whole and for certain finds one place, a looser rule that is not sure of it says nothing.
    """
    found: list[tuple[Rule, Row, int]] = []
    places: set[tuple[int, int]] = set()
    apart = certain = False
    others = OTHERS if is_process_s(line) else ()  # a line that says which process wrote it is not all message
    rules = [rule for rule in rules if rule.envelope not in others and rule.may_fit(line)]
    if rules and is_access(line):  # that is a record: what a visitor wrote into its fields is no message
        rules = [rule for rule in rules if rule.reads_what_looks_like_a_record]
    if not rules:
        return None
    line = line.rstrip(b" \t\r")
    read = {envelope: readings(line, envelope, named=named) for envelope in {rule.envelope for rule in rules}}
    for rule in rules:
        for message in read[rule.envelope]:
            parse = rule.parse(message)
            if parse is None:
                continue
            if parse.place == APART:
                apart = True
                continue
            certain = certain or rule.certain
            found.append((rule, parse.row, message.repeated))
            places.add(_from_the_end(parse.place, message.text))
    if len(places) == 1 and (certain or not apart):
        return found[0]
    if places or apart:
        doubtful.append(line)
    return None


def _from_the_end(place: tuple[int, int], text: bytes) -> tuple[int, int]:
    """A place that can be compared between messages that begin at different points of the line."""
    return place if place == NOWHERE else (place[0] - len(text), place[1] - len(text))
