"""ServiceCard: what one service writes to its logs and what each line means, read from a TOML card of the shelf."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from durward.catalog.document import Document, Problem, ProblemsError, read_document

Weight = Literal["attempt", "hint"]
Envelope = Literal["syslog", "stamped", "plain"]

WEIGHTS: tuple[Weight, ...] = ("attempt", "hint")
ENVELOPES: tuple[Envelope, ...] = ("syslog", "stamped", "plain")
HITS_MAX = 100  # one line cannot count for more: nobody is blocked for a single line by accident
GIVES_KEYS = ("source_ip", "source_port", "source_host", "user_name", "session", "hits")
GIVES_NUMBERS = ("source_port", "hits")


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
    """One service. `csf` names the CSF options that it stands for; `ignored` are lines that must give no event."""

    id: str
    path: Path
    title: str
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
    reader = _Reader(read_document(path))
    card = _card(reader)
    if reader.problems:
        raise ProblemsError(reader.problems)
    return card


@dataclass(slots=True)
class _Reader:
    """Takes typed values out of a document and remembers whatever is wrong with them."""

    document: Document
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, key: str, message: str, known: Sequence[str] = ()) -> None:
        self.problems.append(self.document.problem(key, message, tuple(known)))

    def only(self, table: dict[str, Any], at: str, known: Sequence[str], required: Sequence[str] = ()) -> None:
        for key in table:
            if key not in known:
                self.wrong(_join(at, key), "is unknown", known)
        for key in required:
            if key not in table:
                self.wrong(at, f"{key} is missing")

    def text(self, table: dict[str, Any], at: str, key: str) -> str:
        value = table.get(key, "")
        if isinstance(value, str):
            return value
        self.wrong(_join(at, key), "a text was expected")
        return ""

    def choice(self, table: dict[str, Any], at: str, key: str, known: Sequence[str], default: str) -> str:
        value = table.get(key, default)
        if value in known:
            return str(value)
        self.wrong(_join(at, key), f"one of {', '.join(known)} was expected")
        return default

    def texts(self, table: dict[str, Any], at: str, key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.wrong(_join(at, key), "a list of texts was expected")
        return ()

    def number(self, table: dict[str, Any], at: str, key: str, default: int) -> int:
        value = table.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= HITS_MAX:
            return value
        self.wrong(_join(at, key), f"a number from 0 to {HITS_MAX} was expected")
        return default

    def table(self, table: dict[str, Any], at: str, key: str) -> dict[str, Any]:
        value = table.get(key, {})
        if isinstance(value, dict):
            return value
        self.wrong(_join(at, key), "a table was expected")
        return {}

    def tables(self, table: dict[str, Any], at: str, key: str) -> list[tuple[str, dict[str, Any]]]:
        value = table.get(key, [])
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return [(f"{_join(at, key)}.{number}", item) for number, item in enumerate(value)]
        self.wrong(_join(at, key), f"[[{_join(at, key)}]] was expected")
        return []


def _card(reader: _Reader) -> ServiceCard:
    data, path = reader.document.data, reader.document.path
    reader.only(
        data, "", ("title", "why", "csf", "reads", "envelope", "pattern", "ignored"), ("title", "reads", "pattern")
    )
    envelope = reader.choice(data, "", "envelope", ENVELOPES, "syslog")
    return ServiceCard(
        id=path.stem,
        path=path,
        title=reader.text(data, "", "title"),
        why=reader.text(data, "", "why"),
        csf=reader.texts(data, "", "csf"),
        reads=_reads(reader, reader.table(data, "", "reads")),
        patterns=tuple(_pattern(reader, at, table, envelope) for at, table in reader.tables(data, "", "pattern")),
        ignored=tuple(_example(reader, at, table) for at, table in reader.tables(data, "", "ignored")),
    )


def _reads(reader: _Reader, table: dict[str, Any]) -> Reads:
    reader.only(table, "reads", ("journal", "files", "programs"))
    return Reads(
        reader.texts(table, "reads", "journal"),
        reader.texts(table, "reads", "files"),
        reader.texts(table, "reads", "programs"),
    )


def _pattern(reader: _Reader, at: str, table: dict[str, Any], envelope: str) -> Pattern:
    known = ("event", "lines", "hits", "weight", "envelope", "example")
    reader.only(table, at, known, ("event", "lines"))
    written = reader.text(table, at, "lines")
    first = reader.document.line_of(_join(at, "lines")) + (1 if "\n" in written else 0)
    lines = [(text.strip(), first + number) for number, text in enumerate(written.split("\n")) if text.strip()]
    if "lines" in table and not lines:
        reader.wrong(_join(at, "lines"), "one pattern a line was expected")
    return Pattern(
        event=reader.text(table, at, "event"),
        lines=tuple(text for text, _ in lines),
        places=tuple(place for _, place in lines),
        hits=reader.number(table, at, "hits", 1),
        weight="hint" if reader.choice(table, at, "weight", WEIGHTS, "attempt") == "hint" else "attempt",
        envelope=_envelope(reader.choice(table, at, "envelope", ENVELOPES, envelope)),
        examples=tuple(_example(reader, *example) for example in reader.tables(table, at, "example")),
    )


def _envelope(name: str) -> Envelope:
    return next(known for known in ENVELOPES if known == name)


def _example(reader: _Reader, at: str, table: dict[str, Any]) -> Example:
    ignored = at.startswith("ignored.")
    reader.only(table, at, ("title", "line") if ignored else ("title", "line", "gives"), ("line",))
    gives = reader.table(table, at, "gives")
    inside = _join(at, "gives")
    reader.only(gives, inside, GIVES_KEYS)
    for key, value in gives.items():
        if key in GIVES_KEYS and type(value) is not (int if key in GIVES_NUMBERS else str):
            reader.wrong(_join(inside, key), "a number was expected" if key in GIVES_NUMBERS else "a text was expected")
    line = reader.text(table, at, "line")
    return Example(reader.text(table, at, "title"), line, MappingProxyType(gives))


def _join(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key
