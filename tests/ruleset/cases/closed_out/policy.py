"""Empty lists of what may leave: nothing does, but answers, ICMP, and questions to the resolvers."""

from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.ruleset.policy import Policy, Ports

OPEN = parse_ports("80")
POLICY = Policy(
    inbound=Ports(OPEN, OPEN, OPEN, OPEN),
    outbound=Ports(),
    resolvers=("192.0.2.2", "2001:db8:1::2"),
    inner_interfaces=(),
    spoofing=LABORATORY,
)
EXPECTED = """
in        tcp  80    192.0.2.2      passes
in        tcp  80    2001:db8:1::2  passes
in        udp  80    192.0.2.2      passes
in        udp  80    2001:db8:1::2  passes
in        ping 0     2001:db8:1::2  passes
out       tcp  80    192.0.2.2      rejected
out       tcp  443   198.51.100.1   rejected
out       tcp  443   2001:db8:2::1  rejected
out       udp  123   192.0.2.2      rejected
out       udp  123   2001:db8:1::2  rejected
out       udp  53    192.0.2.2      passes
out       tcp  53    192.0.2.2      passes
out       udp  53    2001:db8:1::2  passes
out       udp  53    198.51.100.1   rejected
out       udp  53    2001:db8:2::1  rejected
out       ping 0     192.0.2.2      passes
out       ping 0     2001:db8:1::2  passes
"""
