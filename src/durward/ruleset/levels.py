"""Which kernel sets there are: one plain hash set for each purpose, address family and prefix level.

Networks live in hash sets by prefix length because a set of intervals slows every user of nftables on the host.
"""

from typing import Literal, NamedTuple

TABLE = "durward"
LEVELS_V4 = (32, 24, 16)
LEVELS_V6 = (128, 64, 48, 32)
BLOCK_PREFIX_V6 = 64  # what one IPv6 customer usually has

Purpose = Literal[
    "block", "block_ports", "throttle", "out", "out_ports", "allow", "allow_ports", "allow_out", "allow_out_ports"
]  # fmt: skip
PURPOSES: tuple[Purpose, ...] = (
    "block",
    "block_ports",
    "throttle",
    "out",
    "out_ports",
    "allow",
    "allow_ports",
    "allow_out",
    "allow_out_ports",
)

# Most hosts have few networks and ports in their lists, and each look-up costs every packet. So what is looked up by
# network or port is looked up only near one of them: in the same /16, or /32 of IPv6.
NEAR_LEVELS = {4: 16, 6: 32}
Near = Literal["block_near", "throttle_near", "out_near", "allow_near"]
NEAR: tuple[Near, ...] = ("block_near", "throttle_near", "out_near", "allow_near")
NEAR_MAX = 65_536  # of IPv4 that is all

# Elements a set may hold; the kernel refuses more ("the set is full"). For each it reserves 16 bytes in advance, so the
# sets that few use are small: all together are about 11 MiB.
BLOCKED_MAX = 131_072  # addresses, and the IPv6 networks that stand for one customer
BLOCKED_AT_PORTS_MAX = 32_768  # one for each port of each of them
USUAL_MAX = 16_384  # networks blocked, and everything allowed
RARE_MAX = 2_048


class SetShape(NamedTuple):
    """One set of the table. `level` is the prefix length of its keys in bits, `size` the most elements it takes."""

    purpose: Purpose | Near
    version: Literal[4, 6]
    level: int
    size: int

    @property
    def name(self) -> str:
        """The set's name in the kernel."""
        return set_name(self.purpose, self.version, self.level)

    @property
    def has_counter(self) -> bool:
        """Whether packets are counted: not those that are only near."""
        return self.purpose not in NEAR

    @property
    def is_limited(self) -> bool:
        """Whether each element has a rate, and only what is beyond it is meant."""
        return self.purpose == "throttle"

    @property
    def has_ports(self) -> bool:
        """Whether the key is an address with a protocol and a port."""
        return self.purpose.endswith("_ports")


def levels_of(version: int, block_prefix_v6: int = BLOCK_PREFIX_V6) -> tuple[int, ...]:
    """The prefix lengths that have sets of their own, longest first. Raises ValueError for an impossible prefix."""
    if version == 4:
        return LEVELS_V4
    if not 32 <= block_prefix_v6 <= 128:
        raise ValueError(f"{block_prefix_v6} is no prefix length to block IPv6 by; 32 to 128 was expected")
    return tuple(sorted({*LEVELS_V6, block_prefix_v6}, reverse=True))


def set_name(purpose: Purpose | Near, version: int, level: int) -> str:
    """The name of a set, such as `block4_24`."""
    return f"{purpose}{version}_{level}"


def shapes(block_prefix_v6: int = BLOCK_PREFIX_V6) -> list[SetShape]:
    """Every set of the table, in a fixed order."""
    versions: tuple[Literal[4, 6], ...] = (4, 6)
    near = [SetShape(purpose, version, NEAR_LEVELS[version], NEAR_MAX) for purpose in NEAR for version in versions]
    return [
        SetShape(purpose, version, level, _size(purpose, level, block_prefix_v6))
        for purpose in PURPOSES
        for version in versions
        for level in levels_of(version, block_prefix_v6)
    ] + near


def _size(purpose: Purpose, level: int, block_prefix_v6: int) -> int:
    if level in (32, block_prefix_v6) and purpose in ("block", "block_ports"):
        return BLOCKED_MAX if purpose == "block" else BLOCKED_AT_PORTS_MAX
    usual = purpose in ("block", "allow") or (purpose == "throttle" and level in (32, block_prefix_v6))
    return USUAL_MAX if usual else RARE_MAX
