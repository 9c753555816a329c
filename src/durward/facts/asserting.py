"""Which assertions a set of rules breaks: the real kernel judges packets, all in one throw-away network."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import NamedTuple

from durward.config.assertions import Assertion
from durward.facts.packet import Packet, Ways
from durward.facts.passing import judged
from durward.model import Address, Network
from durward.ruleset.journey import Journey

# Nobody's addresses, which no network for special purposes holds either (the former relays of RFC 7526).
STRANGERS_V4, STRANGERS_V6 = IPv4Network("192.88.99.0/24"), IPv6Network("2002:c058:6300::/40")
STRANGER_BITS_V6 = 80  # each in a network of its own: 2002:c058:63xx::/48


class Broken(NamedTuple):
    """An assertion that is not true: for this packet, by this journey."""

    assertion: Assertion
    packet: Packet
    journey: Journey


def broken(rules: str, assertions: Sequence[Assertion], ways: Ways) -> list[Broken]:
    """What is not true of `rules`, once for each assertion, in their order. Raises FactsError."""
    asked = [(one, packet) for index, one in enumerate(assertions) for packet in packets_of(one, ways, index)]
    packets = list(dict.fromkeys(packet for _, packet in asked))
    journeys = dict(zip(packets, judged(rules, packets), strict=True)) if packets else {}
    found: dict[Assertion, Broken] = {}
    for one, packet in asked:
        if journeys[packet].passes != one.reaches:
            found.setdefault(one, Broken(one, packet, journeys[packet]))
    return list(found.values())


def packets_of(assertion: Assertion, ways: Ways, index: int = 0) -> Iterator[Packet]:
    """The packets that an assertion is tried with; strangers of different `index` are different ones."""
    port, protocol = assertion.port, assertion.protocol
    if assertion.destination is not None:
        yield ways.leaving(None, assertion.destination, protocol, port)
        return
    for source in addresses_of(assertion, ways, index):
        yield ways.arriving(source, None, protocol, port)


def addresses_of(assertion: Assertion, ways: Ways, index: int = 0) -> Iterator[Address]:
    """Who stands for those that an assertion is about: strangers, or the first, a middle and the last of a network."""
    if assertion.destination is not None:
        yield assertion.destination
    elif isinstance(assertion.who, str):
        versions = [version for version in (4, 6) if ways.has(version)] or [4, 6]
        yield from (stranger(version, index) for version in versions)
    else:
        yield from _samples(assertion.who)


def stranger(version: int, index: int = 0) -> Address:
    """An address that nobody in particular has."""
    if version == 4:
        return STRANGERS_V4[1 + index % 254]
    return STRANGERS_V6.network_address + ((1 + index % 254) << STRANGER_BITS_V6) + 1


def _samples(network: Network) -> list[Address]:
    first, last = int(network.network_address), int(network.broadcast_address)
    inner = int(last - first > 1)  # the ends of a larger network are no hosts
    ends = (first + inner, (first + last) // 2, last - inner)
    return [ip_address(number) if network.version == 4 else _six(number) for number in dict.fromkeys(ends)]


def _six(number: int) -> Address:
    return ip_address(number.to_bytes(16))
