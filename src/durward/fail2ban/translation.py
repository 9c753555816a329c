"""From fail2ban's expressions to our patterns. Pure: what a pattern takes, the expression takes too, or it is refused.

fail2ban cuts the time out of a line and searches the rest; we match whole messages. So where an expression is not
anchored, `{text}` stands at its ends. Account holes alone may take a little more than the expression: an empty name, or
one that holds the character that ends it. The address is the same then, or nobody's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from durward.catalog.service_card import Envelope
from durward.fail2ban.ends import START_DELIMITERS, framed
from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.parts import ACCOUNTS, ADDRESS, ANYTHING, is_special, is_uncertain
from durward.fail2ban.regular import Branches, Mark, Part, Parts, Several, Tagged, read_expression
from durward.fail2ban.spelling import MISPLACED, all_written, eased, named, outer_blanks
from durward.scan.grammar import PatternError, Text, parse
from durward.scan.holes import fields_of, lint, optional_fields
from durward.scan.literals import choices_of, literals_of

LINES_MAX = 16  # that one expression may become; one of more is refused
PROGRAMS_MAX = 16  # that a _daemon may stand for


@dataclass(frozen=True, slots=True)
class Carried:
    """A pattern line, in which envelopes its message comes, and of which programs (none: of any)."""

    line: str
    envelopes: tuple[Envelope, ...]
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Translation:
    """What an expression became, and what to know about it."""

    carried: tuple[Carried, ...]
    notes: tuple[str, ...] = ()


def translate(expression: str, *, prefix: str = "", daemon: str = "", blames: bool = True) -> Translation:
    """Translate one expression of a filter, with its `prefregex` and `_daemon`. Raises Fail2banError and says why.

    One that `blames` has to find an address in every line that it takes.
    """
    read = read_expression(expression)
    before = read_expression(prefix) if prefix else None
    notes = [*read.notes, *(before.notes if before else [])]
    carried: dict[Carried, None] = {}
    for parts in read.alternatives:
        for whole in _whole(parts, before.alternatives if before else ()):
            for sequence in _spread(whole):
                for one in _anywhere(sequence):
                    carried |= dict.fromkeys(_carried(one, daemon, blames=blames))
                if len(carried) > LINES_MAX:
                    raise Fail2banError(f"becomes more than {LINES_MAX} patterns")
    return Translation(tuple(carried), tuple(dict.fromkeys(notes)))


def _whole(parts: Parts, prefixes: tuple[Parts, ...]) -> Iterator[Parts]:
    """The expression in the place that its prefix has for it."""
    if not prefixes:
        yield parts
        return
    inside = _content(parts)
    for prefix in prefixes:
        places = [place for place, part in enumerate(prefix) if isinstance(part, Tagged) and part.name == "F-CONTENT"]
        if len(places) != 1:
            raise Fail2banError("its prefregex has no single <F-CONTENT>")
        yield (*prefix[: places[0]], *inside, *prefix[places[0] + 1 :])


def _content(parts: Parts) -> Parts:
    """The expression as it stands in a longer one: without its anchors, or with anything in their place."""
    anchored, ends = parts[:1] == (Mark("start"),), parts[-1:] == (Mark("end"),)
    inside = parts[anchored : len(parts) - ends]
    return (*(() if anchored else (ANYTHING,)), *inside, *(() if ends else (ANYTHING,)))


def _spread(parts: Parts) -> Iterator[Parts]:
    """The same without groups around addresses, accounts and marks: once for each way through them."""
    ways = [
        list(_ways(part, apart=is_uncertain(part) and _holds_address(parts[place + 1 :])))
        for place, part in enumerate(parts)
    ]
    count = 1
    for way in ways:
        count *= len(way)
        if count > LINES_MAX:
            raise Fail2banError(f"becomes more than {LINES_MAX} patterns")
    for choice in product(*ways):
        yield tuple(part for chosen in choice for part in chosen)


def _ways(part: Part, *, apart: bool = False) -> Iterator[Parts]:
    """The ways through a part that have to be lines of their own; with `apart` all of them."""
    match part:
        case Tagged(name, alternatives) if name not in ACCOUNTS:
            yield from _ways(Branches(alternatives), apart=apart)
        case Branches((alone,)):
            yield from _spread(alone)
        case Branches(alternatives) if apart or any(is_special(one) for inner in alternatives for one in inner):
            for alternative in alternatives:
                yield from _spread(alternative)
        case Several(inner, 0, 1) if apart or is_special(part):
            yield ()
            yield from _ways(inner, apart=apart)
        case _:
            yield (part,)


def _holds_address(parts: Parts) -> bool:
    return any(part == ADDRESS or (is_special(part) and not isinstance(part, Mark)) for part in parts)


def _anywhere(parts: Parts) -> Iterator[Parts]:
    """The same; twice where it begins with an address that may stand anywhere: at the start, or behind a delimiter."""
    if parts[:1] != (ADDRESS,):
        yield parts
        return
    yield (Mark("start"), *parts)
    for delimiter in START_DELIMITERS:
        yield (Mark("start"), ANYTHING, Text(bytes([delimiter])), *parts)


def _carried(parts: Parts, daemon: str, *, blames: bool) -> Iterator[Carried]:
    envelopes, parts, is_syslog = framed(parts)
    if any(isinstance(part, Mark) for part in parts):
        raise Fail2banError(MISPLACED)
    line = outer_blanks(all_written(eased(named(parts))[0]))
    _verify(line, blames=blames)
    yield Carried(line, envelopes, _programs(daemon) if is_syslog else ())


def _verify(line: str, *, blames: bool) -> None:
    """Whether our language takes the line as it is. Raises Fail2banError."""
    if "'''" in line or not line.replace("\t", " ").isprintable():
        raise Fail2banError("asks for a character that no card can hold")
    try:
        sequence = parse(line)
        lint(sequence)
        if blames and ("source_ip" not in fields_of(sequence) or "source_ip" in optional_fields(sequence)):
            raise Fail2banError("does not always find an address")
        literals_of(sequence)
    except PatternError as error:
        raise Fail2banError(f"as a pattern it {error}") from None


def _programs(daemon: str) -> tuple[str, ...]:
    """The names that a `_daemon` stands for; none where it stands for any."""
    if daemon in ("", r"\S*", r"\S+", ".*"):
        return ()
    found: list[str] = []
    for alternative in read_expression(daemon).alternatives:
        for way in _spread(alternative):
            try:
                choices = choices_of(parse(all_written(way)))
            except PatternError:
                choices = None
            if choices is None:
                raise Fail2banError("its _daemon stands for more names than can be listed")
            found += [choice.decode() for choice in choices]
    if len(found) > PROGRAMS_MAX:
        raise Fail2banError(f"its _daemon stands for more than {PROGRAMS_MAX} names")
    return tuple(sorted({*found}))
