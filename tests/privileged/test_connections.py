"""The small program by which the kernel picks connections, run here by the kernel's rules."""

import struct
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

from hypothesis import given
from hypothesis import strategies as st

from durward.model import Address, Network
from durward.privileged.connections import JUMP, PEER, kill_connections, peer_filter

FOURS = st.builds(
    lambda bits, prefix: ip_network((bits, prefix), strict=False), st.integers(0, 2**32 - 1), st.integers(0, 32)
)
SIXES = st.builds(
    lambda bits, prefix: ip_network((IPv6Address(bits), prefix), strict=False),
    st.integers(0, 2**128 - 1),
    st.integers(0, 128),
)


def picks(program: bytes, address: Address) -> bool:
    """What the kernel does: a program that ends exactly at its end says yes, one that jumps beyond it no."""
    position = 0
    while position < len(program):
        code, yes, no = struct.unpack_from("=BBH", program, position)
        if code == JUMP:
            position += no
            continue
        assert code == PEER
        family, prefix, port = struct.unpack_from("=BBxxi", program, position + 4)
        assert port == -1
        size = {2: 4, 10: 16}[family]
        assert yes == 12 + size
        base = program[position + 12 : position + 12 + size]
        hit = len(base) == len(address.packed) and address in ip_network((base, prefix))
        position += yes if hit else no
        assert position <= len(program) + 4
    return position == len(program)


@given(st.lists(FOURS, min_size=1, max_size=40), st.data())
def test_the_filter_picks_peers_in_any_of_the_networks(networks: list[Network], data: st.DataObject) -> None:
    inside = data.draw(st.sampled_from(networks))
    within = IPv4Address(data.draw(st.integers(int(inside[0]), int(inside[-1]))))
    for address in (within, IPv4Address(data.draw(st.integers(0, 2**32 - 1)))):
        assert picks(peer_filter(networks), address) == any(address in network for network in networks)


@given(st.lists(st.one_of(FOURS, SIXES), min_size=1, max_size=10), st.integers(0, 2**128 - 1))
def test_families_are_told_apart(networks: list[Network], bits: int) -> None:
    address = IPv6Address(bits)
    six = [network for network in networks if isinstance(network, IPv6Network)]
    assert picks(peer_filter(networks), address) == any(address in network for network in six)


def test_nobody_is_no_work() -> None:
    assert kill_connections([]) == (0, None)
