"""The reflex in words of nftables: only what is dropped comes there, all is bounded, and who is spared is named."""

import re

from hypothesis import given
from hypothesis import strategies as st

from durward.catalog.probed import Probed, parse_probed
from durward.catalog.traffic import PortRange
from durward.ruleset.firewall import firewall
from durward.ruleset.policy import Knock, Policy, Ports, PortScans
from durward.ruleset.port_scans import names_of
from durward.ruleset.skeleton import set_names, skeleton

WEB = Ports(tcp4=(PortRange(443, 443),), tcp6=(PortRange(443, 443),))
EVERY_WORD = parse_probed(["1:65535", "ICMP", "INVALID", "OPEN", "BRD"])


def text(scans: PortScans | None, **more: object) -> str:
    return firewall(Policy(inbound=WEB, port_scans=scans, **more), "a")  # type: ignore[arg-type]


def chain(name: str, of: str) -> list[str]:
    found = re.search(rf"^\tchain {name} \{{\n(.*?)^\t\}}", of, re.MULTILINE | re.DOTALL)
    return [line.strip() for line in found[1].splitlines()] if found else []


def test_without_a_detector_nothing_is_counted_or_copied() -> None:
    assert "scan" not in text(None)
    assert "group 7" not in text(None)


def test_what_passes_is_asked_nothing_more() -> None:
    """A packet that is accepted meets the same rules as without."""
    with_scans, without = text(PortScans(EVERY_WORD)), text(None)
    for name in ("raw_a", "impossible_a", "input_a", "forward_a", "translated_a", "open_a", "output_a", "sending_a"):
        assert chain(name, with_scans) == chain(name, without), name
    more = [rule for rule in chain("arriving_a", with_scans) if rule not in chain("arriving_a", without)]
    assert more == ["ct state invalid jump scan_invalid_a"]


def test_every_set_has_a_size_and_a_timeout() -> None:
    sets = re.findall(r"^\tset meter_scan_\w+ \{(.*)\}$", text(PortScans()), re.MULTILINE)
    assert len(sets) == 11
    assert all("size" in one and re.search(r"timeout \d+[sm];", one) for one in sets)


def test_whoever_is_banned_goes_where_blocks_are() -> None:
    for prefix, level in ((64, "6_64"), (48, "6_48")):
        found = chain("scan_ban6_a", text(PortScans(ban_seconds=300), block_prefix_v6=prefix))[-1]
        assert f"add @block{level} {{ ip6 saddr & " in found
        assert "timeout 300s" in found
        assert f"block{level}" in set_names(skeleton(prefix))


def test_name_servers_gateways_and_the_allowed_are_spared_and_all_of_their_network_with_them() -> None:
    written = text(PortScans(spared=("192.0.2.53", "2001:db8:1::53", "fe80::1")))
    assert "ip saddr { 169.254.0.0/16, 192.0.2.53/32 } return" in chain("scan_ban4_a", written)
    assert "ip6 saddr { 2001:db8:1::/64, fe80::/10 } return" in chain("scan_ban6_a", written)
    assert "ip saddr & 255.255.255.0 @allow4_24 return" in chain("scan_ban4_a", written)


def test_late_answers_and_echoes_of_forged_packets_are_no_probes() -> None:
    first = chain("scan4_a", text(PortScans()))[:4]
    assert first == [
        "tcp flags & rst == rst return",
        "tcp flags & (syn | ack) == (syn | ack) return",
        "tcp flags & ack == ack tcp dport 32768-65535 return",
        "udp sport 1-1023 udp dport 1024-65535 return",
    ]


def test_udp_bans_nobody_in_the_kernel() -> None:
    bans = [rule for rule in chain("scan4_a", text(PortScans())) if "scan_ban" in rule]
    assert [rule.partition(" add ")[0] for rule in bans] == ["meta l4proto { tcp, sctp, dccp }"]


def test_without_a_reflex_copies_are_made_all_the_same() -> None:
    written = text(PortScans(count=0, flags=0))
    assert "jump scan_ban" not in written
    assert 'log prefix "dw:probe" group 7 snaplen 96' in written
    assert 'log prefix "dw:flags" group 7 snaplen 96' in written


def test_the_words_of_csf_add_what_they_name() -> None:
    few, all_of_it = text(PortScans(Probed(words=frozenset()))), text(PortScans(EVERY_WORD))
    assert "jump scan_flags" not in few
    assert "jump scan_invalid" not in few
    assert "meta l4proto { icmp, ipv6-icmp } return" in chain("scan_bare4_a", few)
    assert chain("refused_a", few)[0] == "meta pkttype != host counter drop"
    assert chain("refused_a", all_of_it)[0].startswith("meta pkttype != host meta l4proto udp meta nfproto vmap")
    assert all("tcp dport !=" not in rule for rule in chain("scan_invalid_a", all_of_it))
    assert "tcp dport != { 22, 443 } jump scan4_a" in chain("scan_invalid_a", text(PortScans()))[0]


def test_only_the_ports_that_count_are_counted() -> None:
    assert "th dport != { 1-1023, 8080 } return" in chain("scan4_a", text(PortScans(parse_probed("1:1023,8080"))))
    assert "return" in chain("scan4_a", text(PortScans(parse_probed("ICMP"))))


def test_the_last_knock_alone_is_told_of() -> None:
    door = {"knocks": (Knock(2222, "tcp", (7003, 7001, 7002), 5),)}
    told = [line for line in text(PortScans(), **door).splitlines() if "dw:knocked" in line]
    assert [re.findall(r"dport (\d+)", line)[0] for line in told] == ["7002", "7002"]
    assert "dw:knocked" not in text(None, **door)


@given(st.integers(2, 60), st.integers(2, 60), st.sampled_from([60.0, 300.0, 86400.0]))
def test_sets_of_another_measure_have_other_names(count: int, flags: int, within: float) -> None:
    usual, other = PortScans(), PortScans(count=count, flags=flags, within_seconds=within)
    same = (count, flags, within) == (usual.count, usual.flags, usual.within_seconds)
    assert (names_of(usual, 4, 64) == names_of(other, 4, 64)) is same
    assert f"over {count}/{'minute' if within <= 60 else 'hour'} burst {count - 1} packets" in text(other)
