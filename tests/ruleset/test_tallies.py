"""What counters are about: every rule that refuses belongs to a kind, whichever generation has it."""

import re

import pytest
from tests.ruleset.golden import cases

from durward.ruleset.tallies import Tally, counted, is_counted, refused


def drop(chain: str, comment: str = "", packets: int = 1) -> Tally:
    return Tally(chain, comment, "drop", packets, packets * 60)


@pytest.mark.parametrize(
    ("chain", "comment", "what", "of"),
    [
        ("refuse4", "", "block", "in"),
        ("refuse_out6", "", "block", "out"),
        ("bad_flags_a", "xmas", "bad_flags", "xmas"),
        ("impossible_b", "martian", "spoofed", "martian"),
        ("spoofed_a", "unused_address", "spoofed", "unused_address"),
        ("syn_beyond_a", "syn_flood source", "syn_flood", ""),
        ("port_flood_udp_53_b", "port_flood 53/udp", "port_flood", "53/udp"),
        ("connection_limit_80_a", "conn_limit 80", "connection_limit", "80/tcp"),
        ("udp_flood_a", "udp_flood", "udp_flood", ""),
        ("ping_flood_a", "ping_flood", "ping_flood", ""),
        ("echo_a", "", "large_ping", ""),
        ("listed_attackers_a", "", "list", "attackers"),
        ("still_denied_out_a", "", "denied", ""),
        ("arriving_a", "", "invalid", ""),
        ("refused_tcp_a", "", "closed", "tcp"),
        ("refused_b", "", "closed", "untold"),
        ("refused_out_udp_a", "", "closed_out", "udp"),
        ("refused_out_a", "", "closed_out", "untold"),
        ("whatever_a", "", "other", "whatever"),
    ],
)
def test_each_chain_stands_for_a_kind(chain: str, comment: str, what: str, of: str) -> None:
    (found,) = refused([drop(chain, comment, 3)])
    assert (found.what, found.packets, found.bytes) == (what, 3, 180)
    assert dict(found.parts) == ({of: (3, 180)} if of else {})


def test_both_generations_are_added_up() -> None:
    (found,) = refused([drop("bad_flags_a", "null", 2), drop("bad_flags_b", "null", 3), drop("bad_flags_b", "xmas")])
    assert (found.packets, dict(found.parts)) == (6, {"null": (5, 300), "xmas": (1, 60)})


def test_what_is_counted_and_not_refused() -> None:
    tallies = [
        Tally("syn_flood4_a", "syn_flood proxied", "", 5, 300),
        Tally("knock4_tcp_22_a", "knock 1", "", 1, 60),
        Tally("knock4_tcp_22_wrong_a", "wrong knock", "", 2, 120),
        Tally("knock4_tcp_22_3_a", "opened by knocking", "accept", 1, 60),
        Tally("listed_friends_a", "", "accept", 9, 540),
    ]
    assert {one.what: (one.packets, dict(one.parts)) for one in counted(tallies)} == {
        "syn_proxied": (5, {}),
        "knock": (1, {"22/tcp": (1, 60)}),
        "knock_wrong": (2, {"22/tcp": (2, 120)}),
        "knock_opened": (1, {"22/tcp": (1, 60)}),
    }
    assert refused(tallies) == []


def test_no_refusing_rule_of_any_case_is_of_no_kind() -> None:
    """A new part of the firewall that counts what it drops has to say what that is."""
    known = 0
    for case in cases():
        text, chain = case.golden.read_text(), ""
        for line in text.splitlines():
            if found := re.match(r"\tchain (\w+) \{", line):
                chain = found[1]
            elif "counter drop" in line and is_counted(chain):
                comment = re.search(r'comment "([^"]*)"', line)
                (kind,) = refused([drop(chain, comment[1] if comment else "")])
                assert kind.what != "other", (case.name, chain, line)
                known += 1
    assert known > 50
