"""No answer to pings, no router adverts, no fragments, and kernel lines for old tools."""

from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.ruleset.policy import Icmp, Logging, Policy

POLICY = Policy(
    icmp=Icmp(answers_ping=False, accepts_router_adverts=False, refuses_fragments=True),
    logging=Logging(kernel_lines=True, silent_ports=parse_ports("67:68,137:139")),
    ftp_helper=True,
    spoofing=LABORATORY,
)
EXPECTED = """
in        ping 0     192.0.2.2      silent
in        ping 0     2001:db8:1::2  silent
in        tcp  22    2001:db8:1::2  passes
in        udp  137   192.0.2.2      silent
out       ping 0     192.0.2.2      passes
out       ping 0     2001:db8:1::2  passes
"""
