"""What rules have counted and what meters know of one address, read from the kernel as it is."""

import socket

import pytest
from tests.kernel.namespaces import Namespace

from durward.model import Subject
from durward.privileged.messages import Reading
from durward.privileged.sets import Sets
from durward.privileged.tallies import meters, tallies
from durward.ruleset.tallies import counted, refused

pytestmark = pytest.mark.kernel
SENT = 7
TEXT = """
table inet durward {
	set meter_ping4_aa { type ipv4_addr; flags dynamic,timeout; timeout 60s; size 100; }
	set meter_beyond_ping4_aa { type ipv4_addr; flags dynamic,timeout; timeout 3600s; size 100; }
	set meter_beyond_ping6_aa { type ipv6_addr; flags dynamic,timeout; timeout 3600s; size 100; }
	set block4 { type ipv4_addr; elements = { 127.0.0.1 }; }
	chain ping_flood_a {
		meta nfproto ipv4 update @meter_beyond_ping4_aa { ip saddr counter }
		meta nfproto ipv6 update @meter_beyond_ping6_aa { ip6 saddr & ffff:ffff:ffff:ffff:: counter }
		counter drop comment "ping_flood"
	}
	chain syn_flood4_a { counter comment "syn_flood proxied"
	}
	chain denied4_a { counter drop
	}
	chain in { type filter hook input priority 0; policy accept;
		udp dport 9 update @meter_ping4_aa { ip saddr limit rate over 1/hour burst 2 packets } goto ping_flood_a
		udp dport 9 meta nfproto ipv6 goto ping_flood_a
	}
}
table inet other { chain refused_a { counter drop
	}
}
"""


def send(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sending:
        for _ in range(SENT):
            sending.sendto(b"x", (address, 9))


def test_rules_that_count_are_read_by_chain_comment_and_verdict(namespace: Namespace) -> None:
    assert tallies() == []
    namespace.run("nft", "-f", "-", given=TEXT)
    send("127.0.0.1")
    found = tallies()
    (ping,) = refused(found)
    assert (ping.what, ping.packets, ping.bytes) == ("ping_flood", SENT - 2, (SENT - 2) * 29)
    assert [(one.what, one.packets) for one in counted(found)] == [("syn_proxied", 0)]


def test_meters_are_asked_for_one_address_and_say_whether_they_are_there(namespace: Namespace, sets: Sets) -> None:
    namespace.run("nft", "-f", "-", given=TEXT)
    send("127.0.0.1")
    names = ["meter_beyond_ping4_aa", "meter_ping4_aa", "meter_other", "block4"]
    beyond, counting, missing, ours = meters(sets, names, Subject.parse("127.0.0.1"), 64)
    assert isinstance(beyond, Reading)
    assert isinstance(counting, Reading)
    assert (beyond.packets, beyond.bytes) == (SENT - 2, (SENT - 2) * 29)
    assert 3500 < (beyond.expires_in_seconds or 0) <= 3600
    assert (missing, ours) == (False, False), "none but meters is told of"
    assert meters(sets, names[:2], Subject.parse("127.0.0.2"), 64) == [True, True]


def test_an_ipv6_address_is_counted_as_its_network(namespace: Namespace, sets: Sets) -> None:
    namespace.run("nft", "-f", "-", given=TEXT)
    namespace.ip("addr add 2001:db8:1::1/64 dev lo nodad")
    send("2001:db8:1::1")
    names = ["meter_beyond_ping6_aa"]
    (found,) = meters(sets, names, Subject.parse("2001:db8:1::77"), 64)
    assert isinstance(found, Reading)
    assert found.packets == SENT
    assert meters(sets, names, Subject.parse("2001:db8:2::1"), 64) == [True]
    assert meters(sets, names, Subject.parse("2001:db8:1::1"), 128) == [True]
