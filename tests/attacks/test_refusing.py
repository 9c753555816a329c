"""What the firewall refuses by itself is counted and told: by `status`, `why` and `doctor`, with real packets."""

import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from arena.attacker import Attacker
from arena.namespace import open_socket
from arena.network import DOOR_IPV4
from tests.attacks.firewalled import CLOSED, OPEN, SETTINGS, Firewalled
from tests.attacks.test_other_tables import FOREIGN

pytestmark = pytest.mark.kernel

FAMILIES = pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])
HITS, CONNECTIONS = 4, 2
LIMITED = f"""\
{SETTINGS}
port_flood = ["{OPEN}/tcp {HITS}/300s"]
conn_limit = ["22 {CONNECTIONS}"]
ping = "1/s per source"
ssh_ports = "22"
"""
XMAS = 0x29
BEFORE_OURS = """\
table inet f2b-table {
	set addr-set-sshd { type ipv4_addr; elements = { 203.0.113.77, 203.0.113.78 }; }
	set nets { type ipv6_addr; flags interval; elements = { 2001:db8:7700::/40 }; }
	chain others { tcp dport 81 accept
	}
	chain f2b-chain { type filter hook input priority -11; policy accept;
		ip saddr @addr-set-sshd tcp dport 81 reject
		ip6 saddr @nets tcp dport 81 drop
		jump others
	}
}
table ip strict {
	chain INPUT { type filter hook input priority 0; policy drop;
		meta l4proto { tcp, udp, icmp } accept
	}
}
table inet quiet {
	chain last { type filter hook input priority 50; policy accept;
		tcp dport 22 counter
	}
}
"""


@pytest.fixture(scope="module")
def limited() -> Iterator[Firewalled]:
    """A confirmed firewall with limits, beside tables of others that refuse nothing of what is tried here."""
    with Firewalled(settings=LIMITED) as scene:
        scene.door.run(["nft", "-f", "-"], input=FOREIGN + BEFORE_OURS, check=True)
        yield scene


def refused(scene: Firewalled, what: str, name: str = "refused") -> dict[str, Any]:
    """What `status` says of one kind; zeros where it says nothing."""
    entries = {one["what"]: one for one in scene.durward.ask("status")[name]}
    return dict(entries.get(what, {"what": what, "packets": 0, "bytes": 0}))


def layer_of(scene: Firewalled, address: str, name: str) -> dict[str, Any]:
    """The one layer of that name."""
    (found,) = [one for one in scene.why(address)["layers"] if one["layer"] == name]
    return dict(found)


@FAMILIES
def test_whom_the_port_flood_refuses_is_told_with_the_setting_that_says_so(limited: Firewalled, ipv6: bool) -> None:
    attacker, other = limited.stranger(ipv6=ipv6), limited.stranger(ipv6=ipv6)
    before = refused(limited, "port_flood")["packets"]
    assert limited.why(attacker.address)["blocked"] is False
    assert [limited.reaches(attacker, OPEN) for _ in range(HITS + 1)] == [True] * HITS + [False]
    assert limited.reaches(other, OPEN)
    why = limited.why(attacker.address)
    layer = layer_of(limited, attacker.address, "rate:port_flood")
    assert (why["blocked"], layer["blocked"], layer["counted"]) == (True, True, True)
    assert (layer["setting"], layer["limit"], layer["port"]) == (
        "firewall.port_flood",
        f"{OPEN}/tcp {HITS}/300s",
        f"{OPEN}/tcp",
    )
    assert layer["packets"] >= 1
    assert layer["refused_at"] < layer["until"]
    innocent = layer_of(limited, other.address, "rate:port_flood")
    assert (innocent["blocked"], innocent["counted"], innocent["packets"]) == (False, True, 0)
    after = refused(limited, "port_flood")
    assert after["packets"] >= before + layer["packets"]
    assert [one["of"] for one in after["parts"]] == [f"{OPEN}/tcp"]
    page = limited.types("why", attacker.address)
    assert page.returncode == 1
    assert "Beyond a limit: too many connections in a time" in page.stdout
    assert "firewall.port_flood says" in page.stdout


def test_neighbours_in_one_ipv6_network_are_told_of_as_one(limited: Firewalled) -> None:
    attacker = limited.stranger(ipv6=True)
    for _ in range(HITS + 1):
        limited.reaches(attacker, OPEN)
    beside = attacker.address.replace("::9", "::77")
    assert layer_of(limited, beside, "rate:port_flood")["blocked"] is True


