"""Advising: which advice of the services' cards the lines of their logs call for."""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from durward.catalog.service_card import Advice, Pattern, ServiceCard
from durward.model import Event
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar
from durward.scan.topology import Topology

NEARBY_MIN = 10  # so many lines, and no other address in any, are no accident
PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1",
        "fc00::/7",
        "fe80::/10",
    )
)
WHEN, UNLESS = "when", "unless"
NO_TIME = Calendar(0.0, 0)


class Called(NamedTuple):
    """Advice that is called for, whose it is, and the last line that calls for it."""

    service: str
    advice: Advice
    line: bytes


@dataclass(slots=True)
class _Seen:
    """What was seen of one advice: how many lines call for it, the last of them, and whether any settles it."""

    lines: int = 0
    last: bytes = b""
    settled: bool = False


class Advising:
    """Reads lines for the advice of some services. Raises ProblemsError for `when` and `unless` that cannot be used."""

    def __init__(self, cards: Sequence[ServiceCard], topology: Topology | None = None) -> None:
        self._advice = {card.id: card.advice for card in cards if card.advice}
        self._seen = {(card.id, place): _Seen() for card in cards for place in range(len(card.advice))}
        self._scanner = Scanner([_as_patterns(card) for card in cards if card.advice], topology)

    @property
    def services(self) -> frozenset[str]:
        """The services that have any."""
        return frozenset(self._advice)

    def read(self, block: bytes, services: Iterable[str]) -> None:
        """Take note of whole lines that are of these services."""
        wanted = self.services.intersection(services)
        if not wanted:
            return
        for event in self._scanner.events(
            block, source="advice", position=0, observed_at=0.0, calendar=NO_TIME, services=wanted
        ):
            self._note(event)

    def called(self) -> Iterator[Called]:
        """The advice that is called for so far, by service."""
        for (service, place), seen in self._seen.items():
            advice = self._advice[service][place]
            if not seen.settled and seen.lines >= (NEARBY_MIN if advice.nearby else 1):
                yield Called(service, advice, seen.last)

    def _note(self, event: Event) -> None:
        kind, _, place = event.kind.partition(" ")
        seen, advice = self._seen[event.service, int(place)], self._advice[event.service][int(place)]
        if kind == UNLESS or (advice.nearby and not _is_private(event.source_ip)):
            seen.settled = True
        else:
            seen.lines, seen.last = seen.lines + 1, event.line


def _as_patterns(card: ServiceCard) -> ServiceCard:
    """A card whose events are the lines of its advice."""
    patterns = [
        replace(pattern, event=f"{kind} {place}")
        for place, advice in enumerate(card.advice)
        for kind, pattern in _both(advice)
    ]
    return replace(card, patterns=tuple(patterns), ignored=(), also=(), exceptions=(), advice=())


def _both(advice: Advice) -> Iterator[tuple[str, Pattern]]:
    yield WHEN, advice.when
    if advice.unless is not None:
        yield UNLESS, advice.unless


def _is_private(address: str | None) -> bool:
    if address is None:
        return False
    parsed = ipaddress.ip_address(address)
    return any(parsed in network for network in PRIVATE)
