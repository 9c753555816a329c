"""Standings as elements: together they cover exactly the network, and the longest one of each place counts."""

from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.model import EVERYTHING, Network, Port, Scope, Standing, Subject
from durward.ruleset.elements import (
    ELEMENTS_MAX,
    Element,
    ElementKey,
    TooWideError,
    desired,
    elements_of,
    keys_of,
)
from durward.ruleset.levels import levels_of

NOW = 1_795_000_000.0


def standing(
    subject: str = "203.0.113.9",
    listing: str = "block",
    scope: str = "in:",
    until: float | None = NOW + 60,
    decision: int = 17,
) -> Standing:
    return Standing(listing, Subject.parse(subject), Scope.parse(scope), until, decision)


def network_of(key: ElementKey) -> Network:
    """What a key stands for, by the name of its set."""
    level = int(key.set_name.rpartition("_")[2])
    size = 4 if f"4_{level}" in key.set_name else 16
    return (IPv4Network if size == 4 else IPv6Network)((key.key[:size], level))


def exact(found: list[Element] | list[ElementKey]) -> list[Element] | list[ElementKey]:
    """Without those that only say that there is something near."""
    return [one for one in found if "_near" not in one.set_name]


@pytest.mark.parametrize(
    ("subject", "scope", "listing", "set_name", "first", "count"),
    [
        ("203.0.113.9", "in:", "block", "block4_32", "cb007109", 1),
        ("203.0.113.0/24", "in:", "block", "block4_24", "cb007100", 1),
        ("10.20.0.0/16", "in:", "block", "block4_16", "0a140000", 1),
        ("10.20.0.0/22", "in:", "block", "block4_24", "0a140000", 4),
        ("10.16.0.0/12", "out:", "block", "out4_16", "0a100000", 16),
        ("203.0.113.8/31", "in:", "allow", "allow4_32", "cb007108", 2),
        ("2001:db8::1", "in:", "block", "block6_128", "20010db8000000000000000000000001", 1),
        ("2001:db8:1::/64", "in:", "block", "block6_64", "20010db8000100000000000000000000", 1),
        ("2001:db8:1::/56", "in:", "allow", "allow6_64", "20010db8000100000000000000000000", 256),
        ("2001:db8:1::/48", "out:", "allow", "allow_out6_48", "20010db8000100000000000000000000", 1),
        ("2001:db8::/32", "in:", "block", "block6_32", "20010db8000000000000000000000000", 1),
        ("203.0.113.9", "in:22", "block", "block_ports4_32", "cb0071090600000000160000", 1),
        ("203.0.113.9", "out:53/udp", "block", "out_ports4_32", "cb0071091100000000350000", 1),
        ("203.0.113.9", "in:80,443", "allow", "allow_ports4_32", "cb0071090600000000500000", 2),
        ("10.20.0.0/23", "out:25", "allow", "allow_out_ports4_24", "0a1400000600000000190000", 2),
    ],
)  # fmt: skip
def test_where_a_standing_goes(  # noqa: PLR0917 - a table
    subject: str, scope: str, listing: str, set_name: str, first: str, count: int
) -> None:
    elements = exact(elements_of(standing(subject, listing, scope), NOW))
    assert len(elements) == count
    assert {element.set_name for element in elements} == {set_name}
    assert elements[0] == Element(set_name, bytes.fromhex(first), 60.0, "decision 17")


@given(st.integers(0, 2**32 - 1), st.integers(8, 32))
def test_an_ipv4_network_is_covered_exactly(bits: int, prefix: int) -> None:
    covered_exactly(ip_network((bits, prefix), strict=False), 64)


@given(
    st.integers(0, 2**128 - 1),
    st.one_of(*(st.integers(level - 8, level) for level in (128, 64, 48, 40))),
    st.integers(48, 128),
)
def test_an_ipv6_network_is_covered_exactly(bits: int, prefix: int, block_prefix: int) -> None:
    network = IPv6Network((bits, prefix), strict=False)
    if network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        return
    covered_exactly(network, block_prefix)


def covered_exactly(network: Network, block_prefix: int) -> None:
    subject = Subject.of(network)
    level = min(level for level in levels_of(network.version, block_prefix) if level >= network.prefixlen)
    if level - network.prefixlen > 8:
        with pytest.raises(TooWideError, match=str(ELEMENTS_MAX)):
            keys_of(Standing("block", subject, EVERYTHING, None, 1), block_prefix)
        return
    keys = exact(keys_of(Standing("block", subject, EVERYTHING, None, 1), block_prefix))
    assert len(set(keys)) == len(keys) == 1 << (level - network.prefixlen)
    assert list(collapse_addresses(map(network_of, keys))) == [network]


@pytest.mark.parametrize(
    "subject", ["0.0.0.0/0", "10.0.0.0/7", "2000::/3", "2001:db8::/39", "2001:db8::/55", "2001:db8::/119"]
)
def test_too_wide_a_network_is_refused(subject: str) -> None:
    with pytest.raises(TooWideError, match="is too wide"):
        elements_of(standing(subject), NOW)


def test_the_block_prefix_has_a_level_of_its_own() -> None:
    (key,) = keys_of(standing("2001:db8:1::/56"), 56)
    assert key.set_name == "block6_56"
    assert len(exact(keys_of(standing("2001:db8:1::/52"), 56))) == 16


