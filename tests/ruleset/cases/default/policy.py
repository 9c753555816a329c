"""Nothing is said: SSH is open, everything else that comes in is dropped, and everything may leave."""

from tests.ruleset.laboratory import LABORATORY

from durward.ruleset.policy import Policy

POLICY = Policy(spoofing=LABORATORY)
EXPECTED = """
in        tcp  22    192.0.2.2      passes
in        tcp  22    2001:db8:1::2  passes
in        tcp  80    192.0.2.2      silent
in        tcp  80    2001:db8:1::2  silent
in        udp  53    192.0.2.2      silent
in        udp  53    2001:db8:1::2  silent
in        ping 0     192.0.2.2      passes
in        ping 0     2001:db8:1::2  passes
out       tcp  4444  192.0.2.2      passes
out       udp  4444  2001:db8:1::2  passes
out       ping 0     192.0.2.2      passes
forward   tcp  80    192.0.2.2      silent
forward   tcp  22    192.0.2.2      silent
forward   tcp  22    2001:db8:1::2  silent
"""
