"""Lays what stands for this host's network in a throw-away one: cards of the same names, addresses, routes."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from durward.facts.asking import answer_of
from durward.facts.failure import FactsError
from durward.facts.packet import LOOPBACK, Packet, Route
from durward.model import Address

NAME = re.compile(r"[A-Za-z0-9_.:@+-]{1,15}", re.ASCII)
CARDS_MAX = 250  # that packets of one question may come by; more are refused
ADDRESS_SECONDS_MAX = 5.0  # until IPv6 addresses can be used
LOOK_SECONDS = 0.002
NETWORK = Path("/proc/sys/net")
ROUTES_V6 = Path("/proc/self/net/ipv6_route")
LOCAL_FLAG = 0x80000000  # RTF_LOCAL
Onward = Mapping[Address, Route]  # where packets are redirected to, and how they leave for there
FORWARDING = ("ipv4/ip_forward", "ipv6/conf/all/forwarding")
QUIET = {
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv6/conf/default/accept_dad": "0",
    "ipv6/conf/default/accept_ra": "0",
    "ipv6/conf/default/router_solicitations": "0",
}


def forwarding_now() -> dict[str, str]:
    """Which families this host forwards, as the kernel's settings say."""
    return {name: (NETWORK / name).read_text("ascii").strip() for name in FORWARDING if (NETWORK / name).exists()}


def cards_of(packets: Sequence[Packet], onward: Onward) -> list[str]:
    """The interfaces that packets come to and leave by, in a fixed order. Raises FactsError."""
    used = {card for packet in packets for card in (packet.interface, packet.onward)}
    used |= {route.interface for route in onward.values()}
    cards = sorted(used - {LOOPBACK, ""})
    if len(cards) > CARDS_MAX or not all(map(NAME.fullmatch, cards)):
        raise FactsError(f"at most {CARDS_MAX} interfaces with plain names were expected")
    return cards


def lay(packets: Sequence[Packet], onward: Onward, forwarding: dict[str, str]) -> None:
    """Make the cards that `packets` need, with addresses and routes, in this network namespace. Raises FactsError."""
    for name, value in {**QUIET, **forwarding}.items():
        if (NETWORK / name).exists():
            (NETWORK / name).write_text(value, encoding="ascii")
    cards = cards_of(packets, onward)
    answer_of(
        "ip", "-batch", "-", given="".join(f"{line}\n" for line in dict.fromkeys(_commands(packets, onward, cards)))
    )
    _await_addresses({address.packed for packet in packets if (address := _own(packet)) and address.version == 6})


def hardware(number: int, *, far: bool = False) -> str:
    """The hardware address of a card, or of the far end of its cable: locally administered."""
    return f"02:64:77:00:{int(far):02x}:{number:02x}"


def far_end(number: int) -> str:
    """The name of the other end of a card's cable, by which packets come in; `cards_of` takes no such name."""
    return f"far~{number}"


def _commands(packets: Sequence[Packet], onward: Onward, cards: list[str]) -> Iterator[str]:
    yield f"link set {LOOPBACK} up"
    for number, card in enumerate(cards):
        far = far_end(number)
        yield f"link add name {card} address {hardware(number)} type veth peer name {far}"
        yield f"link set {card} up"
        yield f"link set {far} up"
    for target, route in onward.items():
        if route.own is not None:
            yield _address(route.own, route.interface)  # which masquerading makes the source
        yield _route(target, route.interface)
    for packet in packets:
        own, remote = _own(packet), packet.source if packet.direction == "in" else packet.destination
        if own is None:
            yield _route(packet.destination, packet.onward)
        elif not own.is_loopback:
            yield _address(own, packet.interface)
        if packet.interface != LOOPBACK:
            yield _route(remote, packet.interface)
        elif not remote.is_loopback:
            yield _address(remote, LOOPBACK)


def _own(packet: Packet) -> Address | None:
    """The end of a packet that is this host; None where it only passes by."""
    if packet.direction == "out":
        return packet.source
    return None if packet.onward else packet.destination


def _address(address: Address, card: str) -> str:
    return f"address replace {address}/{address.max_prefixlen} dev {card} nodad"


def _route(address: Address, card: str) -> str:
    return f"route replace {address} dev {card}"


def _await_addresses(addresses: set[bytes]) -> None:
    """The kernel gives an IPv6 address its route a moment later."""
    until = time.monotonic() + ADDRESS_SECONDS_MAX
    while addresses:
        rows = [line.split() for line in ROUTES_V6.read_text("ascii").splitlines()]
        addresses -= {bytes.fromhex(row[0]) for row in rows if int(row[8], 16) & LOCAL_FLAG}
        if addresses and time.monotonic() > until:
            raise FactsError("an IPv6 address did not come into use")
        if addresses:
            time.sleep(LOOK_SECONDS)
