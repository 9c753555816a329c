"""Prefixes become elements that cover exactly their networks; levels are chosen well; differences are exact."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.ruleset.matching import VERSIONS
from durward.ruleset.prefixes import HALF, PIECE_MAX, Prefixes, choose_levels, elements

V4 = st.builds(
    lambda value, length: IPv4Network((value >> (32 - length) << (32 - length), length)),
    st.integers(0, 2**32 - 1),
    st.sampled_from((20, 22, 24, 25, 28, 30, 32)),
)
V6 = st.builds(
    lambda value, length: IPv6Network((value >> (128 - length) << (128 - length), length)),
    st.integers(0x2000 << 112, (0x2002 << 112) - 1),
    st.sampled_from((29, 32, 36, 44, 48, 56, 64, 66, 120, 128)),
)
NETWORKS = st.lists(st.one_of(V4, V6), max_size=30)


def prefixes_of(networks: list[IPv4Network | IPv6Network]) -> Prefixes:
    prefixes = Prefixes()
    for network in networks:
        add = prefixes.add_v4 if network.version == 4 else prefixes.add_v6
        add(int(network.network_address), network.prefixlen)
    return prefixes


def network_of(version: int, level: int, value: int) -> IPv4Network | IPv6Network:
    if version == 6 and level <= HALF:
        value <<= HALF
    return IPv4Network((value, level)) if version == 4 else IPv6Network((value, level))


@given(NETWORKS)
def test_elements_are_the_networks_cut_to_the_levels(networks: list[IPv4Network | IPv6Network]) -> None:
    prefixes = prefixes_of(networks)
    filling = prefixes.filling(1)
    found = [
        network_of(piece.version, piece.level, value) for piece in prefixes.pieces(filling) for value in piece.values
    ]
    expected = set()
    for network in networks:
        level = min(level for level in filling.levels(network.version) if level >= network.prefixlen)
        expected |= set(network.subnets(new_prefix=level))
    assert len(found) == len(set(found))
    assert set(found) == expected
    sizes = prefixes.sizes(filling)
    assert len(found) <= sum(sizes.values())
    assert prefixes.fits(filling)


@given(NETWORKS, NETWORKS)
def test_a_difference_makes_one_list_of_the_other(
    old: list[IPv4Network | IPv6Network], new: list[IPv4Network | IPv6Network]
) -> None:
    before, after = prefixes_of(old), prefixes_of(new)
    filling = prefixes_of([*old, *new]).filling(1)
    found = {(piece.version, piece.level, value) for piece in before.pieces(filling) for value in piece.values}
    for more, less in after.differences(before, filling):
        added = {(more.version, more.level, value) for value in more.values}
        removed = {(less.version, less.level, value) for value in less.values}
        assert removed <= found
        assert not added & found
        found = (found - removed) | added
    assert found == {(piece.version, piece.level, value) for piece in after.pieces(filling) for value in piece.values}


def test_no_piece_is_large() -> None:
    prefixes = Prefixes()
    for value in range(3 * PIECE_MAX):
        prefixes.add_v4(0x0A000000 + value, 32)
    pieces = list(prefixes.pieces(prefixes.filling(1)))
    assert max(len(piece.values) for piece in pieces) < 2 * PIECE_MAX
    assert len(set().union(*(piece.values for piece in pieces))) == 3 * PIECE_MAX


@given(st.dictionaries(st.integers(8, 32), st.integers(1, 1000), min_size=1, max_size=7))
def test_no_other_three_levels_need_fewer_elements(counts: dict[int, int]) -> None:
    levels = choose_levels(counts)
    assert levels == tuple(sorted(set(levels)))
    assert levels[-1] == max(counts)
    if len(levels) <= 3:
        others = (one for size in (1, 2, 3) for one in combinations(sorted(counts), size) if one[-1] == max(counts))
        assert elements(counts, levels) == min(elements(counts, one) for one in others)


def test_three_levels_are_enough_for_usual_lists() -> None:
    assert choose_levels({}) == ()
    assert choose_levels({32: 5}) == (32,)
    assert choose_levels({32: 400_000, 24: 400_000, 16: 10_000}) == (16, 24, 32)
    # Countries in IPv6: most are as they were given out.
    assert choose_levels({29: 300, 32: 2_000, 36: 20, 48: 900}) == (32, 36, 48)


def test_there_are_more_levels_where_three_would_widen_too_much() -> None:
    counts = {16: 100, 20: 100, 24: 100, 28: 100, 32: 100}
    assert choose_levels(counts) == (16, 20, 24, 28, 32)
    assert choose_levels({24: 100, 25: 10, 26: 10, 27: 10, 32: 500}) == (24, 27, 32)


@pytest.mark.parametrize("text", ["192.0.2.0/24", "2001:db8::/48"])
def test_a_filling_that_is_too_coarse_does_not_fit(text: str) -> None:
    network = ip_network(text)
    wide, narrow = prefixes_of([network]), prefixes_of([next(network.subnets(new_prefix=network.prefixlen + 1))])
    assert not narrow.fits(wide.filling(1))
    assert narrow.fits(prefixes_of([network, next(network.subnets(new_prefix=network.prefixlen + 1))]).filling(1))
    assert Prefixes().fits(wide.filling(1))
    assert {version: len(wide.filling(1).levels(version)) for version in VERSIONS}[network.version] == 1
