"""Lines of lists that a rule has to carry, and that no firewall in force carries: so that none waits without a word."""

import os
from collections.abc import Iterator

from durward.catalog.document import Problem
from durward.commands.asking import stored_firewall
from durward.commands.gate import ask_enforcer
from durward.config.home import Home
from durward.config.lists import ListEntry
from durward.config.loading import Lists
from durward.config.settings import Settings
from durward.control.requests import NoAnswerError

SHOWN_MAX = 20  # of the lines that wait are named; the last says how many more there are
WAITS = "this filter holds from the next `durward apply`"
OFF = "this filter needs the firewall, which is switched off: set enabled = true in [firewall]"


def unapplied(home: Home, settings: Settings, lists: Lists) -> list[Problem]:
    """The filters that are no block or allowance of some ports, and in no rule of the firewall that decides now.

    Empty as well where nobody says what decides: not root, or no enforcer.
    """
    waiting = [Problem(one.file, one.line, "", why) for one, why in _waiting(home, settings, lists)]
    more = len(waiting) - SHOWN_MAX
    if more > 0:
        waiting[SHOWN_MAX:] = [Problem(waiting[SHOWN_MAX].file, waiting[SHOWN_MAX].line, "", f"and {more} more wait")]
    return waiting


def _waiting(home: Home, settings: Settings, lists: Lists) -> Iterator[tuple[ListEntry, str]]:
    ruled = [(name, one) for name in ("allow", "deny") for one in getattr(lists, name).entries if _takes_a_rule(one)]
    if not ruled:
        return
    if not settings.firewall.enabled:
        yield from ((one, OFF) for _, one in ruled)
        return
    if os.geteuid() != 0:
        return
    try:
        state = ask_enforcer("firewall state")["firewall"]
    except NoAnswerError:
        return
    text = "" if state in {"off", "stopped"} else stored_firewall(home, state)
    yield from ((one, WAITS) for name, one in ruled if not _is_in(text, name, one, settings))


def _takes_a_rule(entry: ListEntry) -> bool:
    return entry.filter is not None and entry.scope is None


def _is_in(text: str, name: str, entry: ListEntry, settings: Settings) -> bool:
    from durward.facts.complaints import Complaints
    from durward.facts.identities import filters_of
    from durward.ruleset.filters import mark_of

    complaints = Complaints(settings)
    return all(mark_of(rule, allows=name == "allow") in text for rule in filters_of([entry], complaints))
