"""Holes: the places of a pattern where something varies. Each is bounded and named after the event field it fills.

A pattern is written out as a regular expression in three forms. The *strict* form is for the many lines in which
nobody tries anything: no hole but an address hole can hold anything that looks like an address, so whatever address
such a line carries is the one that the service wrote. The *greedy* and the *lazy* form take every line: if they find
the address in different places, a stranger's text could be posing as one, and nobody is blamed.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from durward.scan.grammar import REPEAT_MAX, Group, Hole, Node, PatternError, Repeat, Sequence, Set, Text

Form = Literal["strict", "greedy", "lazy"]

WIDE = 16  # a repeat that can take more than this counts as one that could take anything
BYTES = [bytes([value]) for value in range(256)]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a hole takes. `field` is what it fills ("" for nothing); `least` to `most` bytes of `characters`.

    `characters` is the inside of a set, `[…]`; None is anything, which a stranger may have chosen.
    """

    field: str
    characters: str | None
    least: int
    most: int


HOLES = {
    "ip": Kind("source_ip", "0-9A-Fa-f:.", 2, 45),
    "ipv4": Kind("source_ip", "0-9.", 7, 15),  # where a port may follow a colon, which would be part of an IPv6 address
    "host": Kind("source_host", "0-9A-Za-z._-", 1, 255),
    "ip_or_host": Kind("source", "0-9A-Za-z:._-", 1, 255),
    "user": Kind("user_name", None, 0, REPEAT_MAX),
    "name": Kind("user_name", r"^\s", 0, REPEAT_MAX),
    "port": Kind("source_port", "0-9", 1, 5),
    "count": Kind("count", "0-9", 1, 5),
    "time": Kind("stamp", "0-9A-Za-z:./,+ -", 8, 40),
    "server": Kind("", "0-9A-Za-z:._-", 1, 255),  # a host by name or address, whoever's it is
    "session": Kind("session", "0-9A-Za-z:./,+_=-", 1, 64),
    "about": Kind("about", "0-9A-Za-z/.:@_+-", 1, 255),
    "quantity": Kind("quantity", "0-9", 1, 6),
    "list": Kind("quantity", '^"', 1, REPEAT_MAX),  # whose words are counted; what is quoted is not in it
    "word": Kind("", r"^\s", 1, REPEAT_MAX),
    "token": Kind("", r"^\s", 0, REPEAT_MAX),
    "text": Kind("", None, 0, REPEAT_MAX),
    "forwarded": Kind("forwarded", None, 0, REPEAT_MAX),  # of records: whom a proxy says that it asks for
    "number": Kind("", "0-9", 1, 20),
    "destination_ip": Kind("", "0-9A-Za-z:._%-", 1, 64),
}
ADDRESS_HOLES = ("ip", "ipv4", "ip_or_host")
CHOSEN_HOLES = (
    "user",
    "name",
    "word",
    "token",
    "text",
    "host",
    "server",
    "session",
    "about",
    "list",
    "forwarded",
)  # a stranger may have chosen what stands there
NO_ADDRESS_SIGN, NO_HOST = b"g", b"~"  # which no address has, and no host name
ADDRESS_SIGNS = ".:-_/,+="  # what may stand inside a hole of a fixed set and also end it
ADDRESS_IPV4 = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
NO_DOT = r"(?<!\.)"  # no address ends with one, nor a name as services write it: it ends their sentence
ADDRESS = ADDRESS_IPV4 + r"|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,40}" + NO_DOT
HARMLESS = r"\.(?![0-9])", r":(?![0-9A-Fa-f:])"  # every address has another dot or colon than these


def _no_address(characters: str) -> str:
    """A text of `characters`, a set of neither dots nor colons, with harmless dots and colons in between.

    Most have none of those, and then the empty alternative is all that is tried: the others begin with a fixed byte.
    """
    more = f"{characters}(?:(?:{'|'.join(HARMLESS)}){characters})*"
    return f"{characters}(?:{''.join(f'{sign}{more}|' for sign in HARMLESS)})"


# `{0}` are further bytes that end the hole. Only single sets are possessive: Python before 3.11.5 goes on in the wrong
# place when a possessive group fails half-way (gh-106052).
NO_ADDRESS = _no_address(r"[^ \t-\r.:{0}]*+")
SERVER = _no_address(r"[0-9A-Za-z_-]*")
# A time ends with its hours, and what belongs to them: a field behind it that somebody filled is no part of it.
ZONE = r" ?(?:Z|[AaPp][Mm]|[A-Z]{3,5}|[+-][0-9]{2}:?[0-9]{2}|[0-9]{4})"
TIME = (
    r"(?:[0-9A-Za-z.:/,+ -]{0,26}?[0-9]:[0-9]{2}(?:[.,:][0-9]{1,9}){0,2}?(?:" + ZONE + r"){0,3}?"
    r"|[0-9]{8,20}(?:[.,][0-9]{1,9})?)"
)
LOOSE_NO_ADDRESS = _no_address(r"[^\n.:]*")  # the same with blanks, for texts that do not end at the first one


