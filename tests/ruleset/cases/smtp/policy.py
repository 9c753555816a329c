"""Only some users and groups may send mail, whatever the port lists say."""

from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.ruleset.policy import Policy, Ports, Smtp

AWAY = parse_ports("25,80")
POLICY = Policy(outbound=Ports(tcp4=AWAY, tcp6=AWAY), smtp=Smtp(users=(0, 8), groups=(12,)), spoofing=LABORATORY)
EXPECTED = """
out       tcp  25    192.0.2.2      passes
out       tcp  587   192.0.2.2      passes
out       tcp  25    2001:db8:1::2  passes
out       tcp  2525  192.0.2.2      rejected
"""
