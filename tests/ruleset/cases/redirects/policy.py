"""Redirects within this host and to another machine, in both families; the line is the permission."""

from tests.ruleset.laboratory import LABORATORY

from durward.ruleset.policy import Policy, Redirect

POLICY = Policy(
    ssh_ports=(),
    inner_interfaces=(),
    redirects=(
        Redirect("tcp", None, 2222, None, 4000),
        Redirect("tcp", "192.0.2.1", 8000, "203.0.113.100", 80),
        Redirect("tcp", "2001:db8:1::1", 8000, "2001:db8:b::1", 80),
        Redirect("udp", "192.0.2.1", 8001, "203.0.113.100", 81, keeps_source=True),
    ),
    spoofing=LABORATORY,
)
EXPECTED = """
in        tcp  2222  192.0.2.2      passes
in        tcp  2222  2001:db8:1::2  passes
in        tcp  4000  192.0.2.2      silent
in        tcp  8000  192.0.2.2      passes
in        tcp  8000  2001:db8:1::2  passes
in        udp  8001  192.0.2.2      passes
in        tcp  8001  192.0.2.2      silent
in        tcp  80    192.0.2.2      silent
forward   tcp  80    192.0.2.2      silent
"""
