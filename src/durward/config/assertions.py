"""Reads policy.assert: lines that say who reaches which port, and must be true of every firewall that is applied."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from durward.catalog.document import Problem
from durward.model import Address, InvalidAddressError, Network, Port, parse_address, parse_network

Who = Literal["anyone", "this host"]
Protocol = Literal["tcp", "udp", "icmp"]

FILE_NAME = "policy.assert"
FILE_BYTES_MAX = 256 << 10  # a larger file is refused unread
ASSERTIONS_MAX = 500  # the rest is left out, and that is a problem
SHOWN_CHARACTERS_MAX = 80  # of a line that is none
LINE = re.compile(
    r"(?P<who>anyone|nobody|this\s+host|\S+)\s+(?P<verb>reaches|does\s+not\s+reach)\s+(?P<what>\S+)",
    re.ASCII | re.IGNORECASE,
)
ADDRESSED = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:\[\]]+)):(?P<port>[^:]+)", re.ASCII)
PING = "ping"
EXPECTED = (
    'a line like "anyone reaches 443", "nobody reaches 3306", "198.51.100.7 reaches 22/tcp", '
    '"198.51.100.0/24 does not reach 25" or "this host reaches 203.0.113.5:25" was expected'
)


@dataclass(frozen=True, slots=True)
class Assertion:
    """One line. `who` sends: any stranger, this host, or a network; `destination` is there for this host only.

    `port` is 0 for a ping.
    """

    who: Who | Network
    reaches: bool
    protocol: Protocol
    port: int
    destination: Address | None
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Assertions:
    """What the file says. A line with a problem gives no assertion; all others do."""

    entries: list[Assertion] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class InvalidAssertionError(ValueError):
    """A line that is no assertion; the message says what was expected."""


def read_assertions(path: Path) -> Assertions:
    """Read the file. One that is not there says nothing; one that cannot be read is a problem."""
    found = Assertions()
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
        text = raw.decode("utf-8-sig")
    except FileNotFoundError:
        return found
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "cannot be read") if isinstance(error, OSError) else "is not UTF-8"
        return Assertions(problems=[Problem(str(path), 1, "", reason)])
    if len(raw) > FILE_BYTES_MAX:
        return Assertions(problems=[Problem(str(path), 1, "", f"is larger than {FILE_BYTES_MAX} bytes")])
    for number, line in _lines(text):
        if len(found.entries) + len(found.problems) >= ASSERTIONS_MAX:
            message = f"more than {ASSERTIONS_MAX} lines; the rest is left out"
            found.problems.append(Problem(str(path), number, "", message))
            break
        try:
            found.entries.append(parse_assertion(line, str(path), number))
        except InvalidAssertionError as error:
            found.problems.append(Problem(str(path), number, "", str(error)))
    return found


def parse_assertion(text: str, file: str = "", line: int = 0) -> Assertion:
    """Read one line without its comment. Raises InvalidAssertionError."""
    words = LINE.fullmatch(text)
    if words is None:
        raise InvalidAssertionError(f"{text[:SHOWN_CHARACTERS_MAX]!r} is no assertion; {EXPECTED}")
    who, reaches = words["who"].lower(), words["verb"].lower() == "reaches"
    if who == "nobody":
        if not reaches:
            raise InvalidAssertionError(f"nobody does not reach it? {EXPECTED}")
        who, reaches = "anyone", False
    try:
        sender: Who | Network = parse_network(who)
    except InvalidAddressError as error:
        if who == "anyone":
            sender = "anyone"
        elif who.startswith("this"):
            sender = "this host"
        else:
            raise InvalidAssertionError(f"{error}; {EXPECTED}") from None
    destination, port = _addressed(words["what"]) if sender == "this host" else (None, words["what"])
    protocol, number = _port(port)
    return Assertion(sender, reaches, protocol, number, destination, file, line, text)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        said = line.partition("#")[0].strip()
        if said:
            yield number, said


def _addressed(text: str) -> tuple[Address, str]:
    """The address and the port of `203.0.113.5:25` or `[2001:db8::5]:25`."""
    found = ADDRESSED.fullmatch(text)
    if found is None:
        raise InvalidAssertionError(f"{text!r} is no address with a port; {EXPECTED}")
    try:
        return parse_address(found["six"] or found["four"]), found["port"]
    except InvalidAddressError as error:
        raise InvalidAssertionError(f"{error}; {EXPECTED}") from None


def _port(text: str) -> tuple[Protocol, int]:
    if text.lower() == PING:
        return "icmp", 0
    try:
        port = Port.parse(text.lower())
    except ValueError as error:
        raise InvalidAssertionError(f"{error}; or ping") from None
    return port.protocol, port.number
