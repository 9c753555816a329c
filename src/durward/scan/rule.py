"""Rule: one pattern of a card, ready for matching. Its regular expressions are compiled when first needed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from durward.catalog.service_card import MESSAGE, Envelope, Pattern, ServiceCard
from durward.scan.envelope import Message, Programs, Shape, strict_start
from durward.scan.grammar import Hole, PatternError, Sequence, parse
from durward.scan.holes import ADDRESS_HOLES, blanked, fields_of, has_strict_form, lint, optional_fields, write
from durward.scan.literals import best_of, clear, ending_of, every_required, is_long
from durward.scan.meaning import Meaning
from durward.scan.work import STEPS_MAX, Factor, factors_of, steps

Row = tuple[bytes, ...]
Strict = re.Pattern[bytes]
NOWHERE, APART = (-1, -1), (-2, -2)
LINE_END = frozenset({b"\n"})


class Parse(NamedTuple):
    """How a rule reads a message: the values of its columns, and where the source stands in it.

    NOWHERE: it names none. APART: the two ways of reading find it in different places, so it is anybody's guess.
    """

    row: Row
    place: tuple[int, int]


@dataclass(slots=True, eq=False, kw_only=True)
class Rule(Meaning):
    """One line of a pattern, for lines that are text."""

    programs: Programs
    sequence: Sequence
    no_records: bool = False  # no program of the service keeps an access log
    _strict: dict[Shape, Strict | None] = field(default_factory=dict)
    _loose: tuple[Strict, Strict] | None = None
    _factors: tuple[Factor, ...] | None = None

    @property
    def reads_what_looks_like_a_record(self) -> bool:
        """Whether a line that looks like one may be the rule's all the same.

        The address is the first thing in it, before anything that a stranger may have chosen; or it is of syslog, and
        from a program that writes nothing but messages.
        """
        if self.envelope == "syslog" and self.no_records:
            return True
        first = self.sequence[0] if self.sequence else None
        return self.envelope == "plain" and isinstance(first, Hole) and first.name in ADDRESS_HOLES

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
        return self.ending in line and any(literal in line for literal in self.literals) and self.is_named_in(line)

    def is_named_in(self, block: bytes) -> bool:
        """Whether the name of a program that the rule is for may stand in some lines; quick to see too."""
        return self.envelope != "syslog" or self.programs.may_be_in(block)

    def is_too_much(self, text: bytes) -> bool:
        """Whether reading a text could take too many steps; see scan/work.py."""
        if self._factors is None:
            self._factors = factors_of(self.sequence)
        return steps(self._factors, text) > STEPS_MAX

    def parse(self, message: Message) -> Parse | None:
        """Read a message in the greedy and the lazy way; None where it does not fit."""
        if self.envelope == "syslog" and message.program not in self.programs:
            return None
        if self.is_too_much(message.text):
            return Parse((), APART)
        if self._loose is None:
            forms = (write(self.sequence, "greedy"), write(self.sequence, "lazy"))
            first, second = (re.compile(form.encode("latin-1"), re.DOTALL) for form in forms)
            self._loose = (first, second)
        greedy, lazy = self._loose[0].fullmatch(message.text), self._loose[1].fullmatch(message.text)
        if greedy is None or lazy is None:
            return None
        if self._place(greedy) != self._place(lazy) or self._has_another(message.text, self._place(greedy)):
            return Parse((), APART)
        return Parse((*self._envelope_row(message), *lazy.groups(b"")), self._place(lazy))

    def _envelope_row(self, message: Message) -> Row:
        if self.envelope == "plain":
            return ()
        return (message.stamp, message.pid) if self.envelope == "syslog" else (message.stamp,)

    def _has_another(self, text: bytes, place: tuple[int, int]) -> bool:
        """Whether the message would still name a source if the one that was found were none."""
        if place == NOWHERE or self._loose is None:
            return False
        without = self._loose[0].fullmatch(blanked(text, place, host="source" in self.columns))
        return without is not None and self._place(without) != NOWHERE

    def _place(self, match: re.Match[bytes]) -> tuple[int, int]:
        before = len(self.columns) - (match.re.groups)
        for group, column in enumerate(self.columns[before:], 1):
            if column in ("source_ip", "source"):
                return match.span(group)
        return NOWHERE


ENVELOPE_COLUMNS: Mapping[Envelope, tuple[str, ...]] = {"syslog": ("stamp", "pid"), "stamped": ("stamp",), "plain": ()}


def rules_of(card: ServiceCard, pattern: Pattern, line: str, programs: Programs) -> Iterator[Rule]:
    """The rules for one line of a pattern: one for each frame and each envelope of text. Raises PatternError."""
    for frame in pattern.frames:
        framed = _framed(line if frame == MESSAGE else frame.replace(MESSAGE, line))
        for envelope in pattern.envelopes:
            if envelope in ENVELOPE_COLUMNS:
                yield _rule(card, pattern, line, framed, envelope=envelope, programs=programs)


class Framed(NamedTuple):
    """What is known of a line in its frame, whichever envelope it comes in."""

    sequence: Sequence
    fields: tuple[str, ...]
    optional: frozenset[str]
    ending: bytes
    literals: frozenset[bytes]
    required: tuple[frozenset[bytes], ...]
    text_bytes: int


def _framed(text: str) -> Framed:
    sequence = parse(text)
    lint(sequence)
    every = every_required(sequence)
    literals = best_of(every)
    required = tuple(one for one in every if is_long(one) and one != literals)
    clearest = max([literals, *required], key=clear)
    return Framed(
        sequence=sequence,
        fields=fields_of(sequence),
        optional=optional_fields(sequence),
        ending=ending_of(sequence),
        literals=literals,
        required=required,
        text_bytes=max(map(len, clearest)),
    )


def _rule(
    card: ServiceCard, pattern: Pattern, line: str, framed: Framed, *, envelope: Envelope, programs: Programs
) -> Rule:
    columns = ENVELOPE_COLUMNS[envelope] + framed.fields
    if columns.count("stamp") > 1:
        raise PatternError("fills the time twice; the envelope has it already")
    return Rule(
        service=card.id,
        line=line,
        kind=pattern.event,
        hits=-pattern.hits if pattern.weight == "hint" else pattern.hits,
        envelope=envelope,
        programs=programs,
        sequence=framed.sequence,
        columns=columns,
        optional=framed.optional,
        ending=framed.ending,
        literals=framed.literals,
        required=framed.required,
        text_bytes=framed.text_bytes,
        about=pattern.about or None,
        certain=pattern.certain,
        account=pattern.account or None,
    )
