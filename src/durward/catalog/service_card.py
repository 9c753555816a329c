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
Envelope = Literal["syslog", "stamped", "plain", "access", "json"]

WEIGHTS: tuple[Weight, ...] = ("attempt", "hint")
ENVELOPES: tuple[Envelope, ...] = ("syslog", "stamped", "plain", "access", "json")
RECORDS = frozenset({"access", "json"})  # their lines are records: patterns are for single fields
MESSAGE = "{message}"
HITS_MAX = 100  # one line cannot count for more: nobody is blocked for a single line by accident
GIVES = {"source_ip": str, "source_port": int, "source_host": str, "user_name": str, "session": str, "hits": int}


@dataclass(frozen=True, slots=True)
class Reads:
    """Where the service's lines are: journal units, globs of files, and the program names that syslog gives it.

    Any of the `marks`, full paths or globs of such, shows that it is installed; without one nobody can tell.
    """

    journal: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A line and what it must give. `line` is a whole line or the bare message."""

    title: str
    line: str
    gives: Mapping[str, str | int] = field(default_factory=lambda: MappingProxyType({}))


Where = tuple[tuple[str, str], ...]  # fields of a record, and the pattern that each of them must fit as a whole


@dataclass(frozen=True, slots=True)
class Pattern:
    """Lines of one meaning. `places` are the line numbers of `lines` in the card, for whoever has to mend one.

    For records `wheres` stands in place of `lines`: for each of them, which pattern each field must fit. `frames` are
    what the service puts around its messages, each with MESSAGE where the message stands.
    `hits` is how much such a line counts against its source. An "attempt" counts each time; a "hint" only if nothing
    else in its session counted yet (see scan/sessions.py).
    """

    event: str
    lines: tuple[str, ...]
    places: tuple[int, ...]
    hits: int
    weight: Weight
    envelopes: tuple[Envelope, ...]
    examples: tuple[Example, ...]
    wheres: tuple[Where, ...] = ()
    frames: tuple[str, ...] = (MESSAGE,)


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """One service. `name` is what a reason calls it; `csf` names the CSF options that it stands for.

    `ignored` are lines that must give no event. `also` names cards whose patterns this service's lines fit too: what
    they find in its logs is its own.
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
    also: tuple[str, ...] = ()


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
    problems += [
        Problem(str(card.path), 1, "also", f"there is no card {name!r}")
        for card in cards
        for name in card.also
        if name not in paths
    ]
    if problems:
        raise ProblemsError(problems)
    return cards


def load_service(path: Path) -> ServiceCard:
    """Load one card. Raises ProblemsError with all of its problems."""
    reader = CardReader.open(path)
    reader.only("title", "name", "why", "csf", "reads", "also", "envelope", "frames", "pattern", "ignored")
    envelopes = _envelopes(reader, ("syslog",))
    frames = _frames(reader, (MESSAGE,))
    card = ServiceCard(
        id=path.stem,
        path=path,
        title=reader.text("title"),
        name=reader.text("name", path.stem),
        why=reader.text("why", ""),
        csf=reader.texts("csf"),
        reads=_reads(reader.inner("reads")),
        patterns=tuple(_pattern(inner, envelopes, frames) for inner in reader.each("pattern")),
        ignored=tuple(_ignored(inner) for inner in reader.each("ignored")),
        also=reader.texts("also"),
    )
    if not card.patterns and not card.also:
        reader.problem("pattern", "at least one [[pattern]] was expected")
    if reader.problems:
        raise ProblemsError(reader.problems)
    return card


def _reads(reader: CardReader) -> Reads:
    reader.only("journal", "files", "programs", "marks")
    marks = reader.texts("marks")
    if not all(mark.startswith("/") for mark in marks):
        reader.problem("marks", "full paths were expected")
    return Reads(reader.texts("journal"), reader.texts("files"), reader.texts("programs"), marks)


def _pattern(reader: CardReader, card_envelopes: tuple[Envelope, ...], card_frames: tuple[str, ...]) -> Pattern:
    reader.only("event", "lines", "where", "hits", "weight", "envelope", "frames", "example")
    hits = reader.count("hits", 1)
    if hits > HITS_MAX:
        reader.problem("hits", f"at most {HITS_MAX} was expected")
    envelopes = _envelopes(reader, card_envelopes)
    wheres = _wheres(reader) if "where" in reader.table else {}
    if wheres and "lines" in reader.table:
        reader.problem("lines", "lines and where exclude each other: a record has fields")
    if bool(wheres) != bool(RECORDS.intersection(envelopes)) or (wheres and not RECORDS.issuperset(envelopes)):
        reader.problem("where", f"where is for the envelopes {', '.join(sorted(RECORDS))}, and lines for the others")
    lines = {} if wheres else _lines(reader)
    return Pattern(
        event=reader.text("event"),
        lines=tuple(lines.values()) or tuple(map(where_text, wheres.values())),
        places=tuple(lines or wheres),
        hits=hits,
        weight=_choice(reader, "weight", WEIGHTS, "attempt"),
        envelopes=envelopes,
        examples=tuple(_example(inner) for inner in reader.each("example")),
        wheres=tuple(wheres.values()),
        frames=_frames(reader, card_frames),
    )


def where_text(where: Where) -> str:
    """A `where` on one line, to name it by."""
    return ", ".join(f"{field} = {pattern}" for field, pattern in where)


def _envelopes(reader: CardReader, default: tuple[Envelope, ...]) -> tuple[Envelope, ...]:
    """One envelope, or a list of those in which the same message may come."""
    value = reader.table.get("envelope")
    if value is None:
        return default
    if not isinstance(value, list):
        return (_choice(reader, "envelope", ENVELOPES, default[0]),)
    for one in value:
        if one not in ENVELOPES:
            reader.problem("envelope", f"{one!r} is not one of {', '.join(ENVELOPES)}", ENVELOPES)
    return tuple(one for one in ENVELOPES if one in value) or default


def _frames(reader: CardReader, default: tuple[str, ...]) -> tuple[str, ...]:
    """What stands around the messages, once for each form in which the service writes it."""
    frames = reader.texts("frames")
    for frame in frames:
        if frame.count(MESSAGE) != 1:
            reader.problem("frames", f"{frame!r} should have one {MESSAGE}")
    return frames or default


def _wheres(reader: CardReader) -> dict[int, Where]:
    """The `where` of a record pattern, once for each line of the field that has several, by their line numbers."""
    fields = reader.inner("where")
    several = [key for key, value in fields.table.items() if isinstance(value, str) and "\n" in value.strip()]
    if len(several) > 1:
        fields.problem(several[1], f"only one field may have several lines, and {several[0]} has")
    fixed = {key: fields.text(key) for key in fields.table if key not in several[:1]}
    if not fields.table:
        reader.problem("where", "fields and their patterns were expected")
    if not several:
        return {reader.document.line_of(f"{reader.at}.where"): tuple(fixed.items())}
    return {place: ((several[0], text), *fixed.items()) for place, text in _lines(fields, several[0]).items()}


def _lines(reader: CardReader, key: str = "lines") -> dict[int, str]:
    """The patterns by the numbers of their lines. A text that spans lines begins on the one after its key."""
    reader.text(key)
    written = reader.table.get(key)
    if not isinstance(written, str):
        return {}
    first = reader.document.line_of(f"{reader.at}.{key}") + (1 if "\n" in written else 0)
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
