"""Records: lines that have fields, such as those of access logs. A rule names fields and what each of them must be.

A field is what it is whatever stands in another one, so no text that a stranger chose can pose as the address.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from durward.catalog.service_card import RECORDS, Envelope, Pattern, ServiceCard, Where, where_text
from durward.model import InvalidAddressError, parse_address
from durward.scan.access import FIELDS as ACCESS_FIELDS
from durward.scan.access import access_fields
from durward.scan.batch import Batch, Lines
from durward.scan.grammar import PatternError, parse
from durward.scan.grammar import Sequence as Pattern_
from durward.scan.holes import fields_of, lint, optional_fields, write
from durward.scan.json_lines import json_fields
from durward.scan.matcher import Candidates
from durward.scan.meaning import Meaning
from durward.scan.needles import needles_of
from durward.scan.topology import Topology

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
SOURCES = ("source_ip", "source")
Row = tuple[bytes, ...]
Form = re.Pattern[bytes]


class Condition(NamedTuple):
    """A field and what it must fit as a whole, read in the greedy and in the lazy way; `columns` are what it fills."""

    field: str
    greedy: Form
    lazy: Form
    columns: tuple[str, ...]

    def values(self, text: bytes) -> tuple[bytes, ...] | None:
        """What the field gives for each column; None where it does not fit, or where the two ways find two sources."""
        greedy = self.greedy.fullmatch(text)
        if greedy is None or not self.columns:
            return None if greedy is None else ()
        lazy = self.lazy.fullmatch(text)
        sources = [place for place, column in enumerate(self.columns, 1) if column in SOURCES]
        if lazy is None or any(greedy.span(place) != lazy.span(place) for place in sources):
            return None
        return lazy.groups(b"")


@dataclass(slots=True, eq=False, kw_only=True)
class RecordRule(Meaning):
    """One `where` of a card. `order` is its place: of two that fit, the first counts."""

    order: int
    conditions: tuple[Condition, ...]

    def row(self, fields: Mapping[str, bytes]) -> Row | None:
        """The values of the columns where a record fits; else None."""
        found: dict[str, bytes] = {}
        for condition in self.conditions:
            text = fields.get(condition.field)
            values = None if text is None else condition.values(text)
            if values is None:
                return None
            found.update(zip(condition.columns, values, strict=True))
        implied = IMPLIED[self.envelope]
        return tuple(found[one] if one in found else fields.get(implied[one], b"") for one in self.columns)


def record_rules(card: ServiceCard, pattern: Pattern, where: Where, order: int) -> Iterator[RecordRule]:
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
        implied = [column for column in IMPLIED[envelope] if column not in named]
        yield RecordRule(
            service=card.id,
            line=where_text(where),
            kind=pattern.event,
            hits=-pattern.hits if pattern.weight == "hint" else pattern.hits,
            envelope=envelope,
            order=order,
            columns=(*implied, *filled),
            optional=frozenset(implied).union(*(optional_fields(sequence) for _, sequence in sequences)),
            literals=needles_of(envelope, sequences),
            conditions=tuple(_condition(field, sequence) for field, sequence in sequences),
        )


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
    greedy, lazy = (re.compile(write(sequence, form).encode("latin-1"), re.DOTALL) for form in ("greedy", "lazy"))
    return Condition(field, greedy, lazy, fields_of(sequence))


def record_batches(candidates: Candidates[RecordRule], topology: Topology) -> Iterator[Batch[RecordRule]]:
    """What the rules read in lines that contain the same literal: each line by the first rule that it fits."""
    taken: dict[RecordRule, list[tuple[bytes, int, Row]]] = {}
    for line, start in zip(candidates.lines, candidates.starts, strict=True):
        if found := _found(candidates.rules_for(start), line, topology):
            rule, row = found
            taken.setdefault(rule, []).append((line, start, row))
    for rule, lines in taken.items():
        texts, starts, rows = (list(column) for column in zip(*lines, strict=True))
        yield Batch(rule, list(zip(*rows, strict=True)), Lines(texts, starts))


def _found(rules: Sequence[RecordRule], line: bytes, topology: Topology) -> tuple[RecordRule, Row] | None:
    line = line.rstrip(b" \t\r")
    read: dict[Envelope, Mapping[str, bytes] | None] = {}
    for rule in sorted(rules, key=lambda rule: rule.order):
        if rule.envelope not in read:
            read[rule.envelope] = READERS[rule.envelope](line)
        fields = read[rule.envelope]
        row = rule.row(fields) if fields else None
        if row is not None:
            return rule, _behind_proxies(rule, row, topology) if topology else row
    return None


def _behind_proxies(rule: RecordRule, row: Row, topology: Topology) -> Row:
    """The row with the client in the place of a proxy; with nobody where the proxy does not say."""
    place = next((place for place, column in enumerate(rule.columns) if column in SOURCES), None)
    if place is None or not topology.is_proxy(_canonical(row[place])):
        return row
    forwarded = dict(zip(rule.columns, row, strict=True)).get("forwarded", b"")
    return (*row[:place], topology.client(forwarded), *row[place + 1 :])


def _canonical(written: bytes) -> str:
    try:
        return str(parse_address(written.decode("ascii")))
    except (InvalidAddressError, UnicodeDecodeError):
        return NO_PROXY
