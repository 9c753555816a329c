"""Questions to the name service and their answers, between the engine and the herald: closed, bounded, strictly read.

Whoever speaks through the herald can say nothing else than these answers to questions that were asked.
"""

from dataclasses import dataclass
from typing import Any, Literal, cast

from durward.catalog.host_names import InvalidNameError, parse_host_name
from durward.model import InvalidAddressError, parse_address

Kind = Literal["address", "name"]
Outcome = Literal["confirmed", "denied", "nameless", "found", "failed"]

KINDS: tuple[Kind, ...] = ("address", "name")
# Of an address: its name is confirmed; it has one that does not lead back; it has none; nobody answered.
# Of a name: it was found; there is no such name; nobody answered.
OUTCOMES: dict[Kind, tuple[Outcome, ...]] = {
    "address": ("confirmed", "denied", "nameless", "failed"),
    "name": ("found", "nameless", "failed"),
}
ADDRESSES_MAX = 32  # of one name; the rest is not told
TOGETHER_MAX = 32  # questions, or answers, of one message
NUMBER_MAX = 1 << 53


class NamingError(ValueError):
    """What was said is no question, or no answer to one."""


@dataclass(frozen=True, slots=True)
class Question:
    """The name of an address, or the addresses of a name. `value` is canonical text."""

    id: int
    kind: Kind
    value: str

    def entry(self) -> dict[str, Any]:
        """The question as JSON carries it."""
        return {"id": self.id, "kind": self.kind, "value": self.value}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a question. A `denied` name is what the address claims to be called."""

    id: int
    outcome: Outcome
    name: str = ""
    addresses: tuple[str, ...] = ()

    def entry(self) -> dict[str, Any]:
        """The answer as JSON carries it."""
        return {"id": self.id, "outcome": self.outcome, "name": self.name, "addresses": list(self.addresses)}


def read_question(entry: Any) -> Question:
    """Read a question. Raises NamingError."""
    found = _object(entry, {"id", "kind", "value"})
    kind, value = found["kind"], found["value"]
    if kind not in KINDS or not isinstance(value, str):
        raise NamingError("a question is about an address or a name")
    read = _address(value) if kind == "address" else _name(value)
    return Question(_number(found["id"]), cast("Kind", kind), read)


def answered(entry: Any) -> int:
    """Which question an answer is to. Raises NamingError."""
    return _number(_object(entry, {"id", "outcome", "name", "addresses"})["id"])


def read_answer(entry: Any, kind: Kind) -> Answer:
    """Read an answer to a question of this kind. Raises NamingError."""
    found = _object(entry, {"id", "outcome", "name", "addresses"})
    outcome, name, addresses = found["outcome"], found["name"], found["addresses"]
    if outcome not in OUTCOMES[kind]:
        raise NamingError(f"no outcome of a question about an {kind}")
    if not isinstance(name, str) or not isinstance(addresses, list) or len(addresses) > ADDRESSES_MAX:
        raise NamingError("a name and a list of addresses were expected")
    if bool(name) != (outcome in ("confirmed", "denied")) or bool(addresses) != (outcome == "found"):
        raise NamingError(f"what belongs to {outcome!r} and nothing else was expected")
    read = tuple(dict.fromkeys(map(_address, addresses)))
    return Answer(_number(found["id"]), cast("Outcome", outcome), _name(name) if name else "", read)


def _object(entry: Any, keys: set[str]) -> dict[str, Any]:
    if not isinstance(entry, dict) or set(entry) != keys:
        raise NamingError(f"an object with {', '.join(sorted(keys))} was expected")
    return entry


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= NUMBER_MAX:
        raise NamingError("a number was expected")
    return value


def _address(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 64:
        raise NamingError("an address was expected")
    try:
        return str(parse_address(value))
    except InvalidAddressError:
        raise NamingError("an address was expected") from None


def _name(value: str) -> str:
    try:
        return parse_host_name(value)
    except InvalidNameError as error:
        raise NamingError(str(error)) from None
