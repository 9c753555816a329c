"""Which networks this host lives in, and which of its addresses nobody has a reason to talk to."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from durward.facts.complaints import Complaints
from durward.facts.host import Host
from durward.facts.interfaces import OwnAddress
from durward.model import Address, InvalidAddressError, Network, parse_address

KEY = "firewall.unused_addresses"
LINK: Network = IPv4Network("169.254.0.0/16")  # never routed: name servers and metadata of clouds answer from it
CARRIER: Network = IPv4Network("100.64.0.0/10")  # clouds that give private addresses use it for services of their own
PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", str(CARRIER), "fc00::/7")))
CLIENTS = frozenset({("udp", 68), ("udp", 546)})  # how an address is asked for, not something that is offered


def own_networks(host: Host) -> tuple[Network, ...]:
    """The networks whose addresses are no forgeries here: those of the interfaces, and the private range around them.

    A host with a private address has neighbours behind its router that have one too. None lies in another.
    """
    attached = [own.network for own in _all(host)]
    around = [wide for own in _all(host) for wide in PRIVATE if own.address in wide]
    carrier = [CARRIER] if any(wide.version == CARRIER.version for wide in around) else []
    four = [one for one in (LINK, *attached, *around, *carrier) if isinstance(one, IPv4Network)]
    six = [one for one in (*attached, *around) if isinstance(one, IPv6Network)]
    return (*collapse_addresses(four), *collapse_addresses(six))


def unused_addresses(host: Host, complaints: Complaints) -> tuple[str, ...]:
    """What `unused_addresses` means here: `auto` finds some, an address adds one, `!address` takes one out."""
    own = {one.address: one for one in _all(host)}
    found: set[Address] = set()
    for word in sorted(complaints.settings.value(KEY), key=lambda word: word.startswith("!")):
        if word == "auto":
            found |= _without_use(own.values(), host)
            continue
        try:
            address = parse_address(word.removeprefix("!"))
        except InvalidAddressError:
            complaints.about(KEY, f'{word!r} was given; "auto", an address or "!" and an address was expected')
            continue
        if address not in own:
            complaints.about(KEY, f"{address} is no address of this host")
        elif word.startswith("!"):
            found.discard(address)
        else:
            found.add(address)
    return tuple(map(str, sorted(found, key=lambda address: (address.version, int(address)))))


def _without_use(own: Iterable[OwnAddress], host: Host) -> set[Address]:
    """The lasting addresses beyond the first on which nothing but SSH listens and no connection is."""
    ssh = {("tcp", port) for port in host.ssh_ports}
    offered = [one.address for one in host.listeners if (one.protocol, one.port) not in ssh | CLIENTS]
    folded = {getattr(address, "ipv4_mapped", None) or address for address in offered}
    wild = {address.version for address in folded if address.is_unspecified}
    served = {4, 6} if 6 in wild else wild  # a socket on :: serves IPv4 too, as a rule
    return {
        one.address
        for one in own
        if one.lasts
        and not (one.first or one.address.is_link_local)
        and one.address.version not in served
        and one.address not in folded | host.connected
    }


def _all(host: Host) -> list[OwnAddress]:
    return [own for interface in host.interfaces for own in interface.addresses if not own.address.is_loopback]
