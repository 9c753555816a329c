"""Strangers: where in the lines of every card stands what a stranger chose, and what he may have put there.

The lines are the examples of the shelf. A `Stage` is such a line with its gaps; a `Plot` is a line of another service
that names a victim, in the forms in which it may be smuggled in.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from tests.scan.test_record_injection import as_apache, as_nginx
from tests.test_cards import CARDS, SCANNERS
from tests.test_cards import examples as examples_of_all
from tests.test_cards import readings as whole_lines

from durward.catalog.service_card import ServiceCard
from durward.model import InvalidAddressError, parse_address
from durward.scan.envelope import readings
from durward.scan.grammar import Group, Hole, Node, Repeat, Set
from durward.scan.grammar import Sequence as Nodes
from durward.scan.holes import CHOSEN_HOLES, HOLES, WIDE, members, write
from durward.scan.records import RecordRule
from durward.scan.rule import Rule

VICTIM, NEIGHBOUR = "192.0.2.66", "192.0.2.67"  # a few examples name the first: there it is the second
GAP = "\ue000"
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
NAMES = re.compile(r"\b(?:bob|guest|root|alice|admin)\b|\"([^\"]{1,200})\"|'([^']{1,200})'")
HEADER = re.compile(rb"[A-Z][a-z]{2} .{11} \S+ [^\s\[\]:]+(?:\[\d+\])?: ")
STAMPED_START = re.compile(r"^[\[(]?[0-9A-Z][0-9A-Za-z:./,+ -]{7,40}[\])]?:? ")
ACCESS_USER = re.compile(r"^\S+ (?:\S+ )?- (\S+) \[")

Fit = Callable[[str], str]


class Stage(NamedTuple):
    """A line of a service with gaps, and for each of them how the service writes what a stranger says."""

    service: str
    pieces: tuple[str, ...]
    fits: tuple[Fit, ...]

    def line(self, text: str, gap: int | None = None) -> str:
        """The line with a text in every gap, or in one of them and an ordinary word in the others."""
        said = [fit(text if gap in (None, place) else "x") for place, fit in enumerate(self.fits)]
        return self.pieces[0] + "".join(map(str.__add__, said, self.pieces[1:]))


def stages(every: int = 1) -> Iterator[Stage]:
    """Every example of every card, and its ignored lines; or one of so many examples."""
    for card, pattern, example in islice(examples_of_all(), 0, None, every):
        for line in whole_lines(card, pattern, example):
            yield from _stages(card, line.replace(VICTIM, NEIGHBOUR).replace("\n", " "))
    for card in CARDS:
        for ignored in card.ignored[::every]:
            line = ignored.line.replace(VICTIM, NEIGHBOUR).replace("\n", " ")
            yield from _in_json(card, line) if line[:1] == "{" else _staged(card, line, _named(line), _verbatim)


def _stages(card: ServiceCard, line: str) -> Iterator[Stage]:
    rule = SCANNERS[card.id].rule_for(line.encode())
    if isinstance(rule, Rule):
        spans = _gaps(rule, line)
        yield from _staged(card, line, [span for span, _ in spans], *(fit for _, fit in spans))
    elif line[line.find("{") :][:1] == "{" and isinstance(rule, RecordRule) and _json_start(line) is not None:
        yield from _in_json(card, line)
    elif isinstance(rule, RecordRule):
        for fit in (as_apache, as_nginx):
            yield from _staged(card, line, _fields(line), fit)


def _staged(card: ServiceCard, line: str, spans: Sequence[tuple[int, int]], *fits: Fit) -> Iterator[Stage]:
    """The line with gaps at these places, if there are any; one way to write is for all of them."""
    spans = [(start, end) for start, end in spans if 0 <= start <= end]
    if spans:
        ends = [0, *(end for _, end in spans)]
        pieces = [line[end:start] for end, (start, _) in zip(ends, spans, strict=False)]
        yield Stage(card.id, (*pieces, line[ends[-1] :]), fits if len(fits) == len(spans) else fits[:1] * len(spans))


def _named(line: str) -> list[tuple[int, int]]:
    """The names and quoted texts of a line, but for what it begins with."""
    header = max(_header(line.encode()), *(match.end() for match in STAMPED_START.finditer(line)), 0)
    found = [(match, match.lastindex or 0) for match in NAMES.finditer(line) if match.start() > header]
    return [match.span(group) for match, group in found if not match[group][:1].isdigit()]


def _fields(line: str) -> list[tuple[int, int]]:
    """The user, the target of the request, and whatever else stands between quotes in a line of an access log."""
    found = [match.span(1)] if (match := ACCESS_USER.match(line)) else []
    for place, match in enumerate(QUOTED.finditer(line)):
        start, end = match.span(1)
        if place == 0 and line.count(" ", start, end) > 1:
            start, end = line.index(" ", start) + 1, line.rindex(" ", start, end)
        found.append((start, end))
    return found


def _gaps(rule: Rule, line: str) -> list[tuple[tuple[int, int], Fit]]:
    """What a stranger may have chosen in a line of text: the holes for texts, and long repeats of a set."""
    fits: list[Fit | None] = []
    form = re.compile(_form(rule.sequence, fits).encode("latin-1"), re.DOTALL)
    whole = line.rstrip().encode()
    header = _header(whole)
    for message in readings(whole, rule.envelope):
        match = form.fullmatch(message.text)
        if match is None or (rule.envelope == "syslog" and message.program not in rule.programs):
            continue
        before = whole.rindex(message.text)
        spans = [
            (before + match.start(group), before + match.end(group), fit) for group, fit in enumerate(fits, 1) if fit
        ]
        return [
            ((len(whole[:start].decode()), len(whole[:end].decode())), fit)
            for start, end, fit in spans
            if start >= max(header, before)
        ]
    return []


def _header(line: bytes) -> int:
    """Where the message begins in a line of syslog that says which process wrote it: nobody chooses what is before."""
    match = HEADER.match(line)
    return match.end() if match else 0


def _form(sequence: Nodes, fits: list[Fit | None]) -> str:
    """A pattern with a group for each hole; `fits` gets how each is filled, None for what no stranger chooses."""
    return "".join(_one(node, fits) for node in sequence)


def _one(node: Node, fits: list[Fit | None]) -> str:
    match node:
        case Hole(name):
            fits.append(_fit(name) if name in CHOSEN_HOLES else None)
            return f"({_inside(write((node,), 'lazy'))})"
        case Group(alternatives):
            return "(?:" + "|".join(_form(alternative, fits) for alternative in alternatives) + ")"
        case Repeat(Set() as inner, least, most) if most > WIDE:
            fits.append(_only(frozenset(members(inner))))
            return f"((?:{write((inner,), 'lazy')}){{{least},{most}}}?)"
        case Repeat(inner, least, most):
            return f"(?:{_one(inner, fits)}){{{least},{most}}}?"
        case _:
            return write((node,), "lazy")


def _inside(group: str) -> str:
    return group[3:-1] if group.startswith("(?:") else group[1:-1]


def _fit(name: str) -> Fit:
    if HOLES[name].characters is None:
        return _verbatim
    return (
        _blankless
        if HOLES[name].characters == r"^\s"
        else _only(frozenset(members(Set(f"[{HOLES[name].characters}]"))))
    )


def _verbatim(text: str) -> str:
    return text


def _blankless(text: str) -> str:
    return "".join(text.split()) or "x"


def _only(admitted: frozenset[bytes]) -> Fit:
    plain = next((byte.decode("latin-1") for byte in (b"x", b"0", *sorted(admitted)) if byte in admitted), "")

    def fit(text: str) -> str:
        return "".join(sign for sign in text if all(bytes([byte]) in admitted for byte in sign.encode()))[:400] or plain

    return fit


def _json_start(line: str) -> int | None:
    start = line.find("{")
    try:
        return start if isinstance(json.loads(line[start:]), dict) else None
    except ValueError:
        return None


def _in_json(card: ServiceCard, line: str) -> Iterator[Stage]:
    """A record with gaps in those texts of it that a rule of the card says to be a stranger's, or says nothing of."""
    start = _json_start(line)
    if start is None:
        return
    rule = SCANNERS[card.id].rule_for(line.encode())
    conditions = {one.field: one.sequence for one in rule.conditions} if isinstance(rule, RecordRule) else {}
    read = _gapped(json.loads(line[start:]), "", conditions)
    for written in (json.dumps(read, ensure_ascii=False), json.dumps(read, ensure_ascii=False, separators=(",", ":"))):
        pieces = (line[:start] + written).split(GAP)
        if len(pieces) > 1:
            yield Stage(card.id, tuple(pieces), (_as_json,) * (len(pieces) - 1))


