"""ServiceCard: what one service writes to its logs and what each line means, read from a TOML card of the shelf."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar

from durward.catalog.card import CardReader
from durward.catalog.document import Problem, ProblemsError

Known = TypeVar("Known", bound=str)
Weight = Literal["attempt", "hint"]
Envelope = Literal["syslog", "stamped", "plain"]

WEIGHTS: tuple[Weight, ...] = ("attempt", "hint")
ENVELOPES: tuple[Envelope, ...] = ("syslog", "stamped", "plain")
HITS_MAX = 100  # one line cannot count for more: nobody is blocked for a single line by accident
GIVES = {"source_ip": str, "source_port": int, "source_host": str, "user_name": str, "session": str, "hits": int}


@dataclass(frozen=True, slots=True)
class Reads:
    """Where the service's lines are: journal units, globs of files, and the program names that syslog gives it."""

    journal: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A line and what it must give. `line` is a whole line or the bare message."""

    title: str
    line: str
    gives: Mapping[str, str | int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Pattern:
    """Lines of one meaning. `places` are the line numbers of `lines` in the card, for whoever has to mend one.

    `hits` is how much such a line counts against its source. An "attempt" counts each time; a "hint" only if nothing
    else in its session counted yet (see scan/sessions.py).
    """

    event: str
    lines: tuple[str, ...]
    places: tuple[int, ...]
    hits: int
    weight: Weight
    envelope: Envelope
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """One service. `name` is what a reason calls it; `csf` names the CSF options that it stands for.

    `ignored` are lines that must give no event.
    """

    id: str
    path: Path
    title: str
    name: str
    why: str
    csf: tuple[str, ...]
    reads: Reads
    patterns: tuple[Pattern, ...]
    ignored: tuple[Example, ...]


def load_services(directories: Sequence[Path]) -> list[ServiceCard]:
    """Load all cards, sorted by id; a card in a later directory replaces one of the same name in an earlier one.

    A directory that does not exist is empty. Raises ProblemsError with every problem of every card.
    """
    paths = {path.stem: path for directory in directories for path in sorted(directory.glob("*.toml"))}
    cards: list[ServiceCard] = []
    problems: list[Problem] = []
    for _, path in sorted(paths.items()):
        try:
            cards.append(load_service(path))
        except ProblemsError as error:
            problems += error.problems
    if problems:
        raise ProblemsError(problems)
    return cards


def load_service(path: Path) -> ServiceCard:
    """Load one card. Raises ProblemsError with all of its problems."""
    reader = CardReader.open(path)
    reader.only("title", "name", "why", "csf", "reads", "envelope", "pattern", "ignored")
    envelope = _choice(reader, "envelope", ENVELOPES, "syslog")
    card = ServiceCard(
        id=path.stem,
        path=path,
        title=reader.text("title"),
        name=reader.text("name", path.stem),
        why=reader.text("why", ""),
        csf=reader.texts("csf"),
        reads=_reads(reader.inner("reads")),
        patterns=tuple(_pattern(inner, envelope) for inner in reader.each("pattern")),
        ignored=tuple(_ignored(inner) for inner in reader.each("ignored")),
    )
    if not card.patterns:
        reader.problem("pattern", "at least one [[pattern]] was expected")
    if reader.problems:
        raise ProblemsError(reader.problems)
    return card


def _reads(reader: CardReader) -> Reads:
    reader.only("journal", "files", "programs")
    return Reads(reader.texts("journal"), reader.texts("files"), reader.texts("programs"))


def _pattern(reader: CardReader, envelope: Envelope) -> Pattern:
    reader.only("event", "lines", "hits", "weight", "envelope", "example")
    hits = reader.count("hits", 1)
    if hits > HITS_MAX:
        reader.problem("hits", f"at most {HITS_MAX} was expected")
    lines = _lines(reader)
    return Pattern(
        event=reader.text("event"),
        lines=tuple(lines.values()),
        places=tuple(lines),
        hits=hits,
        weight=_choice(reader, "weight", WEIGHTS, "attempt"),
        envelope=_choice(reader, "envelope", ENVELOPES, envelope),
        examples=tuple(_example(inner) for inner in reader.each("example")),
    )


def _lines(reader: CardReader) -> dict[int, str]:
    """The patterns by the numbers of their lines. A text that spans lines begins on the one after its key."""
    reader.text("lines")
    written = reader.table.get("lines")
    if not isinstance(written, str):
        return {}
    first = reader.document.line_of(f"{reader.at}.lines") + (1 if "\n" in written else 0)
    return {first + number: text.strip() for number, text in enumerate(written.split("\n")) if text.strip()}


def _choice(reader: CardReader, key: str, known: Sequence[Known], default: Known) -> Known:
    value = reader.text(key, default)
    for one in known:
        if one == value:
            return one
    reader.problem(key, f"{value!r} is not one of {', '.join(known)}", known)
    return default


def _ignored(reader: CardReader) -> Example:
    reader.only("title", "line")
    return Example(reader.text("title", ""), reader.text("line"))


def _example(reader: CardReader) -> Example:
    reader.only("title", "line", "gives")
    gives = reader.inner("gives")
    gives.only(*GIVES)
    for key, value in gives.table.items():
        if key in GIVES and type(value) is not GIVES[key]:
            gives.problem(key, "a number was expected" if GIVES[key] is int else "a text was expected")
    return Example(reader.text("title", ""), reader.text("line"), MappingProxyType({**gives.table}))
