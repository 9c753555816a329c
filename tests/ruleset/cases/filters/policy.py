"""Advanced filters: what is allowed passes even where it is denied too, in both families and directions."""

from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.config.filters import parse_filter
from durward.ruleset.policy import Policy, Ports

OPEN = parse_ports("80,443,8080")
ALLOWED = (
    "tcp|in|d=3306,5000_5010|s=192.0.2.2",
    "tcp|in|d=3306|s=2001:db8:2::/63",
    "udp|in|d=161|s=192.0.2.0/24",
    "tcp|in|d=443|s=198.51.100.1",
    "icmp|in|d=timestamp-request|s=192.0.2.2",
    "tcp|out|d=25|d=192.0.2.2",
    "udp|out|d=53||u=0",
    "tcp|in|s=1000_1010|s=192.0.2.2",
)
DENIED = (
    "tcp|in|d=443|s=198.51.100.0/24",
    "tcp|in|d=80|s=2001:db8:2::/48",
    "tcp|in|d=80|d=192.0.2.1",
    "icmp|in|d=ping|s=198.51.100.1",
    "icmp|in|d=ping|s=2001:db8:3::1",
    "icmpv6|in|d=any|s=2001:db8:1::2",
    "tcp|out|d=443|d=192.0.2.2",
    "tcp|out|d=8080||u=0",
    "tcp|in|d=8080|s=198.51.100.130",
)
POLICY = Policy(
    inbound=Ports(tcp4=OPEN, tcp6=OPEN),
    outbound=Ports(tcp4=OPEN, tcp6=OPEN, udp4=OPEN, udp6=OPEN),
    inner_interfaces=(),
    allow_filters=tuple(map(parse_filter, ALLOWED)),
    deny_filters=tuple(map(parse_filter, DENIED)),
    spoofing=LABORATORY,
)
EXPECTED = """
in        tcp  3306  192.0.2.2      passes
in        tcp  5010  192.0.2.2      passes
in        tcp  5011  192.0.2.2      silent
in        tcp  3306  198.51.100.1   silent
in        tcp  3306  2001:db8:2::1  passes
in        tcp  3306  2001:db8:3::1  silent
in        udp  161   192.0.2.2      passes
in        udp  161   198.51.100.1   silent
in        tcp  443   198.51.100.1   passes
in        tcp  443   198.51.100.130 silent
in        tcp  443   192.0.2.2      passes
in        tcp  80    2001:db8:2::1  silent
in        tcp  80    2001:db8:1::2  passes
in        tcp  80    192.0.2.2      silent
in        ping 0     198.51.100.1   silent
in        ping 0     198.51.100.130 passes
in        ping 0     2001:db8:3::1  silent
in        ping 0     2001:db8:2::1  passes
in        ping 0     2001:db8:1::2  silent
out       tcp  25    192.0.2.2      passes
out       tcp  25    198.51.100.1   rejected
out       tcp  443   192.0.2.2      rejected
out       tcp  443   198.51.100.1   passes
out       tcp  8080  198.51.100.1   rejected
out       tcp  8080  2001:db8:1::2  rejected
out       udp  53    198.51.100.1   passes
out       udp  53    2001:db8:1::2  passes
out       udp  54    198.51.100.1   rejected
forward   tcp  443   198.51.100.130 silent
forward   tcp  443   198.51.100.1   passes
published tcp  8080  198.51.100.130 silent
published tcp  8080  192.0.2.2      passes
published tcp  8081  192.0.2.2      silent
"""
