"""Suspects: lines that look like a failure of somebody, and that no pattern takes.

A daemon that was upgraded may write its failures in other words than before. Its card then finds nothing, as on a quiet
day. What tells the two apart are lines of the service's own programs with an address and a word of failure in them, and
unlike anything that the card knows to be harmless.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from durward.catalog.service_card import RECORDS, ServiceCard
from durward.scan.access import is_access
from durward.scan.envelope import ISO, PRIORITY, TRADITIONAL, Programs

LINES_MAX = 200  # of a block are looked at
LINE_BYTES_MAX = 1024  # of a line are looked at
FAILURE = re.compile(
    rb"fail|invalid|refused|denied|reject|wrong|incorrect|illegal|unknown user|unauthori[sz]ed|not allowed|mismatch"
    rb"|bad (?:password|user|login|auth)",
    re.IGNORECASE,
)
ADDRESS = re.compile(
    rb"(?<![0-9.])(?!127\.)[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9.]?[0-9])"
    rb"|(?<![0-9A-Za-z:])[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]{0,30}:[0-9A-Fa-f:.]{1,16}(?![0-9A-Za-z])"
)
CLOCK = re.compile(rb"\d{1,2}:\d\d:\d\d")
OF_SYSLOG = re.compile(
    PRIORITY + rb"(?:(?:" + TRADITIONAL + rb"|" + ISO + rb") [^\s:]+ )([^\s\[\]:]{1,64})(?:\[\d{1,10}\])?: "
)
WORD = re.compile(rb"[A-Za-z]{3,}")
ALIKE = 0.75  # of the words of a harmless line in another one make that harmless too
WORDS_MIN = 2


class Suspects:
    """Finds such lines of some services."""

    def __init__(self, cards: Sequence[ServiceCard]) -> None:
        cards = [card for card in cards if not all(RECORDS.issuperset(one.envelopes) for one in card.patterns)]
        self._programs = {card.id: Programs(card.reads.programs) for card in cards if card.reads.programs}
        self._known = frozenset(card.id for card in cards)
        self._harmless = {card.id: [_words(one.line.encode()) for one in card.ignored] for card in cards}

    def among(self, block: bytes, services: Collection[str]) -> Iterator[tuple[bytes, list[str]]]:
        """The suspects of a block, and which of these services each could be of; events have to be left out."""
        known = self._known.intersection(services)
        if not known or FAILURE.search(block) is None:
            return
        for line in block.split(b"\n", LINES_MAX)[:LINES_MAX]:
            if writers := self._writers(line[:LINE_BYTES_MAX], known):
                yield line, writers

    def _writers(self, line: bytes, known: Collection[str]) -> list[str]:
        """The services that the line could be a failure of, in words that nobody knows."""
        if FAILURE.search(line) is None or ADDRESS.search(CLOCK.sub(b"", line)) is None or is_access(line):
            return []
        services = sorted(known)
        match = OF_SYSLOG.match(line)
        if match is not None:
            services = [one for one in services if one in self._programs and match[1] in self._programs[one]]
            line = line[match.end() :]
        words = _words(line)
        return [one for one in services if not any(_alike(harmless, words) for harmless in self._harmless[one])]


def _words(line: bytes) -> frozenset[bytes]:
    match = OF_SYSLOG.match(line)
    return frozenset(word.lower() for word in WORD.findall(line[match.end() :] if match else line))


def _alike(harmless: frozenset[bytes], words: frozenset[bytes]) -> bool:
    shared = len(harmless & words)
    return shared >= WORDS_MIN and shared >= ALIKE * len(harmless)
