"""Which entry of a list covers an address: one dictionary look-up for each prefix length that the list uses."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Generic, TypeVar

from durward.model import Address, InvalidAddressError, Network, parse_address, parse_network

Entry = TypeVar("Entry")

BITS = {4: 32, 6: 128}


class _Family(Generic[Entry]):
    """The networks of one version of IP. `levels` maps prefix lengths to network numbers to entries, longest first."""

    def __init__(self, bits: int, networks: dict[int, dict[int, Entry]]) -> None:
        self.bits = bits
        self.levels = [(length, bits - length, networks[length]) for length in sorted(networks, reverse=True)]
        self.starts = sorted(number << rest for _, rest, level in self.levels for number in level)

    def covers(self, address: int, length_max: int) -> Entry | None:
        for length, rest, level in self.levels:
            if length <= length_max and (entry := level.get(address >> rest)) is not None:
                return entry
        return None

    def inside(self, first: int, length: int) -> Entry | None:
        """An entry whose network lies within the one that starts at `first`."""
        place = bisect_left(self.starts, first)
        last = first | ((1 << (self.bits - length)) - 1)
        if place < len(self.starts) and self.starts[place] <= last:
            return self.covers(self.starts[place], self.bits)
        return None


class Networks(Generic[Entry]):
    """A set of networks, each with its entry. Where two entries name one network, the first counts. Never changes."""

    def __init__(self, networks: Iterable[tuple[str | Network, Entry]]) -> None:
        families: dict[int, dict[int, dict[int, Entry]]] = {4: {}, 6: {}}
        self._count = 0
        for network, entry in networks:
            version, number, length = _numbers(network)
            level = families[version].setdefault(length, {})
            self._count += number not in level
            level.setdefault(number, entry)
        self._families = {version: _Family(BITS[version], levels) for version, levels in families.items()}

    def __len__(self) -> int:
        return self._count

    def covers(self, address: str | Address) -> Entry | None:
        """The entry of the narrowest network that `address` is in; None where there is none.

        Raises InvalidAddressError for a text that is no address.
        """
        address = parse_address(address) if isinstance(address, str) else address
        return self._families[address.version].covers(int(address), address.max_prefixlen)

    def overlaps(self, network: str | Network) -> Entry | None:
        """An entry whose network holds all of `network` or lies within it; None where they share no address."""
        network = parse_network(network) if isinstance(network, str) else network
        family, first = self._families[network.version], int(network.network_address)
        covering = family.covers(first, network.prefixlen)
        return family.inside(first, network.prefixlen) if covering is None else covering


def _numbers(network: str | Network) -> tuple[int, int, int]:
    """Version, network number (the bits of the prefix) and prefix length; quickly for an IPv4 address in text."""
    if isinstance(network, str):
        if network.count(".") == 3 and "/" not in network and ":" not in network:
            return 4, _ipv4_number(network), 32
        network = parse_network(network)
    rest = network.max_prefixlen - network.prefixlen
    return network.version, int(network.network_address) >> rest, network.prefixlen


def _ipv4_number(text: str) -> int:
    first, second, third, fourth = text.split(".")
    try:
        octets = bytes((int(first), int(second), int(third), int(fourth)))
    except ValueError:
        raise InvalidAddressError(f"{text!r} is not an IPv4 or IPv6 address") from None
    return int.from_bytes(octets)
