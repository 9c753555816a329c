"""Kernel log lines with CSF's prefixes, read back from the real log: what the tools that know CSF's lines look for."""

import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import pytest
from tests.kernel.firewall.bases import apply
from tests.kernel.firewall.kernel_log import ALL_NAMESPACES, KernelLog, Line, kernel_log
from tests.kernel.firewall.nflog import Nflog
from tests.kernel.firewall.probes import icmp, probe
from tests.kernel.firewall.sockets import as_user
from tests.kernel.frames import put, tcp, udp
from tests.kernel.hosts import BEYOND, CLIENT, CLIENT6, FAR, FAR6, SERVER, SERVER6, Trio
from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.ruleset.policy import Logging, Policy, Ports
from durward.ruleset.refusals import LINES_SHARE

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(not ALL_NAMESPACES.exists(), reason="this kernel's namespaces cannot write to its log"),
]
POLICY = Policy(outbound=Ports(tcp4=parse_ports("80")), logging=Logging(kernel_lines=True), spoofing=LABORATORY)
WARNING = 4  # as iptables' LOG writes by default
# What CSF's scan, port and user detectors take out of a line; the stamp and "kernel:" before it come from syslog.
PREFIX = re.compile(r"Firewall: \*(\w+) Blocked\* ")
INCOMING = re.compile(
    r"Firewall: \*(?P<kind>\w+) Blocked\* IN=(?P<interface>\S+) OUT=\S* (?:MAC=\S* )?SRC=(?P<source>\S+) "
    r"DST=(?P<to>\S+) .*PROTO=(?P<protocol>TCP|UDP|ICMPv6|ICMP)(?: SPT=\d+ DPT=(?P<port>\d+))?"
)
OUTGOING = re.compile(
    r"Firewall: \*(?P<kind>\w+) Blocked\* IN= OUT=(?P<interface>\S+) .*DST=(?P<to>\S+) .*PROTO=(?P<protocol>TCP|UDP) "
    r"SPT=\d+ DPT=(?P<port>\d+) .*UID=(?P<user>\d+) GID=\d+"
)
SYN_ONLY = " RES=0x00 SYN URGP=0"


@pytest.fixture
def log() -> Iterator[KernelLog]:
    with kernel_log() as opened:
        yield opened


def lines(hosts: Trio, log: KernelLog, act: Callable[[], object]) -> list[Line]:
    """What is written for what `act` sends: once a later packet is told of, all of it is there."""
    with Nflog(hosts.server) as told:
        act()
        assert probe("tcp", hosts.server, SERVER, CLIENT, 4444) == "rejected"
        told.told("dw:out:tcp")
    return [line for line in log.lines("Firewall: ") if "DPT=4444" not in line.text]


@pytest.mark.parametrize(("source", "to", "middle"), [(CLIENT, SERVER, "_"), (CLIENT6, SERVER6, "6")])
def test_what_comes_in_is_written_as_csf_writes_it(
    router: Trio, log: KernelLog, source: str, to: str, middle: str
) -> None:
    apply(router.server, POLICY)
    written = lines(router, log, lambda: put(router, [tcp(source, 81), udp(source, 53, b"x"), odd_ping(source, to)]))
    found = [INCOMING.match(line.text) for line in written]
    assert [(one["kind"], one["protocol"], one["port"]) for one in found if one] == [
        (f"TCP{middle}IN", "TCP", "81"),
        (f"UDP{middle}IN", "UDP", "53"),
        (f"ICMP{middle}IN", "ICMPv6" if ":" in source else "ICMP", None),
    ]
    for line, one in zip(written, found, strict=True):
        assert one is not None, line
        assert (line.facility, line.level) == (0, WARNING)
        assert (ip_address(one["source"]), ip_address(one["to"])) == (ip_address(source), ip_address(to))
        assert one["interface"] == "outer"
    assert SYN_ONLY in written[0].text


def odd_ping(source: str, to: str) -> bytes:
    """A question of ICMP that nobody answers nowadays: for a time, or for a name."""
    six = ":" in source
    ends = ip_address(source).packed + ip_address(to).packed
    message = icmp(139 if six else 13, 0, bytes(16), six=six)
    if not six:
        head = bytes.fromhex("4500") + (20 + len(message)).to_bytes(2) + bytes.fromhex("0000000040010000") + ends
        return checked(head, 10) + message
    pseudo = ends + len(message).to_bytes(4) + b"\0\0\0\x3a"
    return bytes.fromhex("60000000") + len(message).to_bytes(2) + b"\x3a\x40" + ends + checked(message, 2, pseudo)


def checked(data: bytes, place: int, before: bytes = b"") -> bytes:
    """With the checksum of the internet in its place."""
    total = sum(int.from_bytes((before + data)[at : at + 2]) for at in range(0, len(before + data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return data[:place] + (~total & 0xFFFF).to_bytes(2) + data[place + 2 :]


@pytest.mark.parametrize(("source", "to", "middle"), [(SERVER, CLIENT, "_"), (SERVER6, CLIENT6, "6")])
def test_what_goes_out_is_written_with_its_user(
    router: Trio, log: KernelLog, source: str, to: str, middle: str
) -> None:
    apply(router.server, POLICY)

    def leave() -> None:
        with as_user(4321):
            for protocol in ("tcp", "udp"):
                assert probe(protocol, router.server, source, to, 25) == "rejected"

    found = [OUTGOING.match(line.text) for line in lines(router, log, leave)]
    assert None not in found
    # A first packet may be tried a second time before its sender hears of the refusal.
    assert {(one["kind"], one["port"], one["user"], one["interface"]) for one in found if one} == {
        (f"{protocol}{middle}OUT", "25", "4321", "outer") for protocol in ("TCP", "UDP")
    }


@pytest.mark.parametrize(("greedy", "modest"), [(CLIENT, FAR[0]), (CLIENT6, FAR6[0])])
def test_one_source_does_not_fill_the_log_nor_drown_the_others(
    router: Trio, log: KernelLog, greedy: str, modest: str
) -> None:
    apply(router.server, POLICY)
    written = lines(
        router, log, lambda: put(router, [*(tcp(greedy, port) for port in range(5000, 5040)), tcp(modest, 23)])
    )
    ports = [one["port"] for line in written if (one := INCOMING.match(line.text))]
    assert len(ports) == LINES_SHARE.burst + 1, "CSF's limit, for each source"
    assert ports[-1] == "23"


def test_what_is_forwarded_to_a_published_port_is_written(engine: Trio, log: KernelLog) -> None:
    apply(engine.server, POLICY)
    (line,) = lines(engine, log, lambda: put(engine, [tcp(CLIENT, 8080)]))
    found = INCOMING.match(line.text)
    assert found is not None
    assert (found["kind"], found["to"]) == ("TCP_IN", BEYOND)


def test_nothing_is_written_unless_it_is_wanted(router: Trio, log: KernelLog) -> None:
    apply(router.server, Policy(outbound=POLICY.outbound, spoofing=LABORATORY))
    assert lines(router, log, lambda: put(router, [tcp(CLIENT, 81), udp(CLIENT6, 81, b"x")])) == []
