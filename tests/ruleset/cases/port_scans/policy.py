"""Scans are counted: what is open stays open, and what is closed is dropped, told of, and counted by source."""

from tests.ruleset.laboratory import LABORATORY

from durward.catalog.probed import parse_probed
from durward.catalog.traffic import PortRange
from durward.ruleset.policy import Knock, Policy, Ports, PortScans

POLICY = Policy(
    inbound=Ports(tcp4=(PortRange(80, 80),), tcp6=(PortRange(80, 80),)),
    outbound=Ports(tcp4=(PortRange(443, 443),)),
    knocks=(Knock(2222, "tcp", (7003, 7001, 7002), 5),),
    spoofing=LABORATORY,
    port_scans=PortScans(
        parse_probed(["1:9999", "ICMP", "INVALID", "BRD"]), count=10, spared=("192.0.2.7", "2001:db8:2::7")
    ),
)
EXPECTED = """
in        tcp  22    192.0.2.2      passes
in        tcp  80    192.0.2.2      passes
in        tcp  80    2001:db8:1::2  passes
in        tcp  81    192.0.2.2      silent
in        tcp  81    2001:db8:1::2  silent
in        udp  53    192.0.2.2      silent
in        udp  53    2001:db8:1::2  silent
in        ping 0     192.0.2.2      passes
out       tcp  4444  192.0.2.2      rejected
forward   tcp  81    192.0.2.2      silent
in        tcp  80    192.0.2.2      passes
"""
