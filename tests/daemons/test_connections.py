"""Who is too many: addresses, IPv6 networks and whole networks, without whoever is exempt; and what is said of them."""

from collections import Counter
from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from durward.daemons.connections import EXAMPLES_MAX, Crowd, Examples, Limits, crowds_of, event_of, wanted_of
from durward.model import parse_address
from durward.sources.sockets import PROVEN, Connection


def of(counts: dict[str, int]) -> Counter[bytes]:
    return Counter({ip_address(text).packed: number for text, number in counts.items()})


def found(counts: dict[str, int], limits: Limits, own: str = "192.0.2.1", exempt: str = "") -> dict[str, int]:
    crowds = crowds_of(of(counts), limits, {ip_address(own).packed}, lambda one: "list" if one == exempt else None)
    return {str(crowd.network): crowd.number for crowd in crowds}


def test_more_than_the_limit_is_too_many_and_as_many_is_not() -> None:
    counts = {"203.0.113.9": 301, "203.0.113.10": 300, "198.51.100.7": 999}
    assert found(counts, Limits(300, 0)) == {"198.51.100.7/32": 999, "203.0.113.9/32": 301}


def test_own_loopback_and_exempt_addresses_are_never_too_many() -> None:
    counts = {"192.0.2.1": 999, "127.0.0.1": 999, "::1": 999, "203.0.113.9": 999}
    assert found(counts, Limits(300, 500), exempt="203.0.113.9") == {}


def test_addresses_of_one_ipv6_network_are_one_source() -> None:
    counts = {f"2001:db8:7::{number:x}": 10 for number in range(1, 32)} | {"2001:db8:8::1": 200}
    assert found(counts, Limits(300, 0)) == {"2001:db8:7::/64": 310}
    assert found(counts, Limits(300, 0), exempt="2001:db8:7::1") == {}
    assert found(counts, Limits(300, 0, prefix_v6=47)) == {"2001:db8:6::/47": 310}


def test_a_network_is_too_many_by_those_who_are_not_by_themselves() -> None:
    counts = {f"203.0.113.{number}": 100 for number in range(10)} | {"198.51.100.7": 900, "198.51.100.8": 90}
    assert found(counts, Limits(300, 900)) == {"203.0.113.0/24": 1000, "198.51.100.7/32": 900}
    assert found(counts, Limits(300, 900), exempt="203.0.113.1") == {"198.51.100.7/32": 900}
    assert found(counts, Limits(300, 0)) == {"198.51.100.7/32": 900}
    paying = {ip_address("203.0.113.1").packed}
    crowds = crowds_of(of(counts), Limits(300, 900), (), lambda _: None, paying)
    assert [str(crowd.network) for crowd in crowds] == ["198.51.100.7/32"]


@given(st.dictionaries(st.integers(0, 1 << 12), st.integers(1, 50)), st.integers(1, 60), st.integers(1, 200))
def test_nobody_is_accused_of_what_others_did(numbers: dict[int, int], count: int, network_count: int) -> None:
    counts = {str(ip_address((203 << 24) + number)): times for number, times in numbers.items()}
    for crowd in crowds_of(of(counts), Limits(count, network_count), (), lambda _: None):
        members = {one: times for one, times in counts.items() if ip_address(one) in crowd.network}
        assert {str(ip_address(host)) for host in crowd.hosts} <= set(members)
        assert crowd.number == sum(counts[str(ip_address(host))] for host in crowd.hosts)
        assert crowd.number > (network_count if crowd.shared else count)
        assert crowd.network.prefixlen == (24 if crowd.shared else 32)


def test_the_evidence_lists_some_and_says_how_many_more() -> None:
    crowd = Crowd(ip_network("203.0.113.9"), 42, (ip_address("203.0.113.9").packed,))
    examples = Examples([crowd])
    for port in range(40_000, 40_042):
        examples.keep(Connection(parse_address("203.0.113.9"), port, 80, "established"))
        examples.keep(Connection(parse_address("203.0.113.10"), port, 80, "established"))
    assert examples.enough
    event = event_of(crowd, examples.of(crowd), 100.0)
    lines = event.text.splitlines()
    assert (event.source_ip, event.hits, event.about, len(lines)) == ("203.0.113.9", 42, None, EXAMPLES_MAX + 1)
    assert lines[0] == "203.0.113.9:40000 → port 80, established"
    assert lines[-1] == f"and {42 - EXAMPLES_MAX} more"


def test_what_may_be_forged_counts_only_by_name() -> None:
    values = {"states": (), "skip_time_wait": False, "ports": ()}
    assert wanted_of(values).states == PROVEN
    assert "TIME_WAIT" not in wanted_of(values | {"skip_time_wait": True}).states
    assert wanted_of(values | {"states": ("SYN_RECV", "TIME_WAIT")}).states == {"SYN_RECV", "TIME_WAIT"}
