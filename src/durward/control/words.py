"""The words that the engine may say to the enforcer: a closed table, strictly decoded; anything else ends the talk.

Each message is one JSON object of at most MESSAGE_BYTES_MAX bytes in one packet of a SOCK_SEQPACKET Unix socket.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from durward.model import InvalidAddressError, Scope, Subject

MESSAGE_BYTES_MAX = 4096
ITEMS_MAX = 100  # entries in one message; a longer list is said in parts
TEXT_CHARACTERS_MAX = 1024  # of a path or pattern
PORT_RANGES_MAX = 250
SECONDS_MAX = 86_400  # of a trial
NAME = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)  # of a set of ours


class UnknownWordError(ValueError):
    """A message that is no word of the table, or not spelt as the table says."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be blocked or allowed, until when (epoch seconds; None: for ever), and by which decision."""

    subject: Subject
    scope: Scope
    until: float | None = None
    decision: int = 0
    automatic: bool = False

    def spell(self) -> list[Any]:
        """The entry as the JSON list that `read_entry` reads."""
        return [self.subject.value, str(self.scope), self.until, self.decision, self.automatic]


@dataclass(frozen=True, slots=True)
class Word:
    """One message from the engine, read and checked."""

    name: str
    fields: dict[str, Any]


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > TEXT_CHARACTERS_MAX or "\0" in value:
        raise UnknownWordError("a short text was expected")
    return value


def _path(value: Any) -> str:
    if not _text(value).startswith("/"):
        raise UnknownWordError("an absolute path was expected")
    return str(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnknownWordError("true or false was expected")
    return value


def _listing(value: Any) -> str:
    if value not in ("block", "throttle", "allow"):
        raise UnknownWordError("block, throttle or allow was expected")
    return str(value)


def read_entry(value: Any) -> Entry:
    """Read one entry. Raises UnknownWordError."""
    if not isinstance(value, list) or len(value) != 5:
        raise UnknownWordError("an entry has five parts")
    subject, scope, until, decision, automatic = value
    if until is not None and (isinstance(until, bool) or not isinstance(until, int | float) or not 0 < until < 1e11):
        raise UnknownWordError("an entry ends at a time, or never")
    if isinstance(decision, bool) or not isinstance(decision, int) or not 0 <= decision < 1 << 53:
        raise UnknownWordError("an entry names its decision by a number")
    try:
        parsed = Subject.parse(_text(subject))
        return Entry(parsed, Scope.parse(_text(scope)), until, decision, _flag(automatic))
    except (InvalidAddressError, ValueError) as error:
        raise UnknownWordError(str(error)) from None


def _entries(value: Any) -> list[Entry]:
    if not isinstance(value, list) or len(value) > ITEMS_MAX:
        raise UnknownWordError(f"a list of at most {ITEMS_MAX} entries was expected")
    return [read_entry(item) for item in value]


def _subject(value: Any) -> str:
    """An address or a network as we write it, or nothing."""
    try:
        if value != "" and Subject.parse(_text(value)).value != value:
            raise UnknownWordError("an address was expected as we write it")
    except InvalidAddressError as error:
        raise UnknownWordError(str(error)) from None
    return str(value)


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > ITEMS_MAX or not all(NAME.fullmatch(_text(name)) for name in value):
        raise UnknownWordError(f"at most {ITEMS_MAX} names of sets were expected")
    return value


def _port_ranges(value: Any) -> list[list[int]]:
    if not isinstance(value, list) or len(value) > PORT_RANGES_MAX:
        raise UnknownWordError(f"a list of at most {PORT_RANGES_MAX} port ranges was expected")
    for ports in value:
        if not isinstance(ports, list) or len(ports) != 2 or not all(type(port) is int for port in ports):
            raise UnknownWordError("a first and a last port were expected")
    return value


def _seconds(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= SECONDS_MAX:
        raise UnknownWordError(f"1 to {SECONDS_MAX} seconds were expected")
    return value


Reader = Callable[[Any], Any]
Table = Mapping[str, Mapping[str, Reader]]

TABLE: Table = {
    "open watch": {},
    "open journal": {},
    "open list": {"pattern": _path, "after": _text},
    "open file": {"path": _path},
    "open siblings": {"path": _path},
    "open knocks": {},
    "open probes": {},
    "open connections": {},
    "ssh ports": {},
    "block": {"entries": _entries},
    "throttle": {"entries": _entries},
    "allow": {"entries": _entries},
    "unblock": {"listing": _listing, "entries": _entries},
    "replace": {"listing": _listing, "entries": _entries, "last": _flag},
    "state": {"listing": _listing, "entries": _entries},
    "look counters": {},
    "look connections": {},
    "look queues": {},
    "look scripts": {"path": _path},
    "look bans": {"after": _text, "ports": _flag},
    "look meters": {"subject": _subject, "names": _names},
    "look others": {"subject": _subject},
}


# What only root may say (SO_PEERCRED): the firewall is applied from root-owned settings and from what root sees.
ROOT_TABLE: Table = {
    "firewall apply": {"open_ports": _port_ranges, "seconds": _seconds, "force": _flag, "connection": _text},
    "firewall confirm": {"connection": _text},
    "firewall rollback": {},
    "firewall lists": {},
    "firewall none": {},
    "firewall off": {},
    "firewall on": {},
    "firewall state": {},
    "firewall ways": {"connection": _text},
}


def encode(word: str, *, table: Table = TABLE, **fields: Any) -> bytes:
    """Write one message. Raises UnknownWordError where it is not in the table, or longer than the table says."""
    if word not in table or fields.keys() != table[word].keys():
        raise UnknownWordError(f"{word!r} with {sorted(fields)} is not in the table")
    readers = table[word]
    spelt = {
        key: [item.spell() for item in value] if key == "entries" else readers[key](value)
        for key, value in fields.items()
    }
    message = json.dumps({"word": word, **spelt}, separators=(",", ":"), allow_nan=False).encode()
    if len(message) > MESSAGE_BYTES_MAX:
        raise UnknownWordError(f"{word} of {len(message)} bytes is longer than {MESSAGE_BYTES_MAX}")
    return message


def decode(message: bytes, table: Table = TABLE) -> Word:
    """Read one message. Raises UnknownWordError for everything that `encode` would not write."""
    if len(message) > MESSAGE_BYTES_MAX:
        raise UnknownWordError("longer than a message may be")
    try:
        said = json.loads(message.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise UnknownWordError("not a message") from None
    if not isinstance(said, dict) or not isinstance(said.get("word"), str):
        raise UnknownWordError("no word")
    name = said.pop("word")
    readers = table.get(name)
    if readers is None or said.keys() != readers.keys():
        raise UnknownWordError("not a word of the table, or not with its fields")
    word = Word(name, {key: readers[key](value) for key, value in said.items()})
    if encode(word.name, table=table, **word.fields) != message:
        raise UnknownWordError("not spelt as the engine spells it")
    return word


def parts(entries: list[Entry], room: int = MESSAGE_BYTES_MAX - 256) -> list[list[Entry]]:
    """Cut a list of entries into parts that fit one message each."""
    cut: list[list[Entry]] = []
    used = room + 1
    for entry in entries:
        size = len(json.dumps(entry.spell(), separators=(",", ":"))) + 1
        if used + size > room or len(cut[-1]) >= ITEMS_MAX:
            cut.append([])
            used = 0
        cut[-1].append(entry)
        used += size
    return cut


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("a key stands twice")
    return keys


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
