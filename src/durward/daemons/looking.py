"""The eyes of the enforcer: what rules have counted, what meters know of somebody, what other tables may do."""

from dataclasses import asdict
from typing import Any

from durward.control.words import Word
from durward.model import Subject
from durward.privileged.foreign import foreign_chains, legacy_tables
from durward.privileged.messages import Reading
from durward.privileged.sets import Sets
from durward.privileged.tallies import meters, tallies
from durward.ruleset.tallies import Sum, counted, refused


class Looking:
    """Answers the words that begin with "look". Every one raises KernelError where the kernel does not tell."""

    def __init__(self, sets: Sets, block_prefix_v6: int) -> None:
        self._sets = sets
        self._prefix = block_prefix_v6

    def look(self, word: Word) -> dict[str, Any]:
        """Answer one word."""
        if word.name == "look counters":
            found = tallies()
            return {"refused": list(map(_spelt, refused(found))), "counted": list(map(_spelt, counted(found)))}
        subject = Subject.parse(word.fields["subject"]) if word.fields["subject"] else None
        if word.name == "look meters" and subject is not None:
            readings = meters(self._sets, word.fields["names"], subject, self._prefix)
            return {"readings": [_reading(one) for one in readings]}
        return {
            "chains": [asdict(one) | {"first": one.first} for one in foreign_chains(subject)],
            "legacy": legacy_tables(),
        }


def _spelt(one: Sum) -> list[Any]:
    return [one.what, one.packets, one.bytes, [[name, *pair] for name, pair in sorted(one.parts.items())]]


def _reading(one: Reading | bool) -> list[Any] | bool:
    return one if isinstance(one, bool) else [one.packets, one.bytes, one.expires_in_seconds or 0]
