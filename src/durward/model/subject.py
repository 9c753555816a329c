"""Subject: whom a decision is about. Today an address or a network."""

import re
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, ip_network
from typing import Literal, Self

from durward.model.address import Address, InvalidAddressError, Network, parse_network, text_of

OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
CANONICAL_IPV4 = re.compile(rf"(?:{OCTET}\.){{3}}{OCTET}")
HALF_BITS = 64  # of an IPv6 address are its network's; that is how most are counted

Kind = Literal["address", "network", "user", "process", "file"]


@dataclass(frozen=True)
class Subject:
    """One address or network in canonical text, or the name of a user, process or file."""

    kind: Kind
    value: str

    def __post_init__(self) -> None:
        if self.kind == "address" and CANONICAL_IPV4.fullmatch(self.value):
            return  # as most subjects are; parsing takes ten times as long, and waits until `network` is asked for
        if self.kind in ("address", "network"):
            network = parse_network(self.value)
            self.__dict__["network"] = network  # what cached_property would keep: it is parsed once
            if text_of(network) != self.value or self.kind != _kind_of(network):
                raise InvalidAddressError(f"{self.value!r} is not the canonical form of {text_of(network)!r}")
        elif not self.value:
            raise ValueError(f"a {self.kind} needs a name")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address or a network. Raises InvalidAddressError."""
        if CANONICAL_IPV4.fullmatch(text):
            return cls("address", text)
        return cls.of(parse_network(text))

    @classmethod
    def of(cls, network: Network) -> Self:
        """The subject that stands for `network`."""
        return cls(_kind_of(network), text_of(network))

    @classmethod
    def around(cls, address: Address, prefix_v6: int) -> Self:
        """The subject to count for `address`: itself, or for IPv6 its network of `prefix_v6` bits."""
        if address.version == 4 or prefix_v6 == address.max_prefixlen:
            return cls("address", str(address))
        if prefix_v6 == HALF_BITS:
            return cls._trusted("network", _half(int(address) >> HALF_BITS))
        return cls("network", str(ip_network((address, prefix_v6), strict=False)))

    @classmethod
    def _trusted(cls, kind: Kind, value: str) -> Self:
        """A subject whose value is known to be in canonical form: to look is what takes most of the time."""
        subject = cls.__new__(cls)
        subject.__dict__.update(kind=kind, value=value)
        return subject

    @cached_property
    def network(self) -> Network:
        """The addresses that this subject covers. Raises InvalidAddressError where it covers none."""
        if self.kind == "address" and CANONICAL_IPV4.fullmatch(self.value):
            return IPv4Network(self.value)
        return parse_network(self.value)


def _half(number: int) -> str:
    """The network whose first half is `number`, written by RFC 5952: its second half is in the longest run of zeros."""
    groups = [f"{number >> shift & 0xFFFF:x}" for shift in (48, 32, 16, 0)]
    while groups and groups[-1] == "0":
        groups.pop()
    return f"{':'.join(groups)}::/{HALF_BITS}"


def _kind_of(network: Network) -> Kind:
    return "address" if network.prefixlen == network.max_prefixlen else "network"
