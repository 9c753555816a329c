"""Which standings claim which elements: so that lifting one of two that overlap leaves what the other one needs."""

from collections.abc import Iterable
from typing import NamedTuple

from durward.model import Listing, Scope, Standing
from durward.ruleset.elements import TIMEOUT_SECONDS_MIN, Element, ElementKey, comment_of, elements_of, keys_of
from durward.ruleset.levels import BLOCK_PREFIX_V6


class Claim(NamedTuple):
    """One standing's wish for one element: whose, until when (epoch seconds; None: for ever), by which decision.

    Who is blocked at two ports has two, and so has who is throttled beside it: they share the element that says where
    ports and throttles are looked up at all.
    """

    listing: Listing
    subject: str
    scope: Scope
    until: float | None
    decision: int

    def is_of(self, standing: Standing) -> bool:
        """Whether it is this standing's wish, as it is or as it was before."""
        theirs = standing.listing, standing.subject.value, standing.scope
        return (self.listing, self.subject, self.scope) == theirs

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
        claim = Claim(standing.listing, standing.subject.value, standing.scope, standing.until, standing.decision)
        elements = []
        for element in elements_of(standing, now, self._prefix):
            before = self._claims.get(element.identity, ())
            others = tuple(other for other in before if not other.is_of(standing))
            self._claims[element.identity] = (*others, claim)
            longest = max((claim, *others), key=Claim.lasts_to)
            if longest is claim:
                elements.append(element)
            elif any(one.is_of(standing) and one.lasts_to() >= longest.lasts_to() for one in before):
                # It was the longest until now, so the kernel has it: what outlasts it takes its place.
                elements += _wanted(element.identity, longest, now)
        return elements

    def drop(self, standing: Standing, now: float) -> Change:
        """Forget the claims of `standing`; give what that changes. What nobody else claims is taken away."""
        change = Change([], [])
        for key in keys_of(standing, self._prefix):
            rest = [claim for claim in self._claims.pop(key, ()) if not claim.is_of(standing)]
            self._settle(key, [claim for claim in rest if claim.lasts_to() > now], now, change)
        return change

    def keep_only(self, listing: Listing, kept: set[tuple[ElementKey, str]]) -> list[ElementKey]:
        """Forget the claims of one list, but for (element, subject) in `kept`.

        Gives the elements that nobody claims any more.
        """
        gone = []
        for key, claims in list(self._claims.items()):
            rest = tuple(claim for claim in claims if claim.listing != listing or (key, claim.subject) in kept)
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
        return [element for key, claim in longest for element in _wanted(key, claim, now)]

    def expire(self, now: float) -> None:
        """Forget claims whose time is over; the kernel has let the elements go by itself."""
        ended = [key for key, claims in self._claims.items() if all(claim.lasts_to() <= now for claim in claims)]
        for key in ended:
            del self._claims[key]

    def keys(self, standings: Iterable[Standing]) -> list[list[ElementKey]]:
        """The elements of each standing."""
        return [keys_of(standing, self._prefix) for standing in standings]

    def _settle(self, key: ElementKey, rest: list[Claim], now: float, change: Change) -> None:
        if not rest:
            change.take.append(key)
            return
        self._claims[key] = tuple(rest)
        change.put.extend(_wanted(key, max(rest, key=Claim.lasts_to), now))


def _wanted(key: ElementKey, claim: Claim, now: float) -> list[Element]:
    """The element `key` as `claim` wants it; none where its time is over."""
    if claim.lasts_to() - now < TIMEOUT_SECONDS_MIN:
        return []
    return [Element(*key, 0.0 if claim.until is None else claim.until - now, comment_of(claim.decision))]
