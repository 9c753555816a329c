"""Suspects: lines that look like a failure of somebody, and that no pattern takes.

A daemon that was upgraded may write its failures in other words than before. Its card then finds nothing, as on a quiet
day. What tells the two apart are lines of the service's own programs with an address and a word of failure in them, and
unlike anything that the card knows to be harmless.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from durward.catalog.service_card import RECORDS, ServiceCard
from durward.scan.access import is_access
from durward.scan.envelope import ISO, PRIORITY, TRADITIONAL, Programs

LINES_MAX = 200  # of a block are looked at
SHARED_LINES_MAX = 64  # of a block tell whose its lines are
LINE_BYTES_MAX = 1024  # of a line are looked at
NAME_BYTES_MAX = 256  # in them stands the name of a line's program
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
NAMED = PRIORITY + rb"(?:(?:" + TRADITIONAL + rb"|" + ISO + rb") [^\s:]+ )([^\s\[\]:]{1,64})(?:\[\d{1,10}\])?: "
OF_SYSLOG = re.compile(NAMED)
PROGRAMS = re.compile(rb"^" + NAMED, re.MULTILINE)
WRITERS_MAX = 1024  # programs of which is remembered whose they are; all are forgotten beyond that
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
        self._whose: dict[bytes, tuple[str, ...]] = {}

    def among(self, block: bytes, services: Collection[str]) -> Iterator[tuple[bytes, list[str]]]:
        """The suspects of a block, and which of these services each could be of; events have to be left out."""
        known = self._known.intersection(services)
        if not known or FAILURE.search(block) is None:
            return
        for line in block.split(b"\n", LINES_MAX)[:LINES_MAX]:
            if writers := self._writers(line[:LINE_BYTES_MAX], known):
                yield line, writers

    def shares(self, block: bytes, services: Collection[str]) -> dict[str, float]:
        """Which part of the lines of a block each of these services seems to have written; only its first lines count.

        A line that names its program is of those to whom that belongs, and any other could be everybody's.
        """
        lines = block.split(b"\n", SHARED_LINES_MAX)[:SHARED_LINES_MAX]
        count = len(lines) - (not lines[-1])
        if count <= 0:
            return {}
        programs = Counter(PROGRAMS.findall(b"\n".join(line[:NAME_BYTES_MAX] for line in lines)))
        nameless = count - programs.total()
        found: Counter[str] = Counter(dict.fromkeys(self._known.intersection(services), nameless) if nameless else {})
        for program, times in programs.items():
            found.update(dict.fromkeys(self._of(program), times))
        return {service: found[service] / count for service in found.keys() & set(services)}

    def _of(self, program: bytes) -> tuple[str, ...]:
        """The services that write under this name."""
        whose = self._whose.get(program)
        if whose is None:
            if len(self._whose) >= WRITERS_MAX:
                self._whose.clear()
            whose = tuple(service for service, programs in self._programs.items() if program in programs)
            self._whose[program] = whose
        return whose

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
