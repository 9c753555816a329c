"""What a day is made of: lines of logs, and parties, of each of which it is known what they are."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple

MIDNIGHT = 1_795_392_000  # Monday, 23 November 2026, 00:00 UTC
MINUTE, HOUR, DAY = 60, 3600, 86_400
AUTH, MAIL, EXIM, SYSLOG, KERNEL = "auth.log", "mail.log", "mainlog", "syslog", "kern.log"
NGINX, NGINX_ERRORS, APACHE, APACHE_ERRORS = "access.log", "error.log", "other_access.log", "apache_error.log"
ACCOUNTS = (
    "admin",
    "test",
    "oracle",
    "postgres",
    "ubuntu",
    "git",
    "deploy",
    "ftpuser",
    "jenkins",
    "hadoop",
    "nagios",
    "pi",
    "user",
    "guest",
    "backup",
    "www",
    "mysql",
    "tomcat",
    "support",
    "minecraft",
    "ansible",
    "elastic",
    "dev",
    "zabbix",
    "steam",
    "info",
    "office",
    "sales",
    "contact",
    "mail",
    "webmaster",
    "accounting",
    "scanner",
    "hr",
)


class Line(NamedTuple):
    """A line of a log. `by` is the address whose attempt it tells of, or nothing."""

    at: float
    log: str
    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """Some who did the same. `found_by` are the detectors of which one must block each address, within so many tries.

    Without detectors nobody of it may ever be blocked; `unseen` says why attackers are let go all the same, and `price`
    why so many people at most as `lost_max` may be blocked by mistake. `told` is the account that has to be told of, by
    one of the detectors, without a block.
    """

    name: str
    addresses: tuple[str, ...]
    lines: tuple[Line, ...]
    found_by: tuple[str, ...] = ()
    tries: int = 0
    unseen: str = ""
    told: str = ""
    lost_max: int = 0
    price: str = ""

    @property
    def is_to_be_blocked(self) -> bool:
        """Whether each of its addresses must be."""
        return bool(self.found_by) and not self.told


class Street:
    """Gives addresses that nobody else has: people are neighbours, and each attacker has a network of his own."""

    def __init__(self) -> None:
        self._people, self._strangers = count(1), count(1)

    def people(self, number: int) -> tuple[str, ...]:
        """Addresses of people, every fifth of IPv6."""
        return tuple(_address("198.51.100.{}", "2001:db8:1:{:x}::7", 5, next(self._people)) for _ in range(number))

    def strangers(self, number: int) -> tuple[str, ...]:
        """Addresses of attackers, every fourth of IPv6."""
        return tuple(_stranger(next(self._strangers)) for _ in range(number))


def _address(four: str, six: str, every: int, number: int) -> str:
    return six.format(number) if number % every == 0 else four.format(number)


def _stranger(number: int) -> str:
    if number % 4 == 0:
        return f"2001:db8:{number:x}::9"
    return f"198.{18 + number // 250 % 2}.{number % 250 + 1}.{number // 500 + 1}"


def party(name: str, addresses: Iterable[str], lines: Iterable[Line], *found_by: str, tries: int = 0) -> Party:
    """A party that is to be blocked by one of these detectors, or by none."""
    return Party(name, tuple(addresses), tuple(lines), found_by, tries)


def at_some_time(chance: random.Random, *, until: float = 22 * HOUR) -> float:
    """A moment of the day, in whole milliseconds."""
    return MIDNIGHT + chance.randrange(int(until * 1000)) / 1000


def working_hours(chance: random.Random, every: int, *, begin: int = 7, end: int = 19) -> Iterator[float]:
    """Moments of a working day, `every` seconds on average."""
    at = MIDNIGHT + begin * HOUR + chance.randint(0, every)
    while at < MIDNIGHT + end * HOUR:
        yield at
        at += chance.randint(every // 2, every * 3 // 2)


def stamp(at: float) -> str:
    """As syslog writes it."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%b} {moment.day:2} {moment:%H:%M:%S}"


def syslog(at: float, log: str, program: str, message: str, by: str = "") -> Line:
    """A line of syslog, of a program with or without its number."""
    return Line(at, log, f"{stamp(at)} web1 {program}: {message}", by)
