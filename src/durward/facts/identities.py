"""The users and groups that settings and lists name, as numbers of this host; looked up anew at each call."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from durward.catalog.document import Problem
from durward.config.filters import Filter
from durward.config.lists import ListEntry
from durward.facts.accounts import UnknownAccountError, group_id, user_id
from durward.facts.complaints import Complaints

ROOT = 0
FILTERS_MAX = 5000  # each is a rule of its own that packets wait for; more are refused
LookUp = Callable[[str], int]


def user_ids(key: str, complaints: Complaints) -> tuple[int, ...]:
    """Root, and the users that the setting at `key` names."""
    return tuple(dict.fromkeys((ROOT, *_numbers(key, user_id, complaints))))


def group_ids(key: str, complaints: Complaints) -> tuple[int, ...]:
    """The groups that the setting at `key` names."""
    return tuple(dict.fromkeys(_numbers(key, group_id, complaints)))


def filters_of(entries: Iterable[ListEntry], complaints: Complaints) -> tuple[Filter, ...]:
    """The filters of a list that are no plain block or allow of some ports, with numbers for users and groups."""
    found: list[Filter] = []
    for entry in entries:
        if entry.filter is None or entry.scope is not None:
            continue
        if len(found) >= FILTERS_MAX:
            complaints.problems.append(Problem(entry.file, entry.line, "", f"more than {FILTERS_MAX} filters"))
            break
        found.append(_numbered(entry, entry.filter, complaints))
    return tuple(found)


def _numbers(key: str, look_up: LookUp, complaints: Complaints) -> list[int]:
    """The numbers of the names at `key`. Only a name that somebody wrote has to exist."""
    settings, numbers = complaints.settings, []
    for name in settings.value(key):
        try:
            numbers.append(look_up(name))
        except UnknownAccountError as error:
            if settings.origin(key):
                complaints.about(key, str(error), error.nearest)
    return numbers


def _numbered(entry: ListEntry, rule: Filter, complaints: Complaints) -> Filter:
    changed: dict[str, Any] = {}
    try:
        if rule.user:
            changed["user"] = str(_caseless(rule.user, user_id))
        if rule.group:
            changed["group"] = str(_caseless(rule.group, group_id))
    except UnknownAccountError as error:
        complaints.problems.append(Problem(entry.file, entry.line, "", str(error), error.nearest))
    return replace(rule, **changed)


def _caseless(name: str, look_up: LookUp) -> int:
    """Look up the name of a filter, whose line was read in small letters."""
    try:
        return look_up(name)
    except UnknownAccountError as error:
        if error.nearest.lower() != name:
            raise
        return look_up(error.nearest)
