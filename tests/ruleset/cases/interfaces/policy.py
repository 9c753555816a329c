"""Several network cards: one is trusted, and one that is public has port lists of its own."""

from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.ruleset.policy import Interface, Policy, Ports

OPEN, OWN = parse_ports("80"), parse_ports("8443")
POLICY = Policy(
    inbound=Ports(tcp4=OPEN, tcp6=OPEN),
    interfaces=(Interface("outer", "public", Ports(tcp4=OWN, tcp6=OWN)), Interface("inner", "trusted")),
    spoofing=LABORATORY,
)
EXPECTED = """
in        tcp  22    192.0.2.2      passes
in        tcp  80    192.0.2.2      silent
in        tcp  80    2001:db8:1::2  silent
in        tcp  8443  192.0.2.2      passes
in        tcp  8443  2001:db8:1::2  passes
forward   tcp  80    192.0.2.2      silent
forward   tcp  8443  192.0.2.2      passes
published tcp  8080  192.0.2.2      silent
passing   tcp  4444  192.0.2.2      passes
passing   udp  4444  2001:db8:1::2  passes
"""
