"""Which text each line that a pattern matches must contain: the needles that the scanner looks for first."""

from durward.scan.grammar import Group, Node, PatternError, Repeat, Sequence, Set, Text
from durward.scan.holes import members

LITERAL_BYTES_MIN = 4  # shorter ones are in half of all lines
LITERAL_BYTES_GOOD = 24  # beyond this, longer is no better
CHOICES_MAX = 16  # beyond so many spellings a part counts as not fixed
MEMBERS_MAX = 4


def literals_of(sequence: Sequence) -> frozenset[bytes]:
    """Texts of which each matching line contains one; the longest that there are.

    None begins with a blank or a colon: those are so common that the search would stop at every word. Raises
    PatternError where there is none that is long enough.
    """
    found = _required(sequence)
    if not found or min(map(len, found)) < LITERAL_BYTES_MIN:
        raise PatternError(f"needs a fixed text of at least {LITERAL_BYTES_MIN} characters that each line contains")
    return found


def ending_of(sequence: Sequence) -> bytes:
    """The fixed text with which each matching line ends; nothing where the pattern ends with something that varies."""
    ending = b""
    for node in reversed(sequence):
        if not isinstance(node, Text):
            break
        ending = node.value + ending
    return ending


def _required(sequence: Sequence) -> frozenset[bytes]:
    found: list[frozenset[bytes]] = []
    current = frozenset({b""})
    for node in sequence:
        exact = _exact(node)
        if exact is not None and len(exact) > 1:
            found.append(current)
        if exact is not None and len(current) * len(exact) <= CHOICES_MAX:
            current = frozenset(left + right for left in current for right in exact)
            continue
        found += [current, _inside(node)]
        current = frozenset({b""})
    found = [_reduced(frozenset(text.lstrip(b" :") for text in choices)) for choices in [*found, current] if choices]
    return max(found, key=_worth)


def _worth(choices: frozenset[bytes]) -> tuple[int, int]:
    """A long literal is in few lines, and few literals are quick to look for."""
    return (min(LITERAL_BYTES_GOOD, *map(len, choices)) - len(choices), -len(choices))


def _inside(node: Node) -> frozenset[bytes]:
    match node:
        case Group(alternatives):
            return frozenset().union(*(_required(alternative) for alternative in alternatives))
        case Repeat(inner, least) if least > 0:
            return _required((inner,))
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
            choices = [_product(alternative) for alternative in alternatives]
            every = frozenset(text for texts in choices for text in texts or ())
            return every if None not in choices and len(every) <= CHOICES_MAX else None
        case Repeat(inner, 0, 1):
            exact = _exact(inner)
            return None if exact is None else exact | {b""}
        case _:
            return None


def _product(sequence: Sequence) -> frozenset[bytes] | None:
    current = frozenset({b""})
    for node in sequence:
        exact = _exact(node)
        if exact is None or len(current) * len(exact) > CHOICES_MAX:
            return None
        current = frozenset(left + right for left in current for right in exact)
    return current


def _reduced(choices: frozenset[bytes]) -> frozenset[bytes]:
    """Without those that contain another one: finding that one is enough."""
    return frozenset(text for text in choices if not any(other != text and other in text for other in choices))
