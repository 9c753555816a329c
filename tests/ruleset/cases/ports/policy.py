"""Port lists with ranges, and IPv6 told apart from IPv4, in both directions."""

from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.ruleset.policy import Policy, Ports

POLICY = Policy(
    inbound=Ports(
        tcp4=parse_ports("80,30000:35000"),
        udp4=parse_ports("53"),
        tcp6=parse_ports("443"),
        udp6=parse_ports("53,5000:5001"),
    ),
    outbound=Ports(
        tcp4=parse_ports("80,443"), udp4=parse_ports("123"), tcp6=parse_ports("443"), udp6=parse_ports("123")
    ),
    resolvers=("192.0.2.2", "2001:db8:1::2"),
    spoofing=LABORATORY,
)
EXPECTED = """
in        tcp  22    192.0.2.2      passes
in        tcp  80    192.0.2.2      passes
in        tcp  80    2001:db8:1::2  silent
in        tcp  443   192.0.2.2      silent
in        tcp  443   2001:db8:1::2  passes
in        tcp  29999 192.0.2.2      silent
in        tcp  30000 192.0.2.2      passes
in        tcp  35000 192.0.2.2      passes
in        tcp  35001 192.0.2.2      silent
in        udp  53    192.0.2.2      passes
in        udp  53    2001:db8:1::2  passes
in        udp  5001  192.0.2.2      silent
in        udp  5001  2001:db8:1::2  passes
out       tcp  80    192.0.2.2      passes
out       tcp  80    2001:db8:1::2  rejected
out       tcp  443   2001:db8:1::2  passes
out       tcp  25    192.0.2.2      rejected
out       udp  123   192.0.2.2      passes
out       udp  53    192.0.2.2      passes
out       tcp  53    2001:db8:1::2  passes
out       udp  53    198.51.100.1   rejected
out       udp  53    2001:db8:2::1  rejected
out       ping 0     192.0.2.2      passes
out       ping 0     2001:db8:1::2  passes
forward   tcp  80    192.0.2.2      passes
forward   tcp  81    192.0.2.2      silent
forward   udp  53    2001:db8:1::2  passes
forward   udp  54    2001:db8:1::2  silent
"""
