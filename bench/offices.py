"""A week of mail in offices, each behind one address: who is lost, and how soon is a guesser among them stopped?

    PYTHONPATH=. .venv/bin/python -m bench.offices [--offices 40] [--seed 11] [--write DIRECTORY]

The trace is made here and is the same for the same arguments; `--write` keeps it as the mail log that it is. People
read mail with a phone and a desk, mistype, change passwords and forget the phone, and come new. In a quarter of the
offices a program begins to guess accounts on the fifth day. Outside, others guess as well. The log is read by the real
scanner and decided about by the real engine, as an empty durward.toml sets it.
"""

import argparse
import random
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bench.measure import table, verdict

from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of, load_detectors
from durward.config.settings import detector_settings
from durward.engine.assembly import Known, assemble, detector_policy
from durward.engine.policy import Policy
from durward.engine.replay import replay
from durward.model import Decision
from durward.scan.scanner import Scanner
from durward.scan.sessions import Sessions
from durward.scan.timestamps import Calendar

BEGIN = 1_795_420_800  # Monday, 23 November 2026, 08:00 UTC
MINUTE, HOUR, DAY = 60, 3600, 86_400
DAYS = 7
GUESS_DAY, GUESS_EVERY, GUESSES = 4, 5, 60
STALE_HOURS, STALE_EVERY = 6, 5 * MINUTE
OUTSIDERS, OUTSIDE_TRIES = 200, 12
GUESSED = ("admin", "info", "test", "office", "root", "sales", "backup", "scanner")
TRIES_MAX = 5


class Line(NamedTuple):
    """One line of the mail log."""

    at: int
    text: str


@dataclass(slots=True)
class Office:
    """One address and its people; `guessed` is when a program in it began to guess, 0 for never."""

    address: str
    people: list[str]
    guessed: int = 0
    guesses: list[int] = field(default_factory=list)


