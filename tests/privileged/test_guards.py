"""What is refused, in which words, and that nothing protected is ever inside what is not."""

import os
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.config.settings import GuardSettings
from durward.model import Network, parse_network
from durward.privileged.failure import KernelError
from durward.privileged.guards import SPECIAL, AllowList, Guards, Policy, guards_of

FACTS = [
    (ip_network("203.0.113.9"), "this host's own address"),
    (ip_network("2001:db8:1::1"), "this host's own address"),
    (ip_network("203.0.113.1"), "the gateway"),
    (ip_network("192.0.2.53"), "a name server of /etc/resolv.conf"),
    (ip_network("198.51.100.7"), "where an administrator is logged in from (root, pid 812)"),
    (ip_network("192.0.2.128/28"), "a peer"),
]
ALLOWED = [
    ("198.51.100.64/26", "allowed by allow.list"),
    ("198.51.100.70", "allowed by allow.list"),
    ("2001:db8:a::/48", "allowed by allow.list"),
]


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def guards(policy: Policy | None = None, clock: Clock | None = None) -> Guards:
    return Guards(lambda: FACTS, policy or Policy(), lambda: ALLOWED, clock or Clock())


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("203.0.113.9", "203.0.113.9 is this host's own address"),
        ("203.0.113.0/24", "203.0.113.0/24 holds 203.0.113.1, which is the gateway"),
        ("203.0.113.1", "203.0.113.1 is the gateway"),
        ("2001:db8:1::/64", "2001:db8:1::/64 holds 2001:db8:1::1, which is this host's own address"),
        ("192.0.2.53", "192.0.2.53 is a name server of /etc/resolv.conf"),
        ("192.0.2.130", "192.0.2.130 lies in 192.0.2.128/28, which is a peer"),
        ("198.51.100.7", "198.51.100.7 is where an administrator is logged in from (root, pid 812)"),
        ("198.51.100.70", "198.51.100.70 lies in 198.51.100.64/26, which is allowed by allow.list"),
        ("198.51.100.64/26", "198.51.100.64/26 is allowed by allow.list"),
        ("2001:db8:a:7::/64", "2001:db8:a:7::/64 lies in 2001:db8:a::/48, which is allowed by allow.list"),
        ("127.0.0.1", "127.0.0.1 lies in 127.0.0.0/8, which is this host itself"),
        ("::1", "::1 is this host itself"),
        ("0.0.0.0", "0.0.0.0 lies in 0.0.0.0/8, which is no address of a host"),
        ("224.0.0.251", "224.0.0.251 lies in 224.0.0.0/4, which is for multicast"),
        ("fe80::1", "fe80::1 lies in fe80::/10, which is for hosts of one link"),
        ("255.255.255.255", "255.255.255.255 is for broadcast"),
        ("ff02::1", "ff02::1 lies in ff00::/8, which is for multicast"),
    ],
)
def test_what_is_protected_is_refused_by_whomever_it_is_asked(network: str, reason: str) -> None:
    for automatic in (True, False):
        assert guards().refusal(parse_network(network), automatic) == reason


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "fc00::/6", "240.0.0.0/4"])
def test_networks_that_hold_what_is_special_are_refused(network: str) -> None:
    assert "holds" in (guards().refusal(parse_network(network), automatic=False) or "")


@pytest.mark.parametrize("network", ["203.0.113.10", "198.51.100.0/30", "2001:db8:b::/48", "10.0.0.1"])
def test_others_may_be_blocked(network: str) -> None:
    assert guards().refusal(parse_network(network), automatic=False) is None


def test_a_network_with_allowed_ones_in_it_may_be_blocked_because_they_pass_all_the_same() -> None:
    assert guards().refusal(parse_network("2001:db8:a::/47"), automatic=False) is None
    assert guards().refusal(parse_network("2001:db8:a::/48"), automatic=False) is not None


def test_automatic_blocks_have_a_widest_network() -> None:
    asked = guards()
    assert asked.refusal(parse_network("10.18.0.0/24"), automatic=True) is None
    assert asked.refusal(parse_network("10.18.0.0/23"), automatic=True) == (
        "10.18.0.0/23 is wider than /24, the widest an automatic block may be"
    )
    assert asked.refusal(parse_network("10.18.0.0/23"), automatic=False) is None
    assert asked.refusal(parse_network("2001:db8:b::/48"), automatic=True) is None
    assert "wider than /48" in (asked.refusal(parse_network("2001:db8:c::/47"), automatic=True) or "")


def test_automatic_blocks_have_a_pace() -> None:
    clock = Clock()
    asked = guards(Policy(automatic_per_minute_max=3), clock)
    network = parse_network("10.18.0.1")
    for _ in range(3):
        clock.now += 10
        assert asked.refusal(network, automatic=True) is None
        assert asked.refusal(parse_network("203.0.113.9"), automatic=True) is not None  # a refused one does not count
    assert asked.refusal(network, automatic=True) == "more than 3 automatic blocks in a minute"
    assert asked.refusal(network, automatic=False) is None
    assert asked.refusal(network, automatic=True, counts=False) is None
    clock.now += 39
    assert asked.refusal(network, automatic=True) is not None
    clock.now += 1  # the first one is a minute ago
    assert asked.refusal(network, automatic=True) is None
    assert asked.refusal(network, automatic=True) is not None


