"""Rule: one pattern of a card, ready for matching. Its regular expressions are compiled when first needed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from durward.catalog.service_card import Envelope, Pattern, ServiceCard
from durward.scan.envelope import Message, Programs, Shape, strict_start
from durward.scan.grammar import PatternError, Sequence, parse
from durward.scan.holes import fields_of, has_strict_form, lint, optional_fields, write
from durward.scan.literals import ending_of, literals_of
from durward.scan.meaning import Meaning

Row = tuple[bytes, ...]
Strict = re.Pattern[bytes]
LINE_END = frozenset({b"\n"})


class Parse(NamedTuple):
    """How a rule reads a message: the values of its columns, and where the source stands in it ((-1, -1): nowhere)."""

    row: Row
    place: tuple[int, int]


@dataclass(slots=True, eq=False, kw_only=True)
class Rule(Meaning):
    """One line of a pattern, for lines that are text."""

    programs: Programs
    sequence: Sequence
    _strict: dict[Shape, Strict | None] = field(default_factory=dict)
    _loose: tuple[Strict, Strict] | None = None

    def strict(self, shape: Shape) -> Strict | None:
        """The fast form for whole lines, many at once; None where there is none.

        It takes a line that does not fit whole too, without any values: one that is long cannot make it search.
        """
        if shape not in self._strict:
            start = strict_start(self.envelope, shape, self.programs)
            usable = start is not None and has_strict_form(self.sequence)
            written = f"^(?:{start}{write(self.sequence, 'strict', LINE_END)}[ \\r]*+$|.++)"
            self._strict[shape] = re.compile(written.encode("latin-1"), re.MULTILINE) if usable else None
        return self._strict[shape]

    def columns_of(self, lines: list[bytes], shape: Shape) -> list[list[bytes]]:
        """The values of each column in the strict form, line by line; the first is empty for a line that does not fit.

        Nothing at all where there is no strict form.
        """
        strict = self.strict(shape)
        if strict is None or not strict.groups:
            return []
        pieces = strict.split(b"\n".join(lines))
        size = strict.groups + 1
        columns = [pieces[place::size] for place in range(1, size)]
        return [
            [value or b"" for value in column] if not all(column) else column
            for name, column in zip(self.columns, columns, strict=True)
        ]

    def may_fit(self, line: bytes) -> bool:
        """Whether the line has the fixed texts without which the rule cannot match; quick to see, and mostly not."""
        return self.ending in line and any(literal in line for literal in self.literals)

    def parse(self, message: Message) -> Parse | None:
        """Read a message in the greedy and the lazy way; None where it does not fit or they find the source apart."""
        if self.envelope == "syslog" and message.program not in self.programs:
            return None
        if self._loose is None:
            forms = (write(self.sequence, "greedy"), write(self.sequence, "lazy"))
            first, second = (re.compile(form.encode("latin-1"), re.DOTALL) for form in forms)
            self._loose = (first, second)
        greedy, lazy = self._loose[0].fullmatch(message.text), self._loose[1].fullmatch(message.text)
        if greedy is None or lazy is None or self._place(greedy) != self._place(lazy):
            return None
        return Parse((*self._envelope_row(message), *lazy.groups(b"")), self._place(lazy))

    def _envelope_row(self, message: Message) -> Row:
        if self.envelope == "plain":
            return ()
        return (message.stamp, message.pid) if self.envelope == "syslog" else (message.stamp,)

    def _place(self, match: re.Match[bytes]) -> tuple[int, int]:
        before = len(self.columns) - (match.re.groups)
        for group, column in enumerate(self.columns[before:], 1):
            if column in ("source_ip", "source"):
                return match.span(group)
        return (-1, -1)


ENVELOPE_COLUMNS: Mapping[Envelope, tuple[str, ...]] = {"syslog": ("stamp", "pid"), "stamped": ("stamp",), "plain": ()}


def rule_of(card: ServiceCard, pattern: Pattern, line: str, programs: Programs, envelope: Envelope) -> Rule:
    """Make the rule for one line of a pattern. Raises PatternError."""
    sequence = parse(line)
    lint(sequence)
    columns = ENVELOPE_COLUMNS[envelope] + fields_of(sequence)
    if columns.count("stamp") > 1:
        raise PatternError("fills the time twice; the envelope has it already")
    return Rule(
        service=card.id,
        line=line,
        kind=pattern.event,
        hits=-pattern.hits if pattern.weight == "hint" else pattern.hits,
        envelope=envelope,
        programs=programs,
        sequence=sequence,
        columns=columns,
        optional=optional_fields(sequence),
        ending=ending_of(sequence),
        literals=literals_of(sequence),
    )
