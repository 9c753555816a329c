"""Where an expression begins and ends in a line: fail2ban searches what is left without the time, we match it whole."""

from durward.catalog.service_card import Envelope
from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.parts import ADDRESS, ANYTHING, is_special
from durward.fail2ban.regular import Branches, Mark, Part, Parts, Several
from durward.scan.grammar import Hole as GrammarHole
from durward.scan.grammar import Set, Text
from durward.scan.holes import members

BLANKS = (Set(r"\s"), Text(b" "))
START_DELIMITERS = b" [(=,"  # what may stand before an address that begins an expression
END_DELIMITERS = b" ,;)]\"'"  # what may stand behind one that ends it
EDGES = END_DELIMITERS + b":.-/<>!?"  # what may stand behind a word


def framed(parts: Parts) -> tuple[tuple[Envelope, ...], Parts, bool]:
    """In which envelopes the message comes, the parts that fit it whole, and whether syslog wrote the envelope."""
    anchored = parts[:1] == (Mark("start"),)
    parts = _ended(parts[1:] if anchored else parts)
    if Mark("prefix") in parts:
        place = parts.index(Mark("prefix"))
        if not anchored or any(not _is_blank(part) for part in parts[:place]):
            raise Fail2banError("has syslog's prefix in its middle")
        return ("syslog",), parts[place + 1 :], True
    if not anchored:
        return ("stamped", "plain"), _started(parts), False
    left = _without_date(parts)
    if left != parts:
        return ("stamped",), left, False
    return ("plain",), _dated(parts), False


def _ended(parts: Parts) -> Parts:
    """Whole at its end: anything may follow unless the expression says that nothing does."""
    if parts[-1:] == (Mark("end"),):
        parts = parts[:-1]
        while parts and isinstance(parts[-1], Several) and _is_blank(parts[-1]) and parts[-1].least == 0:
            parts = parts[:-1]  # no line is looked at with blanks at its end
        return parts
    edge = parts[-1:] == (Mark("edge"),)
    before = parts[: len(parts) - edge]
    if before[-1:] == (ADDRESS,):
        return (*before, Several(_delimited(END_DELIMITERS), 0, 1))
    if edge and _ends_in_word(before):
        return (*before, Several(_delimited(EDGES), 0, 1))
    while parts and isinstance(parts[-1], Several) and parts[-1].least <= 1 and not is_special(parts[-1]):
        last = parts[-1]
        parts = (*parts[:-1], *(last.part,) * last.least)
        if last.least:
            break
    return (*parts, ANYTHING)


def _ends_in_word(parts: Parts) -> bool:
    """Whether the last character is certainly a letter, a digit or an underscore."""
    if not parts:
        return False
    match parts[-1]:
        case Text(value):
            return value.isalnum() or value == b"_"
        case Set():
            return all(byte.isalnum() or byte == b"_" for byte in members(parts[-1]))
        case Branches(alternatives):
            return all(_ends_in_word(one) if one else _ends_in_word(parts[:-1]) for one in alternatives)
        case Several(inner, least):
            return _ends_in_word((inner,)) and (least > 0 or _ends_in_word(parts[:-1]))
        case _:
            return False


def _started(parts: Parts) -> Parts:
    """Whole at its start, where the expression is not anchored."""
    while parts and isinstance(parts[0], Several) and parts[0].least <= 1 and not is_special(parts[0]):
        first = parts[0]
        parts = ((first.part,) if first.least else ()) + parts[1:]
        if first.least:
            break
    return (ANYTHING, *parts)


def _delimited(delimiters: bytes) -> Branches:
    """One of these, and anything behind it."""
    return Branches(tuple((Text(bytes([delimiter])), ANYTHING) for delimiter in delimiters))


def _without_date(parts: Parts) -> Parts:
    """Without the blank, or the empty brackets, that are left at the start where fail2ban cut the time out."""
    rest = parts
    if rest[:2] == (Text(b"["), Text(b"]")):
        rest = rest[2:]
    return rest[1:] if rest and _is_blank(rest[0]) else parts


def _dated(parts: Parts) -> Parts:
    """With a hole for the time between brackets that fail2ban found empty: `[]` of an access log."""
    for place in range(len(parts) - 1):
        if parts[place : place + 2] == (Text(b"["), Text(b"]")):
            return (*parts[: place + 1], GrammarHole("time"), *parts[place + 1 :])
    return parts


def _is_blank(part: Part) -> bool:
    return part in BLANKS or (isinstance(part, Several) and part.part in BLANKS)
