"""ServiceCard: what one service writes to its logs and what each line means, read from a TOML card of the shelf."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar

from durward.catalog.card import CardReader
from durward.catalog.document import Problem, ProblemsError
from durward.model import Port

Known = TypeVar("Known", bound=str)
Weight = Literal["attempt", "step", "hint", "pending"]
Envelope = Literal["syslog", "stamped", "plain", "access", "json"]

WEIGHTS: tuple[Weight, ...] = ("attempt", "step", "hint", "pending")
ENVELOPES: tuple[Envelope, ...] = ("syslog", "stamped", "plain", "access", "json")
RECORDS = frozenset({"access", "json"})  # their lines are records: patterns are for single fields
MESSAGE = "{message}"
HITS_MAX = 100  # one line cannot count for more: nobody is blocked for a single line by accident
PENDING = -(1 << 32)  # the hits of a pattern whose weight is that, or less than it: no step has so many
STEP = -(1 << 20)  # and of one whose weight is this, once for each time that it happened: no hint has so many
GIVES = {
    "source_ip": str,
    "source_port": int,
    "source_host": str,
    "user_name": str,
    "session": str,
    "hits": int,
    "about": str,
    "quantity": int,
}


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
    `hits` is how much such a line counts against its source. An "attempt" counts each time; a "step" at once too, and
    the attempt that sums them up counts what is more; a "hint" only if nothing else in its session counted yet; what is
    "pending" counts once a later line says whose it is, or that it led to nothing (see scan/sessions.py). `programs`
    are those of the service's that write such lines, if not all of them do. What fits a `certain` one names its source
    for sure, whatever looser patterns make of it.
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
    about: str = ""
    certain: bool = False
    account: str = ""
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """What a service's log shows to be set so that attacks cannot be seen or blamed, and what to set instead.

    Lines that fit `when` show that something is amiss, unless others fit `unless`. With `nearby` the lines of `when`
    name an address: amiss is that all of them are addresses of private networks, as behind a proxy. `says` is what is
    amiss, `set` the setting that mends it. `shown_by` are examples of `when` lines, `settled_by` of lines that show
    that all is well.
    """

    when: Pattern
    unless: Pattern | None
    nearby: bool
    says: str
    set: str
    shown_by: tuple[str, ...]
    settled_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """One service. `name` is what a reason calls it; `csf` names the CSF options that it stands for.

    `ignored` are lines that must give no event. A line that fits one of `exceptions` gives none, although a pattern
    takes it; they are those of the services in `exceptions_of`, or its own. `also` names cards whose patterns this
    service's lines fit too: what they find in its logs is its own.
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
    exceptions: tuple[Pattern, ...] = ()
    exceptions_of: tuple[str, ...] = ()
    advice: tuple[Advice, ...] = ()
    ports: tuple[Port, ...] = ()


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
        Problem(str(card.path), 1, key, f"there is no card {name!r}")
        for card in cards
        for key, names in (("also", card.also), ("exceptions_of", card.exceptions_of))
        for name in names
        if name not in paths
    ]
    if problems:
        raise ProblemsError(problems)
    return cards


def load_service(path: Path) -> ServiceCard:
    """Load one card. Raises ProblemsError with all of its problems."""
    reader = CardReader.open(path)
    reader.only(
        "title",
        "name",
        "why",
        "csf",
        "ports",
        "reads",
        "also",
        "envelope",
        "frames",
        "pattern",
        "ignored",
        "exception",
        "exceptions_of",
        "advice",
    )
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
        exceptions=tuple(_exception(inner, envelopes, frames) for inner in reader.each("exception")),
        exceptions_of=reader.texts("exceptions_of"),
        ports=_ports(reader),
        advice=tuple(_advice(inner, envelopes, frames) for inner in reader.each("advice")),
    )
    if not card.patterns and not card.also and not (card.exceptions and card.exceptions_of):
        reader.problem("pattern", "at least one [[pattern]] was expected")
    if reader.problems:
        raise ProblemsError(reader.problems)
    return card


def _ports(reader: CardReader) -> tuple[Port, ...]:
    """The ports that a service is reached at unless it was set up otherwise: `110,995` or `53/udp`."""
    try:
        return tuple(Port.parse(port) for port in reader.text("ports", "").split(",") if port.strip())
    except ValueError as error:
        reader.problem("ports", str(error))
        return ()


