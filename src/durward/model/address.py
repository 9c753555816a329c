"""Internet addresses and networks, in one canonical form: IPv4-mapped IPv6 folded, zone ids refused."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAPPED_BITS = 96  # ::ffff:0:0/96 holds all of IPv4 (RFC 4291, 2.5.5.2)


class InvalidAddressError(ValueError):
    """Somebody gave a text that is no address or network; the message says what was expected."""


def parse_address(text: str) -> Address:
    """Give the address that `text` names. Raises InvalidAddressError for anything else, zone ids included."""
    if "%" in text:
        raise InvalidAddressError(f"{text!r} carries a zone id; an address without one was expected")
    try:
        address = ip_address(text)
    except ValueError:
        raise InvalidAddressError(f"{text!r} is not an IPv4 or IPv6 address") from None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def parse_network(text: str) -> Network:
    """Give the network that `text` names; a single address is its own network. Host bits behind the prefix are refused.

    Raises InvalidAddressError, which offers the nearest right thing.
    """
    base, slash, length = text.partition("/")
    address = parse_address(base)
    if not slash:
        return ip_network(address)
    bits = int(length) if length.isascii() and length.isdigit() and len(length) <= 3 else -1
    if ":" in base and isinstance(address, IPv4Address):
        bits -= MAPPED_BITS
    if not 0 <= bits <= address.max_prefixlen:
        raise InvalidAddressError(f"{text!r} has no prefix length; /0 to /{address.max_prefixlen} was expected")
    network = ip_network((address, bits), strict=False)
    if network.network_address != address:
        raise InvalidAddressError(f"{text!r} has bits set behind its prefix; did you mean {network} or {address}?")
    return network


def text_of(network: Network) -> str:
    """Write a network as people do: a single address without its prefix length."""
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    return str(network)
