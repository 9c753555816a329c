"""Addresses as lists write them: one address, a network, or an interval, as the networks that make it up."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network, summarize_address_range

from durward.model import Address, InvalidAddressError, Network, parse_address
from durward.model.address import MAPPED_BITS, text_of


def networks_of(text: str) -> tuple[str, ...]:
    """The canonical texts of an address, of a network, or of the few networks that `192.0.2.10-192.0.2.20` is.

    An interval gives 254 at most, of one address family. Raises InvalidAddressError.
    """
    first, dash, last = text.partition("-")
    if not dash:
        return (network_of(text),)
    begin, end = parse_address(first.strip()), parse_address(last.strip())
    if begin.version != end.version:
        raise InvalidAddressError(f"{text!r} begins with IPv{begin.version} and ends with IPv{end.version}")
    if begin > end:  # type: ignore[operator]
        raise InvalidAddressError(f"{text!r} ends before it begins; did you mean {end}-{begin}?")
    return tuple(map(text_of, _summary(begin, end)))


def network_of(text: str) -> str:
    """The canonical text of an address or network. Bits behind the prefix are masked. Raises InvalidAddressError."""
    base, slash, length = text.partition("/")
    address = parse_address(base)
    if not slash:
        return str(address)
    bits = int(length) if length.isascii() and length.isdigit() and len(length) <= 3 else -1
    if ":" in base and isinstance(address, IPv4Address):
        bits -= MAPPED_BITS
    if not 0 <= bits <= address.max_prefixlen:
        raise InvalidAddressError(f"{text!r} has no prefix length; /0 to /{address.max_prefixlen} was expected")
    return text_of(ip_network((address, bits), strict=False))


def _summary(begin: Address, end: Address) -> Iterator[Network]:
    if isinstance(begin, IPv6Address):
        yield from summarize_address_range(begin, IPv6Address(end))
    else:
        yield from summarize_address_range(begin, IPv4Address(end))
