"""Which text each line that a pattern matches must contain: the needles that the scanner looks for first."""

from durward.scan.grammar import Group, Node, PatternError, Repeat, Sequence, Set, Text
from durward.scan.holes import members
from durward.scan.ordinary import ORDINARY

LITERAL_BYTES_MIN = 4  # shorter ones are in half of all lines
LITERAL_BYTES_GOOD = 24  # beyond this, longer is no better
CHOICES_MAX = 32  # beyond so many spellings a part counts as not fixed
MEMBERS_MAX = 4
NEEDLE_BYTES_MIN = 8
START_BYTES = 4  # of a needle, which the search compares first: if they are rare, it hardly ever stops
NOTHING = frozenset({b""})
BLANKS = b" :"


def literals_of(sequence: Sequence) -> frozenset[bytes]:
    """Texts of which each matching line contains one; the longest that there are.

    None begins with a blank or a colon, unless it would be too short without: those are so common that the search would
    stop at every word. Raises PatternError where there is none that is long enough.
    """
    return best_of(every_required(sequence))


def best_of(required: list[frozenset[bytes]]) -> frozenset[bytes]:
    """The same, out of what is known to be required."""
    found = max((_trimmed(choices) for choices in required), key=worth)
    if not is_long(found):
        found = max(required, key=worth)
    if not is_long(found):
        raise PatternError(f"needs a fixed text of at least {LITERAL_BYTES_MIN} characters that each line contains")
    return found


def is_long(choices: frozenset[bytes]) -> bool:
    """Whether each of the texts, if there are any, is long enough to look for."""
    return bool(choices) and min(map(len, choices)) >= LITERAL_BYTES_MIN


def ending_of(sequence: Sequence) -> bytes:
    """The fixed text with which each matching line ends; nothing where the pattern ends with something that varies."""
    ending = b""
    for node in reversed(sequence):
        if not isinstance(node, Text):
            break
        ending = node.value + ending
    return ending


def needle_of(literal: bytes) -> bytes:
    """What to look for instead of a literal: that, from where it no longer begins like most lines."""
    for place in range(len(literal) - NEEDLE_BYTES_MIN + 1):
        if literal[place : place + START_BYTES] not in ORDINARY:
            return literal[place:]
    return literal


def required_of(sequence: Sequence) -> frozenset[bytes]:
    """The best texts of which each match contains one, however short; perhaps none. None begins with a blank."""
    return max(map(_trimmed, every_required(sequence)), key=worth)


def every_required(sequence: Sequence) -> list[frozenset[bytes]]:
    """For each fixed part of a pattern the texts of which each match contains one there; the last may be empty."""
    found: list[frozenset[bytes]] = []
    current = NOTHING
    for node in sequence:
        if isinstance(node, Text):
            current = frozenset([text + node.value for text in current])
            continue
        exact = _exact(node)
        if exact is not None and len(exact) > 1:
            found.append(current)
        if exact is not None and len(current) * len(exact) <= CHOICES_MAX:
            current = frozenset(left + right for left in current for right in exact)
            continue
        found += [current, _inside(node)]
        current = NOTHING
    return [_reduced(choices) for choices in [*found, current] if choices]


def worth(choices: frozenset[bytes]) -> tuple[bool, int, int, int]:
    """A long literal is in few lines, and few literals are quick to look for; short and ordinary ones are of no use.

    Of two ordinary ones the one that such lines have less often is of more.
    """
    long, good, few = clear(choices)
    return (long, -sum(map(ORDINARY.count, choices)) if long else 0, good, few)


def clear(choices: frozenset[bytes]) -> tuple[bool, int, int]:
    """The same, whatever most logs are full of: how much a text says of a line in which it stands."""
    shortest = min(map(len, choices))
    return (shortest >= LITERAL_BYTES_MIN, min(LITERAL_BYTES_GOOD, shortest) - len(choices), -len(choices))


def _inside(node: Node) -> frozenset[bytes]:
    match node:
        case Group(alternatives):
            return frozenset().union(*(_best(alternative) for alternative in alternatives))
        case Repeat(inner, least) if least > 0:
            return _best((inner,))
        case _:
            return frozenset()


def _exact(node: Node) -> frozenset[bytes] | None:
    """All texts that a node can stand for, if they are few."""
    match node:
        case Text(value):
            return frozenset({value})
        case Set():
            admitted = members(node)
            return frozenset(admitted) if len(admitted) <= MEMBERS_MAX else None
        case Group(alternatives):
            choices = [choices_of(alternative) for alternative in alternatives]
            every = frozenset(text for texts in choices for text in texts or ())
            return every if None not in choices and len(every) <= CHOICES_MAX else None
        case Repeat(inner, 0, 1):
            exact = _exact(inner)
            return None if exact is None else exact | {b""}
        case _:
            return None


def choices_of(sequence: Sequence) -> frozenset[bytes] | None:
    """All texts that a pattern fits as a whole, if they are few; None where they are not."""
    if all(isinstance(node, Text) for node in sequence):
        return frozenset([b"".join([node.value for node in sequence if isinstance(node, Text)])])
    current = NOTHING
    for node in sequence:
        exact = _exact(node)
        if exact is None or len(current) * len(exact) > CHOICES_MAX:
            return None
        current = frozenset(left + right for left in current for right in exact)
    return current


def _best(sequence: Sequence) -> frozenset[bytes]:
    return max(every_required(sequence), key=worth)


def _trimmed(choices: frozenset[bytes]) -> frozenset[bytes]:
    return _reduced(frozenset([_stripped(text) for text in choices]))


def _stripped(text: bytes) -> bytes:
    """A text without the blanks that it begins with, unless those are what sets it apart from most lines."""
    short = text.lstrip(BLANKS)
    return text if short != text and short in ORDINARY and text not in ORDINARY else short


def _reduced(choices: frozenset[bytes]) -> frozenset[bytes]:
    """Without those that contain another one: finding that one is enough."""
    if len(choices) == 1:
        return choices
    return frozenset(text for text in choices if not any(other != text and other in text for other in choices))