def _reads(reader: CardReader) -> Reads:
    reader.only("journal", "files", "programs", "marks")
    marks = reader.texts("marks")
    if not all(mark.startswith("/") for mark in marks):
        reader.problem("marks", "full paths were expected")
    return Reads(reader.texts("journal"), reader.texts("files"), reader.texts("programs"), marks)


def _pattern(reader: CardReader, card_envelopes: tuple[Envelope, ...], card_frames: tuple[str, ...]) -> Pattern:
    reader.only(
        "event",
        "about",
        "certain",
        "account",
        "programs",
        "lines",
        "where",
        "hits",
        "weight",
        "envelope",
        *("frames", "example"),
    )
    hits = reader.count("hits", 1)
    if hits > HITS_MAX:
        reader.problem("hits", f"at most {HITS_MAX} was expected")
    weight = _choice(reader, "weight", WEIGHTS, "attempt")
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
        hits={"pending": PENDING, "step": STEP}.get(weight, hits),
        weight=weight,
        envelopes=envelopes,
        examples=tuple(_example(inner) for inner in reader.each("example")),
        wheres=tuple(wheres.values()),
        frames=_frames(reader, card_frames),
        about=reader.text("about", ""),
        certain=reader.table.get("certain", False) is True,
        account=reader.text("account", ""),
        programs=reader.texts("programs"),
    )


def _exception(reader: CardReader, card_envelopes: tuple[Envelope, ...], card_frames: tuple[str, ...]) -> Pattern:
    reader.only("lines", "envelope", "frames")
    envelopes = _envelopes(reader, card_envelopes)
    if RECORDS.intersection(envelopes):
        reader.problem("lines", 'a record is compared as a text too: say envelope = "plain"')
    return _silent_pattern(reader, "lines", envelopes, _frames(reader, card_frames))


def _advice(reader: CardReader, card_envelopes: tuple[Envelope, ...], card_frames: tuple[str, ...]) -> Advice:
    reader.only("when", "unless", "from", "envelope", "frames", "says", "set", "shown_by", "settled_by")
    envelopes, frames = _envelopes(reader, card_envelopes), _frames(reader, card_frames)
    return Advice(
        when=_silent_pattern(reader, "when", envelopes, frames),
        unless=_silent_pattern(reader, "unless", envelopes, frames) if "unless" in reader.table else None,
        nearby=_choice(reader, "from", ("anywhere", "private"), "anywhere") == "private",
        says=reader.text("says"),
        set=reader.text("set"),
        shown_by=reader.texts("shown_by"),
        settled_by=reader.texts("settled_by"),
    )


def _silent_pattern(reader: CardReader, key: str, envelopes: tuple[Envelope, ...], frames: tuple[str, ...]) -> Pattern:
    """The lines at `key`, or the fields of a table there: they give no event of their own."""
    wheres = _wheres(reader, key) if isinstance(reader.table.get(key), dict) else {}
    if bool(wheres) != bool(RECORDS.intersection(envelopes)) or (wheres and not RECORDS.issuperset(envelopes)):
        reader.problem(key, f"fields are for the envelopes {', '.join(sorted(RECORDS))}, and lines for the others")
    lines = {} if wheres else _lines(reader, key)
    texts = tuple(lines.values()) or tuple(map(where_text, wheres.values()))
    places, fields = tuple(lines or wheres), tuple(wheres.values())
    return Pattern(key, texts, places, 0, "attempt", envelopes, (), fields, frames)


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


def _wheres(reader: CardReader, key: str = "where") -> dict[int, Where]:
    """The `where` of a record pattern, once for each line of the field that has several, by their line numbers."""
    fields = reader.inner(key)
    several = [key for key, value in fields.table.items() if isinstance(value, str) and "\n" in value.strip()]
    if len(several) > 1:
        fields.problem(several[1], f"only one field may have several lines, and {several[0]} has")
    fixed = {key: fields.text(key) for key in fields.table if key not in several[:1]}
    if not fields.table:
        reader.problem(key, "fields and their patterns were expected")
    if not several:
        return {reader.document.line_of(f"{reader.at}.{key}"): tuple(fixed.items())}
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
