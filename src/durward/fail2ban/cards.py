"""Writes a filter of fail2ban as a service card: what of it could be carried over, tried before it is written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from durward.catalog.document import ProblemsError
from durward.catalog.service_card import Envelope, Example, Pattern, Reads, ServiceCard
from durward.config.toml_edits import toml_of
from durward.fail2ban.examples import ADDRESS, example_of
from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.filters import Filter
from durward.fail2ban.translation import Carried, translate
from durward.model import Event
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar

ORIGIN = "# Imported by `durward import fail2ban` from the filter "
LOGINS = re.compile(r"auth|login|logon|passw|credential|user|account", re.IGNORECASE)
IDENTIFIER_CHARACTERS_MAX = 60
NOON = 1_795_000_000.0  # any time will do to try an example


@dataclass(frozen=True, slots=True)
class Refusal:
    """An expression that could not be carried over, and why."""

    expression: str
    why: str


@dataclass(frozen=True, slots=True)
class Made:
    """A card that was made of a filter; `text` is empty where nothing could be carried over.

    `excepted` are the expressions of its `ignoreregex`, `unexcepted` those that could not be carried over.
    """

    id: str
    text: str
    carried: tuple[str, ...]
    refused: tuple[Refusal, ...]
    notes: tuple[str, ...]
    reads: Reads
    excepted: tuple[str, ...] = ()
    unexcepted: tuple[Refusal, ...] = ()


def card_of(source: Filter, expressions: Sequence[str], identifier: str, reads: Reads) -> Made:
    """Make a card of these expressions of a filter; `reads` says where its lines are.

    Nothing is carried over of a filter with an exception that cannot be: it would blame whom the filter spares.
    """
    exceptions, unexcepted = _exceptions(source)
    carried: dict[Carried, None] = {}
    whole: list[str] = []
    refused: list[Refusal] = []
    notes: dict[str, None] = {}
    for expression in expressions:
        try:
            _refuse_filter(source, unexcepted)
            translation = translate(expression, prefix=source.prefix, daemon=source.daemon)
            for one in translation.carried:
                _try(one, identifier, exceptions)
        except Fail2banError as error:
            refused.append(Refusal(expression, str(error)))
            continue
        carried |= dict.fromkeys(translation.carried)
        notes |= dict.fromkeys(translation.notes)
        whole.append(expression)
    text = _text(source, reads, list(carried), exceptions) if carried else ""
    excepted = tuple(one for one in source.ignored if one not in {refusal.expression for refusal in unexcepted})
    return Made(identifier, text, tuple(whole), tuple(refused), tuple(notes), reads, excepted, unexcepted)


def sparing_card(source: Filter, service: str, identifier: str) -> Made:
    """Make a card of the exceptions that this host makes to a filter whose service has a card already."""
    source = replace(source, ignored=source.site_ignored)
    exceptions, refused = _exceptions(source)
    excepted = tuple(one for one in source.ignored if one not in {refusal.expression for refusal in refused})
    text = ""
    if exceptions:
        head = [*_head(source), "", f"exceptions_of = {toml_of([service])}", *_excepting(exceptions)]
        text = "\n".join(head) + "\n"
    return Made(identifier, text, (), (), (), Reads(), excepted, refused)


def identifier_of(name: str) -> str:
    """The id of a card for the filter `name`."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:IDENTIFIER_CHARACTERS_MAX]
    return plain if plain[:1].isalpha() else f"filter_{plain}"


def _exceptions(source: Filter) -> tuple[list[Carried], tuple[Refusal, ...]]:
    """What the `ignoreregex` of a filter becomes, and of those expressions that cannot be carried over, why."""
    carried: dict[Carried, None] = {}
    refused: list[Refusal] = []
    for expression in source.ignored:
        try:
            carried |= dict.fromkeys(translate(expression, daemon=source.daemon, blames=False).carried)
        except Fail2banError as error:
            refused.append(Refusal(expression, str(error)))
    return list(carried), tuple(refused)


