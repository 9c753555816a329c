"""Foreign: programs that keep no records, so that what looks like one in their lines of syslog is a stranger's text.

A user name may be a whole line of an access log. Where the program that wrote the line is known to write nothing but
messages, it is read as a message and as nothing else.
"""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from durward.catalog.service_card import ENVELOPES, RECORDS, Envelope, ServiceCard
from durward.scan.envelope import ISO, PRIORITY, TRADITIONAL, Programs, readings

ANY = frozenset({"*"})  # for a service that reads every program's lines: it says nothing of which those are
ENVELOPED = re.compile(PRIORITY + rb"(?:1 )?(?:" + TRADITIONAL + rb"|" + ISO + rb") ")


class Foreign:
    """For each kind of record the programs of services that write none of it, so far as the cards name them."""

    def __init__(self, cards: Sequence[ServiceCard]) -> None:
        self._programs: dict[Envelope, Programs] = {}
        self._cards: dict[Envelope, frozenset[str]] = {}
        for envelope in (one for one in ENVELOPES if one in RECORDS):
            keeping = {card.id for card in cards if _keeps(card, envelope)}
            keeping |= {card.id for card in cards if keeping.intersection(card.also)}
            theirs = {name for card in cards if card.id in keeping for name in card.reads.programs}
            others = [card for card in cards if card.id not in keeping and theirs.isdisjoint(card.reads.programs)]
            named = {name for card in cards if card.id not in keeping for name in card.reads.programs}
            names = [name for name in sorted(named - ANY) if not any(_overlap(name, their) for their in theirs)]
            self._cards[envelope] = frozenset(card.id for card in others if ANY.isdisjoint(card.reads.programs or ANY))
            if names:
                self._programs[envelope] = Programs(names)

    def keeps_none(self, service: str) -> bool:
        """Whether the programs of a service keep no access log."""
        return service in self._cards["access"]

    def wrote(self, line: bytes, envelope: Envelope) -> bool:
        """Whether a line is one of syslog that such a program wrote: it is no record."""
        programs = self._programs.get(envelope)
        if programs is None or ENVELOPED.match(line) is None:
            return False
        return any(message.program in programs for message in readings(line, "syslog") if message.stamp)


def _overlap(name: str, their: str) -> bool:
    """Whether some program may be called as both say, where `*` stands for any text."""
    return fnmatchcase(name, their) or fnmatchcase(their, name)


def _keeps(card: ServiceCard, envelope: Envelope) -> bool:
    return any(envelope in pattern.envelopes for pattern in card.patterns)