def _gapped(value: Any, path: str, conditions: dict[str, Nodes]) -> Any:
    if isinstance(value, dict):
        return {key: _gapped(inner, f"{path}.{key}" if path else key, conditions) for key, inner in value.items()}
    if isinstance(value, list):
        return [_gapped(inner, f"{path}.{place}", conditions) for place, inner in enumerate(value)]
    if not isinstance(value, str) or _is_address(value):
        return value
    return _gapped_text(value, conditions[path]) if path in conditions else GAP


def _gapped_text(value: str, sequence: Nodes) -> str:
    fits: list[Fit | None] = []
    match = re.fullmatch(_form(sequence, fits), value, re.DOTALL)
    if match is None:
        return value
    for group, fit in reversed(list(enumerate(fits, 1))):
        if fit is _verbatim and match.start(group) >= 0:
            value = value[: match.start(group)] + GAP + value[match.end(group) :]
    return value


def _is_address(text: str) -> bool:
    for written in (text, text.rpartition(":")[0].strip("[]")):
        try:
            parse_address(written)
        except InvalidAddressError:
            continue
        return True
    return False


def _as_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


class Plot(NamedTuple):
    """A text that names the victim as a line of a service would, and the service whose it is."""

    service: str
    text: str


WRAPPERS = (  # what may make a reader take a text for a line of its own, or end the field in which it stands
    *("{}", "x {}", "{} x", "\r{}", "\x85{}", "\u2028{}", "\x00{}", "\x1b[2K\x1b[1G{}", "\\n{}", "#012{}", "\t{}"),
    *('" {}', "' {}", '"}} {}', '","x":"{}', '\\" {}', "] {}", ") {}", "> {}", "| {}", ": {}", "{}: ", "{}\r", "{} {}"),
)
LONG = ("y" * 10_000 + " {}", "{} " + "y" * 10_000, "{} " + "y" * 400)


def plots(every: int = 1) -> Iterator[Plot]:
    """Every example of every card naming the victim: whole, without its envelope, and from its first fixed text on.

    Or one of so many.
    """
    for card, pattern, example in islice(examples_of_all(), 0, None, every):
        address = example.gives.get("source_ip") or example.gives.get("source_host")
        if not isinstance(address, str) or address not in example.line:
            continue
        line = example.line.replace(address, VICTIM).replace("\n", " ")
        for whole in {line, whole_lines(card, pattern, example)[0].replace(address, VICTIM).replace("\n", " ")}:
            yield from (Plot(card.id, text) for text in dict.fromkeys(_forms_of(card, whole)))


def _forms_of(card: ServiceCard, line: str) -> Iterator[str]:
    rule = SCANNERS[card.id].rule_for(line.encode())
    yield line
    if isinstance(rule, Rule):
        for message in readings(line.encode(), rule.envelope):
            text = message.text.decode()
            yield text
            if message.program:
                yield f"{message.program.decode()}[1]: {text}"
                yield f"web1 {message.program.decode()}: {text}"
        literals = [literal.decode() for literal in rule.literals if literal.decode() in line]
        yield from (line[line.index(literal) :] for literal in literals)
    else:
        yield line[line.find("{") :]