def test_who_is_allowed_is_beyond_no_limit(limited: Firewalled) -> None:
    attacker = limited.stranger()
    for _ in range(HITS + 1):
        limited.reaches(attacker, OPEN)
    limited.does("allow", attacker.address)
    layer = layer_of(limited, attacker.address, "rate:port_flood")
    assert (layer["blocked"], layer["packets"] > 0) == (False, True)
    assert limited.reaches(attacker, OPEN)


def test_too_many_connections_at_once_are_told(limited: Firewalled) -> None:
    attacker = limited.stranger()
    held = [attacker.connect(22, 2.0) for _ in range(CONNECTIONS)]
    try:
        assert not limited.reaches(attacker, 22)
        layer = layer_of(limited, attacker.address, "rate:connection_limit")
    finally:
        for one in held:
            one.close()
    assert (layer["blocked"], layer["setting"], layer["port"]) == (True, "firewall.conn_limit", "22/tcp")
    assert refused(limited, "connection_limit")["packets"] >= 1


def test_impossible_flags_and_closed_ports_are_counted_by_kind(limited: Firewalled) -> None:
    attacker = limited.stranger()
    flags, closed = refused(limited, "bad_flags")["packets"], refused(limited, "closed")["packets"]
    send_flags(attacker, limited, XMAS)
    limited.reaches(attacker, CLOSED)
    now = refused(limited, "bad_flags")
    assert now["packets"] == flags + 1
    assert {one["of"]: one["packets"] for one in now["parts"]}["xmas"] >= 1
    assert refused(limited, "closed")["packets"] > closed
    assert "tcp" in {one["of"] for one in refused(limited, "closed")["parts"]}
    page = limited.does("status").stdout
    assert "impossible TCP flags" in page
    assert "xmas 1" in page
    assert "UDP flood" not in page, "what refused nothing is only in --json"


def test_blocks_are_counted_as_a_whole(limited: Firewalled) -> None:
    attacker = limited.stranger()
    limited.does("block", attacker.address)
    limited.reaches(attacker, OPEN)
    assert refused(limited, "block")["packets"] >= 1


def test_doctor_names_the_chains_of_others_that_decide_before_or_may_refuse(limited: Firewalled) -> None:
    found = {line["subject"]: line for line in limited.lines("doctor") if line["check"] == "foreign"}
    assert found.keys() == {"inet f2b-table f2b-chain", "ip strict INPUT"}
    first, strict = found["inet f2b-table f2b-chain"], found["ip strict INPUT"]
    assert {first["result"], strict["result"]} == {"unknown"}
    assert "hook input, priority -11, asked before durward: accepts some, refuses some" in first["detail"]
    assert "priority 0, asked after durward: accepts some; its policy is drop" in strict["detail"]


@pytest.mark.parametrize(("address", "held"), [("203.0.113.77", "addr-set-sshd"), ("2001:db8:7701::9", "nets")])
def test_a_table_of_others_may_refuse_and_is_never_said_to(limited: Firewalled, address: str, held: str) -> None:
    layer = layer_of(limited, address, "foreign:f2b-table")
    assert (layer["blocked"], layer["may_refuse"], layer["held"]) == (False, True, [held])
    assert layer["chains"][0]["priority"] == -11
    elsewhere = layer_of(limited, "203.0.113.200", "foreign:f2b-table")
    assert elsewhere["held"] == []
    names = {one["layer"] for one in limited.why(address)["layers"]}
    assert "foreign:quiet" not in names
    assert ("foreign:strict" in names) is (":" not in address), "a table for IPv4 says nothing of IPv6"
    assert limited.why(address)["blocked"] is False
    assert f"Another table may refuse it: inet f2b-table; it is in {held} there" in limited.types("why", address).stdout


def send_flags(attacker: Attacker, scene: Firewalled, flags: int) -> None:
    """One TCP segment as no system sends it."""
    segment = struct.pack("!HHIIBBHHH", 40_000, OPEN, 1, 0, 5 << 4, flags, 1024, 0, 0)
    with open_socket(scene.network.street, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as sending:
        sending.bind((attacker.address, 0))
        sending.sendto(segment, (DOOR_IPV4, 0))
