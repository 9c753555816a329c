"""Mail of users who may not send it is led to our own mail server."""

from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.ruleset.policy import Policy, Ports, Smtp

AWAY = parse_ports("80")
POLICY = Policy(outbound=Ports(tcp4=AWAY, tcp6=AWAY), smtp=Smtp(users=(8,), redirect_to=2500), spoofing=LABORATORY)
EXPECTED = """
out       tcp  80    192.0.2.2      passes
out       tcp  26    192.0.2.2      rejected
"""
