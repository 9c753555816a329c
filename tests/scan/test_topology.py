"""Behind proxies the client is the last whom no proxy of ours stands for; what came before it may be made up."""

from ipaddress import ip_network

import pytest

from durward.scan.topology import HOPS_MAX, Topology

OURS = Topology([ip_network("192.0.2.0/24"), ip_network("2001:db8:cd::/48")])


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (b"203.0.113.9", b"203.0.113.9"),
        (b"198.51.100.7, 203.0.113.9", b"203.0.113.9"),
        (b"198.51.100.7,203.0.113.9, 192.0.2.8 ,2001:db8:cd::1", b"203.0.113.9"),
        (b"::ffff:203.0.113.9", b"203.0.113.9"),
        (b"203.0.113.9, unknown", b""),
        (b"192.0.2.8", b""),
        (b"-", b""),
        (b"", b""),
        (b"203.0.113.9," + b"192.0.2.8," * HOPS_MAX + b"192.0.2.8", b""),
        (b"203.0.113.9:4711", b"203.0.113.9"),
        (b"[2001:db8::9]:4711", b"2001:db8::9"),
        (b"2001:db8::9", b"2001:db8::9"),
        (b"203.0.113.9:x", b""),
    ],
)
def test_whom_a_proxy_asks_for(forwarded: bytes, client: bytes) -> None:
    assert OURS.client(forwarded) == client


def test_without_proxies_nobody_is_one() -> None:
    assert not Topology()
    assert not Topology().is_proxy("192.0.2.8")
    assert OURS.is_proxy("2001:db8:cd::1")
    assert not OURS.is_proxy("203.0.113.9")
