"""The network that a source is counted with."""

from functools import lru_cache
from ipaddress import ip_network

from durward.model import Subject

NETWORK_V4, NETWORK_V6 = 24, 48  # bits of its prefix
REMEMBERED_MAX = (
    4096  # sources whose network need not be worked out for each login; others take the place of the oldest
)


@lru_cache(maxsize=REMEMBERED_MAX)
def network_around(subject: Subject) -> Subject:
    """The network of a source: /24 for IPv4, /48 for IPv6; a wider one is its own. Raises InvalidAddressError."""
    bits = NETWORK_V4 if subject.network.version == 4 else NETWORK_V6
    if subject.network.prefixlen <= bits:
        return subject
    return Subject.of(ip_network((subject.network.network_address, bits), strict=False))
