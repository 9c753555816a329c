"""What is asked of the parts of an expression: whether they hold an address, and how much text they can take."""

from durward.fail2ban.regular import Branches, Mark, Part, Several, Tagged
from durward.scan.grammar import REPEAT_MAX, Set
from durward.scan.grammar import Hole as GrammarHole
from durward.scan.holes import WIDE

ANYTHING = Several(Set("."), 0, REPEAT_MAX)
ACCOUNTS = ("F-USER", "F-ALT_USER", "F-ALT_USER1", "F-ALT_USER2")
ADDRESS = GrammarHole("ip")


def is_special(part: Part) -> bool:
    """Whether it holds an address, an account or a mark."""
    match part:
        case GrammarHole() | Mark():
            return True
        case Tagged(name, alternatives):
            return name in ACCOUNTS or any(is_special(one) for inner in alternatives for one in inner)
        case Branches(alternatives):
            return any(is_special(one) for inner in alternatives for one in inner)
        case Several(inner):
            return is_special(inner)
        case _:
            return False


def is_wide(part: Part) -> bool:
    """Whether it can take so much text that nobody can tell where it ends."""
    return isinstance(part, GrammarHole) or (isinstance(part, Several) and part.most > WIDE)


def holds_wide(part: Part) -> bool:
    """Whether anything in it is wide."""
    match part:
        case Branches(alternatives) | Tagged(_, alternatives):
            return any(holds_wide(one) for inner in alternatives for one in inner)
        case Several(inner):
            return is_wide(part) or holds_wide(inner)
        case _:
            return isinstance(part, GrammarHole)


def is_uncertain(part: Part) -> bool:
    """Whether there are several ways through it, of which one takes a text of any length.

    Before an address each way has to be a line of its own: where they find it in different places nobody is blamed, but
    within one line a pattern prefers the first way however it is read.
    """
    match part:
        case Several(inner, 0, 1):
            return holds_wide(inner)
        case Branches(alternatives) | Tagged(_, alternatives):
            return len(alternatives) > 1 and holds_wide(part)
        case _:
            return False