def fields_of(sequence: Sequence) -> tuple[str, ...]:
    """The fields that the capturing groups of a pattern fill, in order. Raises PatternError for a double one."""
    fields = tuple(HOLES[hole.name].field for hole in holes_of(sequence) if HOLES[hole.name].field)
    twice = next((field for field in fields if fields.count(field) > 1), "")
    if twice or {"source", "source_ip"} <= {*fields} or {"source", "source_host"} <= {*fields}:
        raise PatternError(
            f"fills {twice or 'the source'} twice; write one line for each form, or {{word}}, {{number}}"
        )
    return fields


def optional_fields(sequence: Sequence) -> frozenset[str]:
    """The fields that a matching line may leave out."""
    found: set[str] = set()
    for node in sequence:
        match node:
            case Repeat(inner, least=0):
                found |= {HOLES[hole.name].field for hole in holes_of((inner,))}
            case Repeat(inner):
                found |= optional_fields((inner,))
            case Group(alternatives) if len(alternatives) > 1:
                found |= {HOLES[hole.name].field for hole in holes_of((node,))}
            case Group(alternatives):
                found |= optional_fields(alternatives[0])
            case _:
                pass
    return frozenset(found)


def holes_of(sequence: Sequence) -> list[Hole]:
    """All holes of a pattern, from left to right. Raises PatternError for one that does not exist."""
    found: list[Hole] = []
    for node in sequence:
        match node:
            case Hole(name):
                if name not in HOLES:
                    raise PatternError(
                        f"has the hole {{{name}}}; there are {', '.join(f'{{{hole}}}' for hole in HOLES)}"
                    )
                found.append(node)
            case Group(alternatives):
                found += [hole for alternative in alternatives for hole in holes_of(alternative)]
            case Repeat(inner):
                found += holes_of((inner,))
            case _:
                pass
    return found


def blanked(text: bytes, place: tuple[int, int], *, host: bool) -> bytes:
    """A text with a source taken out of it: in its place stands what every text hole takes, and no address hole."""
    start, end = place
    return text[:start] + (NO_HOST if host else NO_ADDRESS_SIGN) * (end - start) + text[end:]


def lint(sequence: Sequence) -> None:
    """Refuse what could take a regular expression exponential time. Raises PatternError."""
    fields_of(sequence)
    _lint(sequence, after_wide=False)


def _lint(sequence: Sequence, *, after_wide: bool) -> bool:
    """Whether something wide may be open behind the sequence, given that it was before."""
    for node in sequence:
        match node:
            case Text():
                after_wide = False
            case Set():
                pass
            case Hole():
                after_wide = _open(after_wide)
            case Group(alternatives):
                ends = [_lint(alternative, after_wide=after_wide) for alternative in alternatives]
                after_wide = any(ends)
            case Repeat(Set() | Text(), _, most):
                after_wide = _open(after_wide) if most > WIDE else after_wide
            case Repeat(inner, least, most):
                if most > 1 and (holes_of((inner,)) or _repeats(inner)):
                    raise PatternError("repeats something that is a repeat or a hole itself")
                after_wide = _lint((inner,), after_wide=after_wide) or (after_wide and least == 0)
    return after_wide


def _repeats(node: Node) -> bool:
    match node:
        case Repeat(_, least, most):
            return least != most
        case Group(alternatives):
            return any(_repeats(inner) for alternative in alternatives for inner in alternative)
        case _:
            return False


def _open(after_wide: bool) -> bool:
    if after_wide:
        raise PatternError(
            "has two holes or repeats side by side; nobody can tell where one ends: put a fixed text between"
        )
    return True


def has_strict_form(sequence: Sequence) -> bool:
    """Whether the fast form is safe.

    A set that admits an address or the end of a line makes it unsafe, and so does a second address beside a text that a
    stranger may have chosen, or a colon between such a text and the address: it could be the address's own. Where the
    source may be a host's name, which does not look like an address, such a text before it may hold the only address.
    """
    if _runs_into_an_address(sequence):
        return False
    in_order = [hole.name for hole in holes_of(sequence)]
    names = set(in_order)
    if "ip_or_host" in names and {"user", "text"}.intersection(in_order[: in_order.index("ip_or_host")]):
        return False
    return not ("destination_ip" in names and names.intersection(CHOSEN_HOLES)) and all(map(_is_tame, _sets(sequence)))


def _runs_into_an_address(sequence: Sequence) -> bool:
    for before, sign, after in zip(sequence, sequence[1:], sequence[2:], strict=False):
        if isinstance(before, Hole) and before.name in CHOSEN_HOLES and sign == Text(b":") and _begins(after):
            return True
    inner = (node.node for node in sequence if isinstance(node, Repeat))
    groups = [node for node in (*sequence, *inner) if isinstance(node, Group)]
    return any(_runs_into_an_address(alternative) for group in groups for alternative in group.alternatives)


