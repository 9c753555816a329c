"""What is wrong with an entry of a list for the list that it stands in: nothing is passed over without a word."""

from collections.abc import Callable
from dataclasses import replace

from durward.catalog.document import Problem
from durward.catalog.icmp_types import NEEDED_V6, icmp_type
from durward.config.filters import ELEMENTS_MAX, elements_of
from durward.config.lists import PROBLEMS_MAX, SYNCED_MAX, ListEntry, ListFile

ENTRIES_IN_FORCE_MAX = SYNCED_MAX  # of allow.list, and filters of deny.list; those behind them are a problem
Refusal = Callable[[ListEntry], str]


def too_wide(entry: ListEntry) -> str:
    """Why an entry cannot be carried by the kernel's sets; empty where it can. A filter that cannot becomes a rule."""
    if entry.filter is not None or "/" not in entry.network:
        return ""
    count = elements_of(entry.network)
    if count <= ELEMENTS_MAX:
        return ""
    return (
        f"{entry.network} is too wide: it would take {count} entries of the kernel's sets, and {ELEMENTS_MAX} is most"
    )


def not_deniable(entry: ListEntry) -> str:
    """Why an entry cannot be denied; empty where it can."""
    rule = entry.filter
    if rule is None or rule.protocol not in ("icmp", "icmpv6") or rule.versions != (6,) or not rule.icmp_type:
        return too_wide(entry)
    found = icmp_type(rule.icmp_type, 6)
    if found is None or found[0] not in NEEDED_V6:
        return ""
    return f"IPv6 does not work without {rule.icmp_type}, so nobody is denied it alone; deny the address instead"


def not_whole(entry: ListEntry) -> str:
    """Why an entry has no effect in ignore.list; empty where it has."""
    if entry.filter is None:
        return ""
    return "a filter has no effect here: an address's lines count or do not; the address alone was expected"


def checked(file: ListFile, refusal: Refusal) -> ListFile:
    """The list without the lines that `refusal` gives a reason for, each of which is a problem."""
    refused: dict[tuple[str, int], str] = {}
    for entry in file.entries:
        if reason := refusal(entry):
            refused.setdefault((entry.file, entry.line), reason)
    if not refused:
        return file
    entries = [entry for entry in file.entries if (entry.file, entry.line) not in refused]
    problems = [Problem(name, line, "", reason) for (name, line), reason in refused.items()]
    return replace(file, entries=entries, problems=[*file.problems, *problems][: PROBLEMS_MAX + 1])


def left_out(file: ListFile) -> list[Problem]:
    """What of a list is not in force for being too many; nothing, or the first entry that is not."""
    behind = [entry for entry in file.entries[ENTRIES_IN_FORCE_MAX:] if entry.scope is not None]  # others are rules
    if not behind:
        return []
    first = behind[0]
    many = f"more than {ENTRIES_IN_FORCE_MAX} entries; this one and {len(behind) - 1} behind it are not in force"
    return [Problem(first.file, first.line, "", many)]
