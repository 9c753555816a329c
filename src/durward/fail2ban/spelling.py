"""Writes the parts of an expression in our pattern language, with what is certain in place of what is not."""

from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.parts import is_wide
from durward.fail2ban.regular import Branches, Part, Parts, Several, Tagged
from durward.scan.grammar import REPEAT_MAX, SPECIAL, Set, Text
from durward.scan.grammar import Hole as GrammarHole
from durward.scan.holes import WIDE, members

MISPLACED = "asks for the start or the end of the line, or of a word, in its middle"
ANY_BYTE = 255  # of 256: a dot takes no end of line
ACCOUNT_MEMBERS_MIN = 200  # a set of so many bytes is a name of anybody's choice


def named(parts: Parts) -> Parts:
    """With a hole for the first account whose name anybody may choose; others are taken as they are written."""
    found: list[Part] = []
    hole_used = False
    for place, part in enumerate(parts):
        if not isinstance(part, Tagged):
            found.append(part)
            continue
        hole = "" if hole_used else _account(part, parts[place + 1 : place + 2])
        hole_used = hole_used or bool(hole)
        found.append(GrammarHole(hole) if hole else Branches(part.alternatives))
    return tuple(found)


def _account(tagged: Tagged, behind: Parts) -> str:
    """The hole that stands for an account; "" where the expression knows more of it than a hole can say."""
    if len(tagged.alternatives) != 1 or len(tagged.alternatives[0]) != 1:
        return ""
    match tagged.alternatives[0][0]:
        case Several(Set("."), least, most) if least <= 1 and most == REPEAT_MAX:
            return "user"
        case Several(Set(source), least, most) if least <= 1 and most == REPEAT_MAX:
            admitted = members(Set(source))
            end = behind[0].value[:1] if behind and isinstance(behind[0], Text) else b""
            if source != r"\S" and (len(admitted) < ACCOUNT_MEMBERS_MIN or end in admitted):
                return ""
            return "user" if b" " in admitted else "name"
        case _:
            return ""


def eased(parts: Parts, *, after_wide: bool = False) -> tuple[Parts, bool]:
    """Where two repeats meet, the narrower one takes little: less than before, and always certain where it ends.

    `after_wide` and what is given back beside the parts: whether something wide may be open before and behind them.
    """
    eased: list[Part] = []
    for part in parts:
        easier = part
        if is_wide(part) and after_wide:
            last = eased[-1] if eased else None
            if isinstance(last, Several) and is_wide(last) and _width(last) < min(_width(part) + 1, ANY_BYTE):
                eased[-1] = _narrow(last)
            elif isinstance(part, Several):
                easier = _narrow(part)
        easier, after_wide = _eased_within(easier, after_wide=after_wide)
        eased.append(easier)
    return tuple(eased), after_wide


def _eased_within(part: Part, *, after_wide: bool) -> tuple[Part, bool]:
    match part:
        case Text():
            return part, False
        case Branches(alternatives):
            found = [eased(alternative, after_wide=after_wide) for alternative in alternatives]
            return Branches(tuple(one for one, _ in found)), any(ends for _, ends in found)
        case Several(Branches() as inner, least, most):
            easier, ends = _eased_within(inner, after_wide=after_wide)
            return Several(easier, least, most), ends or (after_wide and least == 0)
        case Several() | GrammarHole():
            return part, after_wide or is_wide(part)
        case _:
            return part, after_wide


def _narrow(part: Several) -> Several:
    return Several(part.part, part.least, max(part.least, WIDE))


def _width(part: Part) -> int:
    inner = part.part if isinstance(part, Several) else part
    return len(members(inner)) if isinstance(inner, Set) else 1 if isinstance(inner, Text) else ANY_BYTE


def _written(part: Part) -> str:  # noqa: PLR0911 — one line for each kind
    """A part in our pattern language."""
    match part:
        case Text(value):
            letter = value.decode()
            return f"\\{letter}" if letter in SPECIAL else letter
        case Set(source):
            return source
        case GrammarHole(name):
            return f"{{{name}}}"
        case Branches(alternatives):
            return f"(?:{'|'.join(all_written(inner) for inner in alternatives)})"
        case Tagged(_, alternatives):
            return _written(Branches(alternatives))
        case Several(Set("."), 0, most) if most == REPEAT_MAX:
            return "{text}"
        case Several(inner, least, most):
            once = _written(inner)
            return (f"(?:{once})" if isinstance(inner, Several) else once) + _times(least, most)
        case _:
            raise Fail2banError(MISPLACED)


def all_written(parts: Parts) -> str:
    """Parts in our pattern language. Raises Fail2banError for a mark, which is no text."""
    return "".join(map(_written, parts))


def outer_blanks(line: str) -> str:
    """The same, with blanks at its ends in sets: a card's lines are stripped."""
    start, inside = line[: len(line) - len(line.lstrip(" \t"))], line.strip(" \t")
    end = line[len(start) + len(inside) :]
    return f"{''.join(f'[{blank}]' for blank in start)}{inside}{''.join(f'[{blank}]' for blank in end)}"


def _times(least: int, most: int) -> str:
    known = {(0, 1): "?", (0, REPEAT_MAX): "*", (1, REPEAT_MAX): "+", (1, 1): ""}
    if (least, most) in known:
        return known[least, most]
    return f"{{{least}}}" if least == most else f"{{{least},{'' if most == REPEAT_MAX else most}}}"
