"""What is told of what is dropped: shares, prefixes, CSF's words."""

import re

from durward.catalog.traffic import parse_ports
from durward.ruleset.policy import Logging, Policy
from durward.ruleset.refusals import COPY_BYTES_MAX, fragment


def test_every_line_to_nflog_is_limited_and_short() -> None:
    chains = "\n".join(fragment(Policy(), "a").chains)
    told = [line for line in chains.splitlines() if " group " in line]
    assert len(told) == 8
    assert all(f"group 5 snaplen {COPY_BYTES_MAX}" in line and "limit rate 1000/second" in line for line in told)
    assert set(re.findall(r'prefix "(dw:\w+:\w+)"', chains)) == {
        f"dw:{way}:{kind}" for way in ("in", "out") for kind in ("tcp", "udp", "icmp", "other")
    }


def test_kernel_lines_have_csf_words_only_where_they_are_wanted() -> None:
    assert "Firewall:" not in "".join(fragment(Policy(), "a").chains)
    chains = "".join(fragment(Policy(logging=Logging(kernel_lines=True)), "a").chains)
    assert set(re.findall(r'"Firewall: \*(\w+) Blocked\* "', chains)) == {
        f"{kind}{family}{way}" for kind in ("TCP", "UDP", "ICMP") for family in ("_", "6") for way in ("IN", "OUT")
    }


def test_silent_ports_are_dropped_before_anything_is_told() -> None:
    made = fragment(Policy(logging=Logging(silent_ports=parse_ports("137:139"))), "a")
    (chain,) = (text for text in made.chains if "chain refused_a " in text)
    assert chain.index("tcp dport 137-139 counter drop") < chain.index("update @")