def main() -> None:
    """Make the trace, decide about it, and judge."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--offices", type=int, default=40)
    options.add_argument("--seed", type=int, default=11)
    options.add_argument("--write", type=Path, metavar="DIRECTORY")
    given = options.parse_args()
    offices, lines = week(given.offices, given.seed)
    if given.write:
        given.write.mkdir(parents=True, exist_ok=True)
        (given.write / "mail.log").write_text("".join(f"{line.text}\n" for line in lines))
    decisions = decided(lines)
    sys.stdout.write(report(offices, lines, decisions) + "\n")


def week(count: int, seed: int) -> tuple[list[Office], list[Line]]:
    """So many offices, and the mail log of their week, in order."""
    chance = random.Random(seed)
    offices = [_office(number, chance) for number in range(count)]
    lines = [line for office in offices for line in _office_week(office, chance)]
    lines += [line for number in range(OUTSIDERS) for line in _outsider(number, chance)]
    return offices, sorted(lines)


def decided(lines: Iterable[Line]) -> list[Decision]:
    """What the engine decides about these lines, as an empty durward.toml sets it."""
    services = load_services(directories_of("services"))
    block = "".join(f"{line.text}\n" for line in lines).encode()
    end = float(BEGIN + DAYS * DAY)
    events = Scanner([one for one in services if one.id == "dovecot"]).events(
        block, source="file:mail.log", position=0, observed_at=end, calendar=Calendar(end)
    )
    settled = [event._replace(observed_at=event.at) for event in Sessions().settle(events)]
    known = {service.id: Known(service.name, service.ports) for service in services}
    cards = load_detectors(directories_of("detectors"))
    policies = {card.id: detector_policy(card, detector_settings(card, {}, services), known) for card in cards}
    return list(replay(assemble(Policy(policies, familiar_share_max=0.3), cards), settled))


def lost(offices: Iterable[Office], decisions: Iterable[Decision]) -> list[str]:
    """The offices that lost everything at some time, or anything while nobody in them guessed."""
    by_address = {office.address: office for office in offices}
    found = []
    for one in decisions:
        office = by_address.get(one.subject.value)
        if office is None or one.verdict != "block":
            continue
        if not one.scope.ports or not office.guessed or one.made_at < office.guessed:
            found.append(f"{office.address}: {one.reason}")
    return found


def tries_before(tries: Iterable[int], decisions: Iterable[Decision], address: str) -> int | None:
    """How many of these tries were made until the first block of `address`; None where there was none."""
    blocked_at = min((one.made_at for one in decisions if one.subject.value == address), default=None)
    return None if blocked_at is None else sum(1 for at in tries if at <= blocked_at)


def report(offices: list[Office], lines: list[Line], decisions: list[Decision]) -> str:
    """The table."""
    guessed = [office for office in offices if office.guessed]
    inside = [tries_before(office.guesses, decisions, office.address) for office in guessed]
    outside = {_outside(number) for number in range(OUTSIDERS)}
    stopped = {one.subject.value for one in decisions if one.verdict == "block"} & outside
    gone = lost(offices, decisions)
    most = max((one if one is not None else GUESSES for one in inside), default=0)
    rows = [
        ("", "found", "aim", ""),
        ("lines", str(len(lines)), "", ""),
        ("offices", str(len(offices)), "", ""),
        ("offices lost", str(len(gone)), "0", verdict(len(gone), 0)),
        ("guessers inside", str(len(guessed)), "", ""),
        ("tries until the last of them was stopped", str(most), str(TRIES_MAX), verdict(most, TRIES_MAX)),
        ("outsiders stopped", f"{len(stopped)} of {len(outside)}", "all", verdict(len(outside - stopped), 0)),
    ]
    return table("A week of mail in offices", rows)


def _office(number: int, chance: random.Random) -> Office:
    people = [f"p{person}@office{number}.example" for person in range(chance.randint(5, 60))]
    office = Office(f"198.51.100.{number + 1}", people)
    if number % 4 == 0:
        office.guessed = BEGIN + GUESS_DAY * DAY + chance.randint(0, 8 * HOUR)
        office.guesses = [office.guessed + GUESS_EVERY * turn for turn in range(GUESSES)]
    return office


def _office_week(office: Office, chance: random.Random) -> Iterator[Line]:
    for person in office.people:
        begins = 0 if chance.random() < 0.9 else chance.randint(1, DAYS - 1)  # some come new
        changes = chance.randint(1, DAYS - 1) if chance.random() < 0.15 else None
        for day in range(begins, DAYS):
            start = BEGIN + day * DAY + chance.randint(0, HOUR)
            yield from _person_day(office.address, person, start, chance, is_new=day == begins > 0)
            if day == changes:
                yield from _stale_phone(office.address, person, start)
    for turn, at in enumerate(office.guesses):
        yield failed(at, office.address, GUESSED[turn % len(GUESSED)])


def _person_day(address: str, person: str, start: int, chance: random.Random, *, is_new: bool) -> Iterator[Line]:
    """The first login of the day, with a slip now and then; then the desk and the phone, all day."""
    slips = chance.choice((0, 1, 2)) if is_new else int(chance.random() < 0.03)
    for turn in range(slips):
        yield failed(start - 40 + 15 * turn, address, person)
    for device in range(2):
        for at in range(start + 7 * device, start + 9 * HOUR, chance.randint(10, 40) * MINUTE):
            yield Line(at, _login(at, address, person))


def _stale_phone(address: str, person: str, start: int) -> Iterator[Line]:
    """He changed his password in the morning; his phone tries the old one until he looks at it."""
    for at in range(start + HOUR, start + HOUR + STALE_HOURS * HOUR, STALE_EVERY):
        yield failed(at, address, person)


def _outsider(number: int, chance: random.Random) -> Iterator[Line]:
    start = BEGIN + chance.randint(0, DAYS * DAY - HOUR)
    for turn in range(OUTSIDE_TRIES):
        yield failed(start + 20 * turn, _outside(number), chance.choice(GUESSED))


def _outside(number: int) -> str:
    return f"203.0.113.{number + 1}"


def _login(at: int, address: str, account: str) -> str:
    rest = f"rip={address}, lip=192.0.2.1, mpid=4242, TLS, session=<{at:x}{account[:4]}>"
    return f"{_start(at)}: imap-login: Login: user=<{account}>, method=PLAIN, {rest}"


def failed(at: int, address: str, account: str) -> Line:
    """A failed login, in Dovecot's words."""
    rest = f"rip={address}, lip=192.0.2.1, TLS, session=<{at:x}f{account[:4]}>"
    words = "imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs)"
    return Line(at, f"{_start(at)}: {words}: user=<{account}>, method=PLAIN, {rest}")


def _start(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%b %d %H:%M:%S} mail dovecot"


if __name__ == "__main__":
    main()
