"""What is dropped is told of, and one source that floods does not drown what others do."""

import socket

import pytest
from tests.kernel.firewall.bases import apply, counted
from tests.kernel.firewall.nflog import Nflog, Told
from tests.kernel.firewall.probes import probe
from tests.kernel.frames import put, tcp, udp
from tests.kernel.hosts import CLIENT, CLIENT6, FAR, FAR6, SERVER, SERVER6, Trio
from tests.ruleset.laboratory import LABORATORY

from durward.catalog.traffic import parse_ports
from durward.ruleset.policy import Logging, Policy, Ports
from durward.ruleset.refusals import COPY_BYTES_MAX, SHARE

pytestmark = pytest.mark.kernel
POLICY = Policy(
    outbound=Ports(tcp4=parse_ports("80")), logging=Logging(silent_ports=parse_ports("137:139")), spoofing=LABORATORY
)


def source_of(told: Told) -> str:
    six = told.payload[0] >> 4 == 6
    return socket.inet_ntop(*((10, told.payload[8:24]) if six else (2, told.payload[12:16])))


def test_every_kind_is_told_with_its_prefix_and_few_bytes(router: Trio) -> None:
    apply(router.server, POLICY)
    with Nflog(router.server) as log:
        put(router, [tcp(CLIENT, 81), udp(CLIENT6, 81, b"x" * 500), tcp(FAR6[0], 82), udp(CLIENT, 137, b"quiet")])
        assert probe("tcp", router.server, SERVER, CLIENT, 25) == "rejected"
        told = log.told("dw:out:tcp")
    assert [(one.prefix, source_of(one)) for one in told] == [
        ("dw:in:tcp", CLIENT),
        ("dw:in:udp", CLIENT6),
        ("dw:in:tcp", FAR6[0]),
        ("dw:out:tcp", SERVER),
    ]
    assert len(told[1].payload) == COPY_BYTES_MAX
    assert told[1].payload[40:44].hex() == "9c400051"  # its ports: the header of UDP is there


@pytest.mark.parametrize(("greedy", "modest"), [(CLIENT, FAR[0]), (CLIENT6, FAR6[0])])
def test_one_source_cannot_blind_us_for_the_rest(router: Trio, greedy: str, modest: str) -> None:
    apply(router.server, POLICY)
    with Nflog(router.server) as log:
        put(router, [tcp(greedy, port) for port in range(5000, 7000)])
        put(router, [tcp(modest, 23)])
        assert probe("tcp", router.server, SERVER, CLIENT, 25) == "rejected"
        sources = [source_of(one) for one in log.told("dw:out:tcp")]
    assert sources.count(modest) == 1
    assert SHARE.burst <= sources.count(greedy) < 1000
    assert counted(router.server, "refused_a") > 1000


def test_a_kernel_line_does_not_change_what_happens(router: Trio) -> None:
    apply(router.server, Policy(logging=Logging(kernel_lines=True), spoofing=LABORATORY))
    for source, to in ((CLIENT, SERVER), (CLIENT6, SERVER6)):
        assert probe("tcp", router.client, source, to, 81, "silent") == "silent"
        assert probe("tcp", router.client, source, to, 22) == "passes"
