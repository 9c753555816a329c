"""Which standings claim which elements: so that lifting one of two that overlap leaves what the other one needs."""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from durward.model import Standing, Subject
from durward.ruleset.elements import TIMEOUT_SECONDS_MIN, Element, ElementKey, comment_of, elements_of, keys_of
from durward.ruleset.levels import BLOCK_PREFIX_V6


class Claim(NamedTuple):
    """One standing's wish for one element: whose, until when (epoch seconds; None: for ever), by which decision."""

    subject: str
    until: float | None
    decision: int

    def lasts_to(self) -> float:
        """The end of the claim as a number that can be compared."""
        return float("inf") if self.until is None else self.until


class Change(NamedTuple):
    """What to do in the kernel: put these elements there, and take those away."""

    put: list[Element]
    take: list[ElementKey]


class Claims:
    """All claims on the kernel's elements. As large as the lists that the engine has put there; it bounds them."""

    def __init__(self, block_prefix_v6: int = BLOCK_PREFIX_V6) -> None:
        self._prefix = block_prefix_v6
        self._claims: dict[ElementKey, tuple[Claim, ...]] = {}

    def __len__(self) -> int:
        return len(self._claims)

    def __contains__(self, key: ElementKey) -> bool:
        return key in self._claims

    def add(self, standing: Standing, now: float) -> list[Element]:
        """Note the claims of `standing`; give the elements to put into the kernel for it. Raises TooWideError."""
        claim = Claim(standing.subject.value, standing.until, standing.decision)
        elements = []
        for element in elements_of(standing, now, self._prefix):
            before = self._claims.get(element.identity, ())
            others = tuple(other for other in before if other.subject != claim.subject)
            self._claims[element.identity] = (*others, claim)
            longest = max((claim, *others), key=Claim.lasts_to)
            if longest is claim:
                elements.append(element)
            elif any(one.subject == claim.subject and one.lasts_to() >= longest.lasts_to() for one in before):
                # It was the longest until now, so the kernel has it: what outlasts it takes its place.
                elements += self._elements_for(longest, element.identity, standing, now)
        return elements

    def drop(self, standing: Standing, now: float) -> Change:
        """Forget the claims of `standing`; give what that changes. What nobody else claims is taken away."""
        change = Change([], [])
        for key in keys_of(standing, self._prefix):
            rest = [claim for claim in self._claims.pop(key, ()) if claim.subject != standing.subject.value]
            self._settle(key, standing, [claim for claim in rest if claim.lasts_to() > now], now, change)
        return change

    def keep_only(self, purposes: tuple[str, ...], kept: set[tuple[ElementKey, str]]) -> list[ElementKey]:
        """Forget the claims on sets whose names begin with one of `purposes`, but for (element, subject) in `kept`.

        Gives the elements that nobody claims any more.
        """
        gone = []
        for key, claims in list(self._claims.items()):
            if not key.set_name.startswith(purposes):
                continue
            rest = tuple(claim for claim in claims if (key, claim.subject) in kept)
            if rest:
                self._claims[key] = rest
            else:
                del self._claims[key]
                gone.append(key)
        return gone

    def elements(self, now: float, keys: Iterable[ElementKey] | None = None) -> list[Element]:
        """What must be in the kernel by all claims, or of it the elements `keys`; what has run out is left out."""
        longest = (
            (key, max(claims, key=Claim.lasts_to))
            for key in (self._claims if keys is None else keys)
            if (claims := self._claims.get(key))
        )
        return [
            Element(*key, 0.0 if claim.until is None else claim.until - now, comment_of(claim.decision))
            for key, claim in longest
            if claim.lasts_to() - now >= TIMEOUT_SECONDS_MIN
        ]

    def expire(self, now: float) -> None:
        """Forget claims whose time is over; the kernel has let the elements go by itself."""
        ended = [key for key, claims in self._claims.items() if all(claim.lasts_to() <= now for claim in claims)]
        for key in ended:
            del self._claims[key]

    def keys(self, standings: Iterable[Standing]) -> list[list[ElementKey]]:
        """The elements of each standing."""
        return [keys_of(standing, self._prefix) for standing in standings]

    def _settle(self, key: ElementKey, like: Standing, rest: list[Claim], now: float, change: Change) -> None:
        if not rest:
            change.take.append(key)
            return
        self._claims[key] = tuple(rest)
        change.put.extend(self._elements_for(max(rest, key=Claim.lasts_to), key, like, now))

    def _elements_for(self, claim: Claim, key: ElementKey, like: Standing, now: float) -> list[Element]:
        """The element `key` as `claim` wants it, whose listing and scope are those of `like`."""
        other = replace(like, subject=Subject.parse(claim.subject), until=claim.until, decision=claim.decision)
        return [element for element in elements_of(other, now, self._prefix) if element.identity == key]