def _refuse_filter(source: Filter, unexcepted: Sequence[Refusal]) -> None:
    """What makes every expression of a filter impossible to carry over. Raises Fail2banError."""
    if unexcepted:
        raise Fail2banError(f"its ignoreregex could not be carried over: {unexcepted[0].why}")
    if source.lines not in ("", "1"):
        raise Fail2banError(f"the filter reads {source.lines} lines at a time, and a card one")


def _try(one: Carried, identifier: str, exceptions: Sequence[Carried]) -> None:
    """Whether the pattern finds the address in its own example. Raises Fail2banError."""
    for envelope in one.envelopes:
        line = _example(one, envelope)
        pattern = Pattern("access.denied", (one.line,), (1,), 1, "attempt", one.envelopes, (Example("", line),))
        reads = Reads(programs=one.programs)
        card = ServiceCard(identifier, Path(identifier), "", "", "", (), reads, (pattern,), ())
        excepting = replace(card, exceptions=tuple(map(_exception, exceptions)))
        try:
            found = _events(card, line)
            left = _events(excepting, line)
        except ProblemsError as error:
            raise Fail2banError(f"as a pattern it {error.problems[0].message}") from None
        if [event.source_ip for event in found] != [ADDRESS]:
            raise Fail2banError("the address could stand in more than one place of a line: nobody would be blamed")
        if not left:
            raise Fail2banError("its ignoreregex takes the same lines")


def _events(card: ServiceCard, line: str) -> list[Event]:
    return Scanner([card]).events(
        line.encode(), source="file:example", position=0, observed_at=NOON, calendar=Calendar(NOON)
    )


def _exception(one: Carried) -> Pattern:
    return Pattern("exception", (one.line,), (1,), 0, "attempt", one.envelopes, ())


def _example(one: Carried, envelope: Envelope) -> str:
    return example_of(one.line, envelope, one.programs[0] if one.programs else "daemon")


def _text(source: Filter, reads: Reads, carried: list[Carried], exceptions: list[Carried]) -> str:
    of_syslog = [one for one in carried if "syslog" in one.envelopes]
    named = all(one.programs for one in of_syslog)
    programs = sorted({name for one in of_syslog for name in one.programs}) if named else []
    reads = replace(reads, programs=tuple(programs))
    lines = [
        *_head(source),
        "",
        "[reads]",
        *(f"{key} = {toml_of(value)}" for key in ("journal", "files", "programs") if (value := getattr(reads, key))),
    ]
    for envelopes in dict.fromkeys(one.envelopes for one in carried):
        lines += _pattern(source, [one for one in carried if one.envelopes == envelopes])
    return "\n".join([*lines, *_excepting(exceptions)]) + "\n"


def _head(source: Filter) -> list[str]:
    return [
        f"{ORIGIN}{_plain(source.name)} ({_plain(source.place)}).",
        f"title = {toml_of(f'fail2ban filter {source.name}')}",
        f"name  = {toml_of(source.name)}",
    ]


def _excepting(exceptions: list[Carried]) -> list[str]:
    """The [[exception]]s: lines that come in the same envelopes together."""
    lines: list[str] = []
    for envelopes in dict.fromkeys(one.envelopes for one in exceptions):
        these = [one.line for one in exceptions if one.envelopes == envelopes]
        lines += ["", "[[exception]]", f"envelope = {toml_of(envelopes)}", "lines    = '''", *these, "'''"]
    return lines


def _pattern(source: Filter, carried: list[Carried]) -> list[str]:
    """One [[pattern]]: lines that come in the same envelopes."""
    about_logins = LOGINS.search(source.name + "".join(one.line for one in carried))
    lines = [
        "",
        "[[pattern]]",
        f"event    = {toml_of('auth.failure' if about_logins else 'access.denied')}",
        f"envelope = {toml_of(carried[0].envelopes)}",
        "lines    = '''",
        *(one.line for one in carried),
        "'''",
    ]
    for one in carried:
        example = toml_of(_example(one, one.envelopes[0]))
        lines += ["[[pattern.example]]", f"line  = {example}", f'gives = {{ source_ip = "{ADDRESS}" }}']
    return lines


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