def test_facts_are_asked_for_again_when_they_are_six_seconds_old() -> None:
    clock, asked = Clock(), 0

    def facts() -> list[tuple[Network, str]]:
        nonlocal asked
        asked += 1
        return FACTS if asked == 1 else []

    held = Guards(facts, Policy(), clock=clock)
    for _ in range(5):
        assert held.refusal(parse_network("203.0.113.9"), automatic=False) is not None
        clock.now += 1.2
    assert asked == 1
    assert held.refusal(parse_network("203.0.113.9"), automatic=False) is None
    assert asked == 2
    clock.now += 4
    held.keep_fresh()
    assert asked == 3
    clock.now += 4
    assert held.refusal(parse_network("203.0.113.9"), automatic=False) is None
    assert asked == 3


def test_a_sign_of_a_change_makes_them_ask_at_once() -> None:
    clock, signs, facts = Clock(), [1], list(FACTS[:1])
    watched = Guards(lambda: list(facts), Policy(), clock=clock, signs=lambda: signs[0])
    assert watched.refusal(ip_network("198.51.100.7"), automatic=False) is None
    facts.append(FACTS[4])
    clock.now += 0.5
    assert watched.refusal(ip_network("198.51.100.7"), automatic=False) is None, "nobody knows yet"
    signs[0] += 1
    clock.now += 0.1
    assert "administrator" in str(watched.refusal(ip_network("198.51.100.7"), automatic=True))


def test_facts_that_are_slow_to_get_are_asked_for_less_often() -> None:
    clock, asked = Clock(), 0

    def facts() -> list[tuple[Network, str]]:
        nonlocal asked
        asked += 1
        clock.now += 2
        return []

    held = Guards(facts, Policy(), clock=clock)
    for _ in range(39):
        held.refusal(parse_network("203.0.113.9"), automatic=False)
        clock.now += 1
    assert asked == 1


def test_what_is_not_known_is_refused_and_what_was_known_holds() -> None:
    clock, broken = Clock(), True

    def facts() -> list[tuple[Network, str]]:
        if broken:
            raise KernelError("no answer")
        return FACTS

    held = Guards(facts, Policy(), clock=clock)
    stranger, own = parse_network("10.18.0.1"), parse_network("203.0.113.9")
    assert held.refusal(stranger, automatic=False) == "it is not known what must not be blocked: no answer"
    broken = False
    clock.now += 1
    assert held.refusal(stranger, automatic=False) is None
    broken = True
    clock.now += 1
    assert held.refusal(stranger, automatic=False) is None
    assert held.refusal(own, automatic=False) == "203.0.113.9 is this host's own address"
    assert "it is not known" in held.guarded()[0]


def test_what_is_guarded_is_told() -> None:
    told = guards().guarded()
    assert "203.0.113.1 is the gateway" in told
    assert "3 addresses and networks are allowed" in told
    many = Guards(lambda: [(ip_network(number), "x") for number in range(2**30, 2**30 + 500)], Policy())
    assert len(many.guarded()) == 100


def test_an_allow_list_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path, more = tmp_path / "allow.list", tmp_path / "more.list"
    allowed = AllowList(path)
    assert allowed() == []
    assert allowed() is allowed()
    path.write_text(f"203.0.113.7 # office\ntcp|in|d=22|s=203.0.113.8\nInclude {more}\nnonsense\n")
    more.write_text("2001:db8:7::/48\n")
    assert [network for network, _ in allowed()] == ["203.0.113.7", "2001:db8:7::/48"]
    before = allowed()
    assert allowed() is before
    more.write_text("2001:db8:7::/48\n198.51.100.0/24\n")
    assert [network for network, _ in allowed()] == ["203.0.113.7", "2001:db8:7::/48", "198.51.100.0/24"]
    path.unlink()
    assert allowed() == []


def test_an_allow_list_that_became_unreadable_still_holds(tmp_path: Path) -> None:
    path = tmp_path / "allow.list"
    path.write_text("203.0.113.7\n")
    allowed = AllowList(path)
    assert len(allowed()) == 1
    path.unlink()
    os.mkfifo(path)
    assert len(allowed()) == 1


def test_the_guards_of_this_host(tmp_path: Path) -> None:
    (tmp_path / "allow.list").write_text("203.0.113.7\n")
    held = guards_of(tmp_path, GuardSettings(28, 60, 1))
    assert held.refusal(parse_network("203.0.113.7"), automatic=False) == "203.0.113.7 is allowed by allow.list"
    assert "/28" in (held.refusal(parse_network("10.18.0.0/27"), automatic=True) or "")
    assert "/60" in (held.refusal(parse_network("2001:db8::/59"), automatic=True) or "")
    assert any("this host's own address" in line for line in held.guarded())


def networks(version: int) -> st.SearchStrategy[Network]:
    bits = 32 if version == 4 else 128
    # Few different bits, so that networks often have something to do with each other.
    numbers = st.integers(0, 255).map(lambda number: (number << (bits - 8)) | (number & 0x0F))
    if version == 6:
        numbers = numbers.map(lambda number: number | 0x20 << 120)
    return st.builds(
        lambda number, prefix: ip_network((number.to_bytes(bits // 8), prefix), strict=False),
        numbers,
        st.integers(0, bits),
    )


NETWORKS = st.one_of(networks(4), networks(6))


@given(st.lists(NETWORKS, max_size=12), st.lists(NETWORKS, max_size=12), NETWORKS)
def test_nothing_protected_is_in_what_may_be_blocked(
    protected: list[Network], allowed: list[Network], asked: Network
) -> None:
    held = Guards(
        lambda: [(network, "protected") for network in protected],
        Policy(),
        lambda: [(network, "allowed") for network in allowed],
    )
    special = [network for network, _ in SPECIAL]
    touches = any(asked.overlaps(other) for other in (*protected, *special) if other.version == asked.version)
    within = any(asked.subnet_of(other) for other in allowed if other.version == asked.version)
    assert (held.refusal(asked, automatic=False) is not None) == (touches or within)
