"""Records: lines that have fields, such as those of access logs. A rule names fields and what each of them must be.

A field is what it is whatever stands in another one, so no text that a stranger chose can pose as the address.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Literal, NamedTuple

from durward.catalog.service_card import RECORDS, Envelope, Pattern, ServiceCard, Where, where_text
from durward.model import InvalidAddressError, parse_address
from durward.scan.access import FIELDS as ACCESS_FIELDS
from durward.scan.access import ApartError, access_fields
from durward.scan.batch import Batch, Lines
from durward.scan.foreign import Foreign
from durward.scan.grammar import REPEAT_MAX, PatternError, parse
from durward.scan.grammar import Sequence as Pattern_
from durward.scan.holes import WIDE, blanked, fields_of, lint, optional_fields, write
from durward.scan.json_lines import json_fields
from durward.scan.literals import choices_of
from durward.scan.matcher import Candidates
from durward.scan.meaning import Meaning
from durward.scan.needles import needles_of
from durward.scan.topology import Topology
from durward.scan.work import STEPS_MAX, Factor, factors_of, steps

LINE_BYTES_MAX = 64 * 1024  # of a record are looked at: the fields of a request may be long
NO_PROXY = "255.255.255.255"  # which is nobody's address
READERS: Mapping[Envelope, Callable[[bytes], Mapping[str, bytes] | None]] = {
    "access": access_fields,
    "json": json_fields,
}
IMPLIED: Mapping[Envelope, Mapping[str, str]] = {  # columns, and the fields that fill them
    "access": {"stamp": "stamp", "source": "client", "user_name": "user", "forwarded": "forwarded"},
    "json": {"stamp": "stamp"},
}
# What `about` of a pattern may say instead of a fixed text: the field that fills it, and the byte at which that ends.
ABOUT_FIELDS: Mapping[str, tuple[str, bytes]] = {"{path}": ("target", b"?"), "{target}": ("target", b" ")}
NOWHERE = (-1, -1)
SOURCES = ("source_ip", "source")
Row = tuple[bytes, ...]
Form = re.Pattern[bytes]


class Reading(NamedTuple):
    """How records are read: which rules may fit a line, which proxies there are, and which programs keep no records.

    `doubtful` gets the lines that could be blamed on two sources.
    """

    rules_in: Callable[[bytes], list["RecordRule"]]
    topology: Topology
    foreign: Foreign
    doubtful: list[bytes]


@dataclass(slots=True, eq=False)
class Condition:
    """A field and what it must fit as a whole, read in the greedy and in the lazy way; `columns` are what it fills.

    `choices` are all texts that it fits, if those are few. Of a field that fills nothing only so much is looked at as a
    repeat can take, and as takes no more steps than a line may; one that fills something is doubtful beyond that.
    """

    field: str
    sequence: Pattern_
    columns: tuple[str, ...]
    choices: frozenset[bytes] | None
    _forms: tuple[Form, Form] | None = None
    _factors: tuple[Factor, ...] | None = None
    _free_bytes: int = 0

    def part(self, text: bytes) -> bytes:
        """As much of the start of a field as can be read within the steps that a line may take; see scan/work.py."""
        if self._factors is None:
            self._factors = factors_of(self.sequence)
            flat = not any(factor.alternatives for factor in self._factors)
            self._free_bytes = int(STEPS_MAX ** (1 / (len(self._factors) + 1))) - 1 if flat else 0
        if len(text) <= self._free_bytes:  # so short that no count of steps is needed
            return text
        while len(text) > WIDE and steps(self._factors, text) > STEPS_MAX:
            text = text[: len(text) // 2]
        return text

    def values(self, text: bytes) -> tuple[bytes, ...] | None:
        """What the field gives for each column; None where it does not fit.

        Raises ApartError where the two ways find the source in different places, and where that takes too long to see.
        """
        if self.choices is not None:
            return () if text in self.choices else None
        if self._forms is None:
            self._forms = (self._form("greedy"), self._form("lazy"))
        if not self.columns:
            return None if self._forms[0].fullmatch(self.part(text[:REPEAT_MAX])) is None else ()
        if len(self.part(text)) < len(text):
            raise ApartError
        greedy, lazy = (form.fullmatch(text) for form in self._forms)
        if greedy is None:
            return None
        sources = [place for place, column in enumerate(self.columns, 1) if column in SOURCES]
        if lazy is None:
            return None
        for place in sources:
            if greedy.span(place) != lazy.span(place) or self._has_another(greedy, place):
                raise ApartError
        return lazy.groups(b"")

    def _has_another(self, match: re.Match[bytes], place: int) -> bool:
        """Whether the field would still name a source if the one that was found were none."""
        found = match.span(place)
        if found == NOWHERE:
            return False
        without = match.re.fullmatch(blanked(match.string, found, host=self.columns[place - 1] == "source"))
        return without is not None and without.span(place) != NOWHERE

    def _form(self, form: Literal["greedy", "lazy"]) -> Form:
        return re.compile(write(self.sequence, form).encode("latin-1"), re.DOTALL)


@dataclass(slots=True, eq=False, kw_only=True)
class RecordRule(Meaning):
    """One `where` of a card. Of two that fit a line, the first counts."""

    conditions: tuple[Condition, ...]
    implied: Mapping[str, str]  # columns that no condition fills, and the fields that do
    whole: Callable[[Mapping[str, bytes]], Row] | None = None  # the row, where no condition fills a column

    @property
    def source_place(self) -> int | None:
        """Which of the columns is the source."""
        return next((place for place, column in enumerate(self.columns) if column in SOURCES), None)

    @property
    def names_source(self) -> bool:
        """Whether a condition fills the source: another rule may find another one."""
        return any(column in SOURCES for condition in self.conditions for column in condition.columns)

    def source_in(self, row: Row) -> bytes | None:
        """The source that a row of the rule names."""
        return None if self.source_place is None else row[self.source_place]

    def row(self, fields: Mapping[str, bytes]) -> Row | None:
        """The values of the columns where a record fits; else None."""
        found: dict[str, bytes] = {}
        for condition in self.conditions:
            text = fields.get(condition.field)
            values = None if text is None else condition.values(text)
            if values is None:
                return None
            if values:
                found.update(zip(condition.columns, values, strict=True))
        if self.whole:
            return self.whole(fields)
        return tuple(found[one] if one in found else fields.get(self.implied[one], b"") for one in self.columns)


def record_rules(card: ServiceCard, pattern: Pattern, where: Where) -> Iterator[RecordRule]:
    """The rules for one `where`, one for each envelope. Raises PatternError."""
    sequences = [(field, _read(field, text)) for field, text in where]
    for envelope in pattern.envelopes:
        if envelope not in RECORDS:
            continue
        unknown = [field for field, _ in sequences if envelope == "access" and field not in ACCESS_FIELDS]
        if unknown:
            raise PatternError(f"has the field {unknown[0]}; an access log has {', '.join(sorted(ACCESS_FIELDS))}")
        filled = [column for _, sequence in sequences for column in fields_of(sequence)]
        _check(filled)
        named = {"source" for one in SOURCES if one in filled} | {*filled}
        about_field, about_ends = _about(pattern.about, envelope)
        given = {**IMPLIED[envelope], **about_field}
        implied = {column: field for column, field in given.items() if column not in named}
        yield RecordRule(
            service=card.id,
            line=where_text(where),
            kind=pattern.event,
            hits=-pattern.hits if pattern.weight == "hint" else pattern.hits,
            envelope=envelope,
            columns=(*implied, *filled),
            optional=frozenset(implied).union(*(optional_fields(sequence) for _, sequence in sequences)),
            literals=needles_of(envelope, sequences),
            about=None if about_ends else pattern.about or None,
            about_ends=about_ends,
            account=pattern.account or None,
            conditions=tuple(sorted((_condition(*one) for one in sequences), key=_cost)),
            implied=implied,
            whole=None if filled or len(implied) < len(IMPLIED["access"]) else itemgetter(*implied.values()),
        )


def _about(text: str, envelope: Envelope) -> tuple[Mapping[str, str], bytes]:
    """The column and the field of an `about` that a field fills, and what ends it; nothing for a fixed text."""
    if text not in ABOUT_FIELDS:
        return {}, b""
    if envelope != "access":
        raise PatternError(f"is about {text}, which only an access log has")
    field, ends = ABOUT_FIELDS[text]
    return {"about": field}, ends


def _read(field: str, text: str) -> Pattern_:
    try:
        sequence = parse(text)
        lint(sequence)
    except PatternError as error:
        raise PatternError(f"in {field}: {error}") from None
    return sequence


def _check(filled: list[str]) -> None:
    twice = next((one for one in filled if filled.count(one) > 1), "")
    if twice or {*SOURCES} <= {*filled}:
        raise PatternError(f"fills {twice or 'the source'} twice")


def _condition(field: str, sequence: Pattern_) -> Condition:
    columns = fields_of(sequence)
    return Condition(field, sequence, columns, None if columns else choices_of(sequence))


def _cost(condition: Condition) -> bool:
    """What is quick to see is looked at first."""
    return condition.choices is None


def record_batches(candidates: Candidates[RecordRule], reading: "Reading") -> Iterator[Batch[RecordRule]]:
    """What the rules read in lines that contain the same literal: each line by the first rule that it fits."""
    taken: dict[RecordRule, list[tuple[bytes, int, Row]]] = {}
    alike = len(candidates.rules) == len(candidates.likely)  # no other literal can overlap those that were found
    usual: list[RecordRule] = []
    for line, start in zip(candidates.lines, candidates.starts, strict=True):
        if not alike:
            rules = reading.rules_in(line)
        else:
            rules = usual = usual or reading.rules_in(line)
        if found := _found(rules, line, reading):
            rule, row = found
            taken.setdefault(rule, []).append((line, start, row))
    for rule, lines in taken.items():
        texts, starts, rows = (list(column) for column in zip(*lines, strict=True))
        yield Batch(rule, list(zip(*rows, strict=True)), Lines(texts, starts))


def _found(rules: Sequence[RecordRule], line: bytes, reading: "Reading") -> tuple[RecordRule, Row] | None:
    line = line.rstrip(b" \t\r")
    read: dict[Envelope, Mapping[str, bytes] | None] = {}
    found: tuple[RecordRule, Row] | None = None
    try:
        for rule in rules:
            if found and (rule.whole or not rule.names_source):
                continue
            if rule.envelope not in read:
                read[rule.envelope] = READERS[rule.envelope](line)
            fields = read[rule.envelope]
            row = rule.row(fields) if fields else None
            if row is None:
                continue
            if not found:
                found = rule, row
            elif rule.source_in(row) != found[0].source_in(found[1]):
                reading.doubtful.append(line)
                return None
    except ApartError:
        reading.doubtful.append(line)
        return None
    if not found or reading.foreign.wrote(line, found[0].envelope):
        return None
    return found[0], _behind_proxies(*found, reading.topology) if reading.topology else found[1]


def _behind_proxies(rule: RecordRule, row: Row, topology: Topology) -> Row:
    """The row with the client in the place of a proxy; with nobody where the proxy does not say."""
    place = rule.source_place
    if place is None or not topology.is_proxy(_canonical(row[place])):
        return row
    forwarded = dict(zip(rule.columns, row, strict=True)).get("forwarded", b"")
    return (*row[:place], topology.client(forwarded), *row[place + 1 :])


def _canonical(written: bytes) -> str:
    try:
        return str(parse_address(written.decode("ascii")))
    except (InvalidAddressError, UnicodeDecodeError):
        return NO_PROXY
