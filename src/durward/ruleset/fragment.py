"""Fragment: what one part of the firewall adds, and in which slot. The order of the slots is in firewall.py."""

import hashlib
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Fragment:
    """Lines of nftables text, by slot. Sets and chains stand for themselves; the others are rules of a slot."""

    sets: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    arriving: tuple[str, ...] = ()
    accepting: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    nat_arriving: tuple[str, ...] = ()
    nat_leaving: tuple[str, ...] = ()
    nat_routed: tuple[str, ...] = ()
    early: tuple[str, ...] = ()
    ending: tuple[str, ...] = ()
    published: tuple[str, ...] = ()

    def __add__(self, other: "Fragment") -> "Fragment":
        """Both, one after the other in each slot."""
        return Fragment(*(getattr(self, slot.name) + getattr(other, slot.name) for slot in fields(self)))


def meter_name(purpose: str, *parameters: object) -> str:
    """The name of a set that keeps its contents over an apply, as long as its parameters stay the same."""
    digest = hashlib.sha256(repr(parameters).encode()).hexdigest()[:8]
    return f"meter_{purpose}_{digest}"
