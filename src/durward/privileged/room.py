"""Room in the kernel's sets: where one is full, what stands in it stays, and a newcomer is refused with the reason."""

import errno
from collections.abc import Callable, Sequence

from durward.model import Standing
from durward.privileged.failure import KernelError
from durward.privileged.sets import Sets
from durward.ruleset.claims import Claims
from durward.ruleset.elements import Element
from durward.ruleset.levels import shapes

TOLD_MAX = 8  # full sets are named; more would not fit into one answer
FULL_SECONDS = 3600.0  # for so long after the last refusal a set counts as full, if nothing was put there since
Add = Callable[[Sequence[Element]], None]


class Room:
    """Puts standings into the kernel. Everything else that the kernel refuses raises KernelError."""

    def __init__(self, sets: Sets, claims: Claims, block_prefix_v6: int) -> None:
        self._sets = sets
        self._claims = claims
        self._sizes = {shape.name: shape.size for shape in shapes(block_prefix_v6)}
        self._full: dict[str, float] = {}  # the last refusal for want of room, by set

    def put(self, standings: Sequence[Standing], now: float, add: Add) -> dict[Standing, str]:
        """Claim and `add` what standings need; give those for which there is no room, each with the reason."""
        elements = [element for standing in standings for element in self._claims.add(standing, now)]
        try:
            add(elements)
        except KernelError as error:
            if error.number != errno.ENFILE:
                raise
        else:
            self._has_room(elements)
            return {}
        refused = {standing: self._put_one(standing, now) for standing in standings}
        return {standing: reason for standing, reason in refused.items() if reason}

    def full(self, now: float) -> list[str]:
        """The sets that had no room of late, in plain words."""
        full = [name for name, at in sorted(self._full.items()) if abs(now - at) < FULL_SECONDS]
        return [self._words(name) for name in full[:TOLD_MAX]]

    def _put_one(self, standing: Standing, now: float) -> str:
        elements = self._claims.add(standing, now)
        try:
            self._add(elements)
        except KernelError as error:
            if error.number != errno.ENFILE:
                raise
            change = self._claims.drop(standing, now)
            self._sets.remove(change.take)
            self._sets.add(change.put)
            self._full[elements[0].set_name] = now
            return self._words(elements[0].set_name)
        self._has_room(elements)
        return ""

    def _add(self, elements: Sequence[Element]) -> None:
        keys = [element.identity for element in elements if element.set_name == elements[0].set_name]
        if keys and None not in self._sets.read(keys):
            self._sets.remove(keys)  # a full set has no room for the new one while the old one is there
        self._sets.add(elements)

    def _has_room(self, elements: Sequence[Element]) -> None:
        if self._full:
            for name in {element.set_name for element in elements}:
                self._full.pop(name, None)

    def _words(self, name: str) -> str:
        size = self._sizes[name]
        return f"the kernel's set {name} is full: it holds {size:,} entries, and none is given up for another"
