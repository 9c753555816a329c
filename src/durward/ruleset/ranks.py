"""The ranks of what lists and people say of one packet: the higher one decides. The rules ask in this order."""

from typing import Literal

from durward.model import EVERYTHING, Scope

Rank = Literal["allow", "allow_ports", "allow_filter", "block", "block_ports", "throttle", "deny_filter"]

RANKS: tuple[Rank, ...] = ("allow", "allow_ports", "allow_filter", "block", "block_ports", "throttle", "deny_filter")
WORDS: dict[Rank, str] = {
    "allow": "allowed",
    "allow_ports": "allowed at some ports",
    "allow_filter": "allowed by a filter",
    "block": "blocked",
    "block_ports": "blocked at some ports",
    "throttle": "throttled",
    "deny_filter": "denied by a filter",
}


def rank_of(listing: str, scope: Scope) -> Rank:
    """The rank of an entry that the kernel's sets carry."""
    if listing == "allow":
        return "allow" if not scope.ports else "allow_ports"
    if listing == "throttle":
        return "throttle"
    return "block" if not scope.ports else "block_ports"


def overrules(higher: tuple[Rank, Scope], direction: str) -> bool:
    """Whether an entry leaves nothing to decide for those below it that are about one direction.

    Whoever is allowed may be talked to as well; a block is about its own direction alone.
    """
    rank, scope = higher
    return (rank == "allow" and scope == EVERYTHING) or (
        rank in ("allow", "block") and not scope.ports and scope.direction == direction
    )
