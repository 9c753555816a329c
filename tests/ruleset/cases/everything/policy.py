"""All parts at once, as the high profile has them."""

from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import Rate, parse_connection_limits, parse_port_floods, parse_ports
from durward.config.filters import parse_filter
from durward.ruleset.policy import Interface, Knock, Logging, MergedList, Policy, Ports, Redirect, Smtp

OPEN, AWAY = parse_ports("80,443,30000:35000"), parse_ports("25,80,443")
POLICY = Policy(
    inbound=Ports(tcp4=OPEN, tcp6=OPEN, udp4=parse_ports("443"), udp6=parse_ports("443")),
    outbound=Ports(tcp4=AWAY, tcp6=AWAY, udp4=parse_ports("123"), udp6=parse_ports("123")),
    interfaces=(Interface("eth9", "trusted"), Interface("outer"), Interface("lan*", "ignored")),
    resolvers=("192.0.2.2",),
    allow_filters=(parse_filter("tcp|in|d=3306|s=192.0.2.2"),),
    deny_filters=(parse_filter("tcp|in|d=80|s=198.51.100.1"),),
    syn_flood=Rate(100, 1, 150),
    port_floods=parse_port_floods("8080;tcp;5;300"),
    connection_limits=parse_connection_limits("22;50"),
    ping=Rate(5, 1, 5),
    udp_flood=Rate(1000, 1, 1000),
    smtp=Smtp(users=(0,)),
    redirects=(Redirect("tcp", None, 2222, None, 4000),),
    knocks=(Knock(2200, "tcp", (7000, 9000, 8000), 20),),
    spoofing=LABORATORY,
    logging=Logging(kernel_lines=True),
    ftp_helper=True,
    merged=(
        MergedList("attackers", "deny", early=True),
        MergedList("countries", "deny"),
        MergedList("homes", "allow_ports", tcp=parse_ports("9000")),
    ),
)
EXPECTED = """
in        tcp  22    192.0.2.2      passes
in        tcp  22    2001:db8:1::2  passes
in        tcp  80    192.0.2.2      passes
in        tcp  80    198.51.100.1   silent
in        tcp  3306  192.0.2.2      passes
in        tcp  3307  192.0.2.2      silent
in        tcp  2200  192.0.2.2      silent
in        tcp  2222  192.0.2.2      passes
in        udp  443   2001:db8:1::2  passes
in        ping 0     192.0.2.2      passes
out       tcp  25    192.0.2.2      passes
out       tcp  26    192.0.2.2      rejected
out       udp  53    192.0.2.2      passes
forward   tcp  443   192.0.2.2      passes
forward   tcp  445   192.0.2.2      silent
"""
