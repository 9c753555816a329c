"""Topology: which proxies stand before this host, and who it is that they ask for."""

import re
from collections.abc import Iterable

from durward.config.membership import Networks
from durward.model import InvalidAddressError, Network, parse_address

PORT = re.compile(rb"\[?([0-9.]++|(?<=\[)[0-9A-Fa-f:.]++)\]?:[0-9]{1,5}\Z")  # some proxies add it
HOPS_MAX = 32  # of a forwarded list are looked at, from its end


class Topology:
    """The networks of this host's own proxies. What others forward is believed of nobody else."""

    def __init__(self, proxies: Iterable[Network] = ()) -> None:
        self._proxies = Networks((network, True) for network in proxies)

    def __bool__(self) -> bool:
        return len(self._proxies) > 0

    def is_proxy(self, address: str) -> bool:
        """Whether an address (canonical text) is that of a proxy: it asks for others, and is never to blame."""
        return bool(self) and self._proxies.covers(address) is not None

    def client(self, forwarded: bytes) -> bytes:
        """Who a proxy asks for: in its list of addresses the last one that is no proxy itself. Empty: nobody knows.

        The last one is what the proxy saw; what stands before it came with the request, and may be made up.
        """
        for hop in reversed(forwarded.split(b",")[-HOPS_MAX:]):
            try:
                address = str(parse_address(PORT.sub(rb"\1", hop.strip()).decode("ascii")))
            except (InvalidAddressError, UnicodeDecodeError):
                return b""
            if not self.is_proxy(address):
                return address.encode()
        return b""
