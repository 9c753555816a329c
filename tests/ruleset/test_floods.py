"""The text of flood limits: rates are never faster than they were written, and no source shares one with strangers."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.catalog.traffic import ConnectionLimit, PortFlood, PortRange, Rate
from durward.model import Port
from durward.ruleset.floods import RATE_UNITS, _flood_rate, fragment, protected_ports, sysctls
from durward.ruleset.fragment import Fragment
from durward.ruleset.policy import Knock, Policy, Ports, Redirect

SECONDS = {unit: seconds for seconds, unit in RATE_UNITS.items()}
WEB = Ports(tcp4=(PortRange(80, 80), PortRange(443, 443)), tcp6=(PortRange(443, 443),))


def test_without_limits_there_is_nothing() -> None:
    assert fragment(Policy(), "a") == Fragment()


@pytest.mark.parametrize(
    ("hits", "within", "text"),
    [
        (5, 300, "limit rate over 1/minute burst 5 packets"),
        (20, 5, "limit rate over 4/second burst 20 packets"),
        (7, 300, "limit rate over 84/hour burst 7 packets"),
        (5, 7, "limit rate over 61714/day burst 5 packets"),
        (1, 86_400 * 30, "limit rate over 1/week burst 1 packets"),
    ],
)
def test_rates_are_whole_numbers_of_the_smallest_unit(hits: int, within: int, text: str) -> None:
    assert _flood_rate(PortFlood(Port(22), hits, within)) == text


@given(st.integers(1, 10_000), st.integers(1, 604_800))
def test_a_rate_is_never_faster_and_hardly_slower(hits: int, within: int) -> None:
    found = re.fullmatch(
        r"limit rate over (\d+)/(\w+) burst (\d+) packets", _flood_rate(PortFlood(Port(22), hits, within))
    )
    assert found
    rate = int(found[1]) / SECONDS[found[2]]
    assert rate <= hits / within * (1 + 1e-9)
    assert rate >= hits / within / 2
    assert int(found[3]) == hits


def test_every_limit_is_counted_by_source_and_has_a_size() -> None:
    policy = Policy(
        inbound=WEB,
        syn_flood=Rate(100, 1, 150),
        port_floods=(PortFlood(Port(22), 5, 300), PortFlood(Port(53, "udp"), 9, 60)),
        connection_limits=(ConnectionLimit(Port(80), 20),),
        udp_flood=Rate(100, 1, 200),
    )
    part = fragment(policy, "a")
    assert all(re.search(r"flags dynamic.*size \d+;", line) for line in part.sets)
    assert set(re.findall(r"set (\w+)", "\n".join(part.sets))) >= set(
        re.findall(r"@(meter_\w+)", "\n".join(part.arriving))
    )
    limits = [rule for rule in (*part.arriving, *part.leaving) if "limit rate" in rule or "ct count" in rule]
    assert len(limits) == 2 * 3 + 1
    assert all(
        re.search(r"(add|update) @meter_\w+ \{ (ip saddr|ip6 saddr & [0-9a-f:]+|meta skuid) ", one) for one in limits
    )
    assert all(name.split()[1].endswith("_a") for name in part.chains)


def test_meters_keep_their_names_as_long_as_their_parameters() -> None:
    one, same, other = (
        fragment(Policy(port_floods=(PortFlood(Port(22), hits, 300),)), generation)
        for hits, generation in ((5, "a"), (5, "b"), (6, "a"))
    )
    assert one.sets == same.sets
    assert not set(one.sets) & set(other.sets)


def test_the_proxy_leaves_ports_alone_that_others_answer() -> None:
    policy = Policy(
        inbound=WEB,
        redirects=(Redirect("tcp", None, 80, "192.0.2.9", 8080),),
        knocks=(Knock(22, "tcp", (3, 1, 2), 10),),
    )
    assert protected_ports(policy, 4) == protected_ports(policy, 6) == (PortRange(443, 443),)
    assert protected_ports(Policy(inbound=WEB, ssh_ports=(81, 22)), 4) == (
        PortRange(22, 22),
        PortRange(80, 81),
        PortRange(443, 443),
    )


def test_the_kernel_is_asked_for_cookies_always_and_for_strictness_with_the_proxy() -> None:
    assert [name for name, _ in sysctls(Policy())] == ["net.ipv4.tcp_syncookies"]
    flooded = Policy(syn_flood=Rate(100, 1, 150))
    assert ("net.netfilter.nf_conntrack_tcp_loose", "0") in sysctls(flooded)
    assert [name for name, _ in sysctls(replace(flooded, syn_proxy=False))] == ["net.ipv4.tcp_syncookies"]


def test_without_a_proxy_only_what_a_socket_here_answers_is_left_untracked() -> None:
    part = fragment(Policy(inbound=WEB, syn_flood=Rate(100, 1, 150), syn_proxy=False), "a")
    text = "".join(part.chains)
    assert text.count("socket wildcard { 0, 1 } counter notrack") == text.count("notrack") == 2
    assert "synproxy" not in text
    assert part.untracked == ()


def test_a_rate_in_total_says_when_the_proxy_begins_and_limits_nobody() -> None:
    part = fragment(Policy(inbound=WEB, syn_flood=Rate(50, 1, 70, "total")), "a")
    assert "limit rate over 50/second burst 70 packets" in "".join(part.chains)
    assert "drop" not in "".join(part.chains)
    assert part.ending == ()