@pytest.mark.parametrize(
    ("subject", "scope", "listing", "near"),
    [
        ("10.20.113.9", "in:", "block", []),
        ("10.20.113.9", "in:22,80", "block", ["block_near4_16 10.20.0.0"]),
        ("10.20.4.0/22", "in:", "block", ["block_near4_16 10.20.0.0"]),
        ("10.20.0.0/15", "in:", "block", ["block_near4_16 10.20.0.0", "block_near4_16 10.21.0.0"]),
        ("10.20.113.9", "out:", "block", ["out_near4_16 10.20.0.0"]),
        ("10.20.113.9", "in:", "throttle", ["block_near4_16 10.20.0.0", "throttle_near4_16 10.20.0.0"]),
        ("2001:db8:1::/64", "in:", "throttle", ["block_near6_32 2001:db8::", "throttle_near6_32 2001:db8::"]),
        ("10.20.113.9", "in:", "allow", ["allow_near4_16 10.20.0.0"]),
        ("10.20.113.9", "in:22", "allow", ["allow_near4_16 10.20.0.0"]),
        ("10.20.113.9", "out:", "allow", []),
        ("2001:db8:1::/64", "in:", "block", []),
        ("2001:db8:1::1", "in:", "block", ["block_near6_32 2001:db8::"]),
        ("2001:db8:1::/48", "in:", "allow", ["allow_near6_32 2001:db8::"]),
    ],
)
def test_what_is_not_looked_up_for_everybody_is_announced_near_it(
    subject: str, scope: str, listing: str, near: list[str]
) -> None:
    keys = keys_of(standing(subject, listing, scope))
    assert [f"{key.set_name} {ip_address(key.key)}" for key in keys if "_near" in key.set_name] == near


def test_what_has_run_out_gives_no_element() -> None:
    assert elements_of(standing(until=NOW), NOW) == []
    assert elements_of(standing(until=NOW - 1), NOW) == []
    assert elements_of(standing(until=NOW + 0.0001), NOW) == []
    assert [element.timeout_seconds for element in elements_of(standing(until=NOW + 0.5), NOW)] == [0.5]
    assert len(keys_of(standing(until=NOW - 1))) == 1


def test_for_ever_has_no_timeout() -> None:
    assert [element.timeout_seconds for element in elements_of(standing(until=None), NOW)] == [0]


def test_what_is_not_for_the_kernel_gives_no_element() -> None:
    assert elements_of(standing(listing="ignore"), NOW) == []
    assert elements_of(Standing("block", Subject("user", "eve"), EVERYTHING, None, 1), NOW) == []


def test_the_longest_standing_of_a_place_counts() -> None:
    short, longer = standing(until=NOW + 60, decision=1), standing("203.0.113.8/31", until=NOW + 600, decision=2)
    for standings in ([short, longer], [longer, short]):
        chosen = desired(standings, NOW)
        assert [element.comment for element in chosen.values()] == ["decision 2", "decision 2"]
    assert [element.comment for element in desired([short], NOW).values()] == ["decision 1"]
    ever = standing(until=None, decision=3)
    found = desired([ever, longer, short], NOW)
    assert sorted(element.comment for element in found.values()) == ["decision 2", "decision 3"]


def test_different_scopes_of_one_address_are_different_places() -> None:
    scopes = ["in:", "out:", "in:22", "in:22/udp", "in:23", "out:22"]
    assert len(exact(list(desired([standing(scope=scope) for scope in scopes], NOW)))) == len(scopes)


STANDINGS = st.builds(
    lambda number, prefix, until, decision: Standing(
        "block", Subject.of(ip_network((0xCB007100 + number, prefix), strict=False)), EVERYTHING, until, decision
    ),
    st.integers(0, 15),
    st.integers(29, 32),
    st.one_of(st.none(), st.floats(NOW - 100, NOW + 100)),
    st.integers(1, 1000),
)


@given(st.lists(STANDINGS, max_size=12), st.randoms(use_true_random=False))
def test_what_is_desired_does_not_depend_on_the_order(standings: list[Standing], chance: object) -> None:
    shuffled = list(standings)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = desired(standings, NOW), desired(shuffled, NOW)
    assert {key: element.timeout_seconds for key, element in first.items()} == {
        key: element.timeout_seconds for key, element in second.items()
    }
    for number in range(0xCB007100, 0xCB007110):
        ends = [one.until for one in standings if ip_network(number).subnet_of(one.subject.network)]
        wanted = max((float("inf") if end is None else end for end in ends), default=0.0)
        element = first.get(ElementKey("block4_32", number.to_bytes(4)))
        if wanted - NOW < 0.001:
            assert element is None
        else:
            assert element is not None
            assert (element.timeout_seconds or float("inf")) == wanted - NOW


@pytest.mark.parametrize(
    ("key", "seconds", "comment"),
    [
        (b"abc", 0, ""),
        (b"", 0, ""),
        (b"abcd", -1, ""),
        (b"abcd", 0.0001, ""),
        (b"abcd", float("nan"), ""),
        (b"abcd", 0, "x" * 128),
        (b"abcd", 0, "two\nlines"),
    ],
)
def test_an_impossible_element_cannot_be_made(key: bytes, seconds: float, comment: str) -> None:
    with pytest.raises(ValueError, match=r"was expected|were expected"):
        Element("block4_32", key, seconds, comment)


def test_every_port_is_an_element() -> None:
    ports = tuple(Port(number, protocol) for number in (22, 65535) for protocol in ("tcp", "udp"))
    one = Standing("block", Subject.parse("10.20.0.0/23"), Scope(ports), None, 1)
    assert len(set(exact(keys_of(one)))) == 8
