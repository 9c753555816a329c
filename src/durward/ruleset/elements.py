"""What must be true in the kernel, as elements of its sets: one for each standing, more between the prefix levels."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from durward.model import Address, Network, Port, Standing
from durward.ruleset.levels import BLOCK_PREFIX_V6, NEAR_LEVELS, Near, Purpose, levels_of, set_name

ELEMENTS_MAX = 256  # that one network may be widened into; a wider one is refused
COMMENT_BYTES_MAX = 127  # what nft prints of a comment
KEY_BYTES = (4, 16, 12, 24)  # an address of either family, without and with a protocol and a port
TIMEOUT_SECONDS_MIN = 0.001  # the kernel's grain; its 0 would mean for ever
PROTOCOL_NUMBERS = {"tcp": 6, "udp": 17}


class TooWideError(ValueError):
    """A network that would need more than ELEMENTS_MAX elements."""


class ElementKey(NamedTuple):
    """What identifies an element: its set, and its key as the kernel stores it."""

    set_name: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Element:
    """One element of one set. `timeout_seconds` counts from when it is added; 0 is for ever."""

    set_name: str
    key: bytes
    timeout_seconds: float
    comment: str

    def __post_init__(self) -> None:
        if len(self.key) not in KEY_BYTES:
            raise ValueError(f"{self.key.hex()} is no key; 4 or 16 bytes, or 8 more for a port, were expected")
        if self.timeout_seconds and not self.timeout_seconds >= TIMEOUT_SECONDS_MIN:
            raise ValueError(f"{self.timeout_seconds} is no timeout; {TIMEOUT_SECONDS_MIN} s or more was expected")
        if len(self.comment.encode()) > COMMENT_BYTES_MAX or not self.comment.isprintable():
            raise ValueError(
                f"{self.comment!r} is no comment; {COMMENT_BYTES_MAX} printable bytes at most were expected"
            )

    @property
    def identity(self) -> ElementKey:
        """Which element it is, whatever its timeout and comment."""
        return ElementKey(self.set_name, self.key)


def elements_of(standing: Standing, now: float, block_prefix_v6: int = BLOCK_PREFIX_V6) -> list[Element]:
    """The elements that make `standing` true; none for one that has run out, is only ignored, or is no network.

    `now` is epoch seconds; `block_prefix_v6` as in the skeleton. Raises TooWideError.
    """
    timeout_seconds = 0.0 if standing.until is None else standing.until - now
    if standing.until is not None and timeout_seconds < TIMEOUT_SECONDS_MIN:
        return []
    comment = comment_of(standing.decision)
    return [Element(*key, timeout_seconds, comment) for key in keys_of(standing, block_prefix_v6)]


def comment_of(decision: int) -> str:
    """What an element says of itself: the decision that put it there."""
    return f"decision {decision}"


def keys_of(standing: Standing, block_prefix_v6: int = BLOCK_PREFIX_V6) -> list[ElementKey]:
    """Which elements `standing` is about, whether it has run out or not. Raises TooWideError."""
    if standing.listing == "ignore" or standing.subject.kind not in ("address", "network"):
        return []
    network, scope = standing.subject.network, standing.scope
    level = _level_of(network, block_prefix_v6)
    name = set_name(_purpose_of(standing), network.version, level)
    ends = [_port_key(port) for port in scope.ports] or [b""]
    keys = [ElementKey(name, base + end) for base in _bases(network, level) for end in ends]
    return keys + _near(standing, network, level, block_prefix_v6)


def live_key(peer: Address, peer_port: int, port: int) -> ElementKey:
    """Where the skeleton remembers a connection of somebody blocked to a port that he was allowed."""
    return ElementKey(f"live{peer.version}", peer.packed + struct.pack(">H2xH2x", peer_port, port))


def desired(
    standings: Iterable[Standing], now: float, block_prefix_v6: int = BLOCK_PREFIX_V6
) -> dict[ElementKey, Element]:
    """All elements that must be there. Where several standings give the same one, the one that lasts longest is it.

    So when a standing is taken back, the element is not simply removed: ask again and do what this says.
    """
    chosen: dict[ElementKey, Element] = {}
    for standing in standings:
        for element in elements_of(standing, now, block_prefix_v6):
            other = chosen.get(element.identity)
            if other is None or _lasts(element) > _lasts(other):
                chosen[element.identity] = element
    return chosen


def _lasts(element: Element) -> float:
    return element.timeout_seconds or float("inf")


def _purpose_of(standing: Standing) -> Purpose:
    has_ports, out = bool(standing.scope.ports), standing.scope.direction == "out"
    if standing.listing == "allow":
        plain: Purpose = "allow_out" if out else "allow"
        ports: Purpose = "allow_out_ports" if out else "allow_ports"
    elif standing.listing == "throttle":
        return "throttle"
    else:
        plain, ports = ("out", "out_ports") if out else ("block", "block_ports")
    return ports if has_ports else plain


def _level_of(network: Network, block_prefix_v6: int) -> int:
    level = _level_above(network.version, network.prefixlen, block_prefix_v6)
    if 1 << (level - network.prefixlen) > ELEMENTS_MAX:
        raise TooWideError(f"{network} is too wide: it would take more than {ELEMENTS_MAX} networks of /{level}")
    return level


@lru_cache(maxsize=512)
def _level_above(version: int, prefix: int, block_prefix_v6: int) -> int:
    return min(level for level in levels_of(version, block_prefix_v6) if level >= prefix)


def _near(standing: Standing, network: Network, level: int, block_prefix_v6: int) -> list[ElementKey]:
    """The elements without which the others are not looked up: all but those of plain blocks and allowed ways out."""
    purpose = _purpose_of(standing)
    plain = 32 if network.version == 4 else block_prefix_v6
    if purpose.startswith("allow_out") or (purpose == "block" and level == plain):
        return []
    near: Near = "allow_near" if purpose.startswith("allow") else "out_near" if purpose[0] == "o" else "block_near"
    # Throttles are looked up after blocks, and only near one.
    leading: tuple[Near, ...] = ("block_near", "throttle_near") if purpose == "throttle" else (near,)
    wide = NEAR_LEVELS[network.version]
    around = network if network.prefixlen <= wide else network.supernet(new_prefix=wide)
    names = [set_name(near, network.version, wide) for near in leading]
    return [ElementKey(name, base) for name in names for base in _bases(around, wide)]


def _bases(network: Network, level: int) -> list[bytes]:
    if level == network.prefixlen:
        return [network.network_address.packed]  # as for every address: a restart asks this a hundred thousand times
    first, size_bytes = int(network.network_address), network.max_prefixlen // 8
    step = 1 << (network.max_prefixlen - level)
    return [(first + index * step).to_bytes(size_bytes) for index in range(1 << (level - network.prefixlen))]


def _port_key(port: Port) -> bytes:
    # Each part of a concatenation is padded to four bytes.
    return struct.pack(">B3xH2x", PROTOCOL_NUMBERS[port.protocol], port.number)
