"""Crawlers of search engines that are verified: what web servers say of them is not counted."""

from collections.abc import Iterable

from durward.catalog.service_card import ServiceCard
from durward.model import Port, Scope

WEB = Scope((Port(80), Port(443)))  # what they are let off; who guesses passwords elsewhere is blocked, whoever it is
CRAWLERS_MAX = 10_000  # beyond it the one that was verified first has to be verified anew
SPARE_SECONDS = 86400.0
WEB_KINDS = ("http.", "waf.", "crawler.")


def web_services(cards: Iterable[ServiceCard]) -> frozenset[str]:
    """The services whose lines are about requests of the web."""
    return frozenset(
        card.id for card in cards if card.also or any(one.event.startswith(WEB_KINDS) for one in card.patterns)
    )


class Verified:
    """Addresses of crawlers, each with what verified it and until when that holds (epoch seconds)."""

    def __init__(self) -> None:
        self._crawlers: dict[str, tuple[str, float]] = {}

    def note(self, address: str, reason: str, until: float) -> None:
        """An address is a crawler's."""
        self._crawlers.pop(address, None)
        self._crawlers[address] = (reason, until)
        if len(self._crawlers) > CRAWLERS_MAX:
            del self._crawlers[next(iter(self._crawlers))]

    def reason(self, address: str) -> str | None:
        """What verified an address; None for one that is not known."""
        known = self._crawlers.get(address)
        return known[0] if known is not None else None

    def expire(self, now: float) -> None:
        """Let go of what has ended."""
        self._crawlers = {address: known for address, known in self._crawlers.items() if known[1] > now}

    def __len__(self) -> int:
        return len(self._crawlers)