def _begins(node: Node) -> bool:
    """Whether a node can begin with an address."""
    match node:
        case Hole(name):
            return name in ADDRESS_HOLES
        case Group(alternatives):
            return any(_begins(alternative[0]) for alternative in alternatives if alternative)
        case Repeat(inner):
            return _begins(inner)
        case _:
            return False


def _sets(sequence: Sequence) -> list[Set]:
    found: list[Set] = []
    for node in sequence:
        match node:
            case Set():
                found.append(node)
            case Group(alternatives):
                found += [inner for alternative in alternatives for inner in _sets(alternative)]
            case Repeat(inner):
                found += _sets((inner,))
            case _:
                pass
    return found


@lru_cache(maxsize=1024)
def members(node: Set) -> tuple[bytes, ...]:
    """The bytes that a set admits. Raises PatternError for a set that `re` does not take."""
    try:
        admits = re.compile(node.source.encode(), re.DOTALL).fullmatch
    except re.error as error:
        raise PatternError(f"has the set {node.source}: {error.msg}") from None
    return tuple(byte for byte in BYTES if admits(byte))


def _is_tame(node: Set) -> bool:
    admitted = members(node)
    return b"\n" not in admitted and not (b"0" in admitted and (b"." in admitted or b":" in admitted))


def write(sequence: Sequence, form: Form, stops: frozenset[bytes] = frozenset()) -> str:
    """Write a pattern out as a regular expression. `stops` are the bytes that can follow it."""
    written: list[str] = []
    for place, node in enumerate(sequence):
        written.append(_node(node, form, starts(sequence[place + 1 :], stops)))
    return "".join(written)


def _node(node: Node, form: Form, stops: frozenset[bytes]) -> str:
    match node:
        case Text(value):
            return re.escape(value.decode("latin-1")) if value != b" " else " "
        case Set(source):
            return source
        case Hole(name):
            kind = HOLES[name]
            inside = _strict(kind, stops) if form == "strict" else _general(kind, form)
            return f"({inside})" if kind.field else f"(?:{inside})"
        case Group(alternatives):
            return "(?:" + "|".join(write(alternative, form, stops) for alternative in alternatives) + ")"
        case Repeat(inner, least, most):
            once = _node(inner, form, stops if most == 1 else frozenset())
            if (least, most) == (0, 1):  # an alternative needs no counter, so it is quicker than a repeat
                return once[:-1] + "|)" if isinstance(inner, Group) else f"(?:{once}|)"
            lazy = "?" if form == "lazy" and most > 1 else ""
            return (once if isinstance(inner, Group) else f"(?:{once})") + f"{{{least},{most}}}{lazy}"


def _strict(kind: Kind, stops: frozenset[bytes]) -> str:
    if kind.characters is None and not kind.field:
        return LOOSE_NO_ADDRESS
    ends = "".join(re.escape(stop.decode("latin-1")) for stop in sorted(stops) if not stop.isspace())
    if kind is HOLES["server"]:
        return rf"(?=\S){SERVER}"
    if kind is HOLES["list"]:
        word = NO_ADDRESS.format(ends + '"')
        return rf"(?=\S){word}(?: (?=\S){word})*"
    if kind.characters is None or kind.characters.startswith("^") or kind.field in ("source_host", "session"):
        return NO_ADDRESS.format(ends) if kind.least == 0 else r"(?=\S)" + NO_ADDRESS.format(ends)
    # Where what follows the hole could also be its last character, the hole must be able to give it back.
    possessive = "" if any(stop.decode("latin-1") in ADDRESS_SIGNS for stop in stops) else "+"
    if kind is HOLES["time"]:
        return TIME
    ending = NO_DOT if kind.field in ("source_ip", "source") else ""
    return f"[{kind.characters}]{{{kind.least},{kind.most}}}{possessive}{ending}"


def _general(kind: Kind, form: Form) -> str:
    if kind.field == "source_ip":
        return ADDRESS if kind is HOLES["ip"] else ADDRESS_IPV4
    if kind is HOLES["time"]:
        return TIME
    characters = "." if kind.characters is None else f"[{kind.characters}]"
    ending = NO_DOT if kind.field == "source" else ""
    return f"{characters}{{{kind.least},{kind.most}}}" + ("?" if form == "lazy" else "") + ending


def starts(sequence: Sequence, otherwise: frozenset[bytes]) -> frozenset[bytes]:
    """The bytes with which a sequence can begin, as far as that is fixed text; `otherwise` where it can be empty."""
    found: set[bytes] = set()
    for node in sequence:
        match node:
            case Text(value):
                return frozenset(found | {value[:1]})
            case Group(alternatives):
                return frozenset(found.union(*(starts(alternative, frozenset()) for alternative in alternatives)))
            case Repeat(inner, least=0):
                found |= starts((inner,), frozenset())
            case Repeat(inner):
                return frozenset(found | starts((inner,), frozenset()))
            case _:
                return frozenset(found)
    return frozenset(found | otherwise)
