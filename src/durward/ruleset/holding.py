"""A merged list as text, with the few networks that matter to a question: for a network that is thrown away."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from durward.model import Network
from durward.ruleset.levels import TABLE
from durward.ruleset.merged import MergedList, contents, declarations
from durward.ruleset.prefixes import HALF, Piece, Prefixes


def holding(merged: MergedList, networks: Iterable[Network], generation: str) -> str:
    """Commands that make the sets of a list with these networks alone and lead a generation's chain to them."""
    prefixes = Prefixes()
    for network in networks:
        add = prefixes.add_v4 if network.version == 4 else prefixes.add_v6
        add(int(network.network_address), network.prefixlen)
    filling = prefixes.filling(1)
    lines = [*declarations(merged.name, filling)]
    for piece in prefixes.pieces(filling):
        if piece.values:
            set_name = filling.set_name(merged.name, piece.version, piece.level)
            lines.append(f"add element inet {TABLE} {set_name} {{ {', '.join(_texts(piece))} }}\n")
    return "".join(lines) + contents(merged, filling, [generation])


def _texts(piece: Piece) -> Iterator[str]:
    for value in sorted(piece.values):
        whole = value << HALF if piece.version == 6 and piece.level <= HALF else value
        yield str(ip_address(whole.to_bytes(4 if piece.version == 4 else 16)))
