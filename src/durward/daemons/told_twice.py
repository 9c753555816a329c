"""Which services may tell of one attempt in two logs: those with a log of their own beside another source."""

from collections.abc import Collection, Iterable
from pathlib import PurePath

from durward.scan.twins import SYSLOG_FILES


def told_twice(present: Iterable[tuple[str, Collection[str]]], in_journal: Collection[str]) -> frozenset[str]:
    """The services of which two logs or more are there, one of them not syslog's. `present` are paths and services."""
    sources = dict.fromkeys(in_journal, 1)
    own: set[str] = set()
    for path, services in present:
        for service in services:
            sources[service] = sources.get(service, 0) + 1
        if PurePath(path).name not in SYSLOG_FILES:
            own.update(services)
    return frozenset(service for service in own if sources[service] > 1)
