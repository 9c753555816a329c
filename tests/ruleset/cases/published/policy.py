"""Containers behind this host: published ports obey the lists by the port that was asked for."""

from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.ruleset.policy import Policy, Ports

OPEN = parse_ports("8080")
AWAY = parse_ports("443")
POLICY = Policy(
    inbound=Ports(tcp4=OPEN, tcp6=OPEN, udp4=OPEN, udp6=OPEN),
    outbound=Ports(tcp4=AWAY, tcp6=AWAY),
    inner_interfaces=("inner",),
    spoofing=LABORATORY,
)
EXPECTED = """
published tcp  8080  192.0.2.2      passes
published tcp  8081  192.0.2.2      silent
published tcp  8080  2001:db8:1::2  passes
published tcp  8081  2001:db8:1::2  silent
published udp  8080  192.0.2.2      passes
published udp  8081  192.0.2.2      silent
forward   tcp  80    192.0.2.2      silent
forward   tcp  8080  192.0.2.2      passes
in        tcp  80    192.0.2.2      silent
passing   tcp  443   192.0.2.2      passes
passing   tcp  443   2001:db8:1::2  passes
passing   tcp  25    192.0.2.2      rejected
passing   tcp  25    2001:db8:1::2  rejected
passing   ping 0     192.0.2.2      passes
passing   ping 0     2001:db8:1::2  passes
"""
