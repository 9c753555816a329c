"""Doors open for who knocks in order, in time and without a wrong knock; never for a scan; for both families."""

import time
from collections.abc import Iterator

import pytest
from tests.kernel.assembly import GENERATION, assembled, load_into
from tests.kernel.frames import put, tcp
from tests.kernel.hosts import CLIENT, CLIENT6, FAR, FAR6, FREE, FREE6, SERVER, SERVER6, Pair
from tests.kernel.namespaces import send

from durward.catalog.traffic import PortRange
from durward.ruleset.knocking import fragment
from durward.ruleset.policy import Knock, Policy, Ports

pytestmark = pytest.mark.kernel
DOOR, OPEN, WAY_IN = 5400, 5401, 5402
STEPS = (7003, 7001, 7002)
BOTH = pytest.mark.parametrize(("source", "other"), [(CLIENT, FAR[0]), (CLIENT6, FAR6[0])])
OPENED = Ports(udp4=(PortRange(OPEN, WAY_IN),), udp6=(PortRange(OPEN, WAY_IN),))


def doors(*knocks: Knock) -> Policy:
    return Policy(knocks=knocks, inbound=OPENED)


@pytest.fixture
def closed(pair: Pair) -> Iterator[Pair]:
    load(pair, doors(Knock(DOOR, "udp", STEPS, 2)))
    yield pair
    pair.server.run("nft", "flush", "ruleset")


def load(pair: Pair, policy: Policy) -> None:
    load_into(pair.server, assembled(fragment(policy, GENERATION), [f"udp dport {OPEN}-{WAY_IN} accept"]))


def knock(pair: Pair, source: str, *ports: int) -> None:
    for port in ports:
        assert send(pair.client, source, SERVER6 if ":" in source else SERVER, port, b"knock")


def is_open(pair: Pair, source: str, port: int = DOOR) -> bool:
    """Whether a datagram arrives at the door."""
    six = ":" in source
    listening = pair.host.listening(10 if six else 2, port)
    knock(pair, source, port)
    # By another port comes one that always arrives, and later: then the first is here, or never will be.
    pair.host.texts(pair.client, FREE6 if six else FREE, SERVER6 if six else SERVER, WAY_IN)
    listening.setblocking(False)
    try:
        return listening.recv(100) == b"knock"
    except BlockingIOError:
        return False


@BOTH
def test_the_right_knocks_open_the_door_for_their_source_for_a_while(closed: Pair, source: str, other: str) -> None:
    assert not is_open(closed, source)
    knock(closed, source, *STEPS)
    assert is_open(closed, source)
    assert not is_open(closed, other)
    time.sleep(2.1)
    # A datagram of the same flow would belong to what was opened; this one begins anew, since each has its own port.
    assert not is_open(closed, source)
    knock(closed, source, *STEPS)
    assert is_open(closed, source)


@BOTH
@pytest.mark.parametrize(
    "ports",
    [
        STEPS[:2],
        STEPS[1:],
        (7001, 7003, 7002),
        (7001, 7002, 7003),
        (7003, 7002, 7001),
        (7003, 7001, 7001, 7003, 7002),
        (7003, 7003, 7001, 9, 7002),
        (7003, 9, 7001, 7002),
        (7003, 7001, DOOR + 50, 7002),
        (7003, 7001, 7002, 9),
        (9, 7001, 7002),
    ],
)
def test_others_do_not(closed: Pair, source: str, other: str, ports: tuple[int, ...]) -> None:
    knock(closed, source, *ports)
    assert not is_open(closed, source)


@BOTH
@pytest.mark.parametrize("ports", [(7003, 7003, 7001, 7001, 7002, 7002), (7003, OPEN, 7001, DOOR, 7002)])
def test_a_knock_sent_again_and_open_ports_do_no_harm(
    closed: Pair, source: str, other: str, ports: tuple[int, ...]
) -> None:
    knock(closed, source, *ports)
    assert is_open(closed, source)


@BOTH
def test_after_a_wrong_knock_one_begins_again(closed: Pair, source: str, other: str) -> None:
    knock(closed, source, 7003, 7001, 9)
    knock(closed, other, *STEPS)
    assert is_open(closed, other)
    time.sleep(0.6)
    knock(closed, source, 7002)
    assert not is_open(closed, source)
    knock(closed, source, *STEPS)
    assert is_open(closed, source)


@BOTH
def test_a_wrong_knock_of_another_protocol_counts_too(closed: Pair, source: str, other: str) -> None:
    knock(closed, source, 7003, 7001)
    put(closed, [tcp(source, 7)])
    knock(closed, source, 7002)
    assert not is_open(closed, source)


@BOTH
def test_each_step_has_its_time(closed: Pair, source: str, other: str) -> None:
    load(closed, doors(Knock(DOOR, "udp", STEPS, 1)))
    knock(closed, source, 7003)
    time.sleep(0.7)
    knock(closed, source, 7001)
    time.sleep(0.7)
    knock(closed, source, 7002)
    assert is_open(closed, source)
    knock(closed, other, 7003, 7001)
    time.sleep(1.1)
    knock(closed, other, 7002)
    assert not is_open(closed, other)


@BOTH
@pytest.mark.parametrize("steps", [(6999, 7001, 7003), (7001, 7002, 7004), (7005, 7003, 7001), STEPS])
@pytest.mark.parametrize("scan", [range(6990, 7010), range(7010, 6990, -1)])
def test_no_scan_opens(closed: Pair, source: str, other: str, steps: tuple[int, ...], scan: range) -> None:
    load(closed, doors(Knock(7011, "udp", steps, 20)))
    knock(closed, source, *scan, *scan)
    assert not is_open(closed, source, 7011)


@BOTH
def test_two_doors_do_not_open_for_each_other(closed: Pair, source: str, other: str) -> None:
    load(closed, doors(Knock(DOOR, "udp", STEPS, 5), Knock(DOOR + 5, "udp", (7101, 7100, 7102), 5)))
    knock(closed, source, *STEPS)
    assert is_open(closed, source)
    assert not is_open(closed, source, DOOR + 5)
    knock(closed, other, 7101, 7100, 7102)
    assert is_open(closed, other, DOOR + 5)
    assert not is_open(closed, other)


@pytest.mark.parametrize("source", [CLIENT, CLIENT6])
def test_doors_of_tcp_open_too(closed: Pair, source: str) -> None:
    six = ":" in source
    load(closed, doors(Knock(DOOR, "tcp", STEPS, 5)))
    with closed.server.inside():
        import socket

        listening = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
    with listening:
        listening.bind((SERVER6 if six else SERVER, DOOR))
        listening.listen()
        listening.settimeout(5)
        put(closed, [tcp(source, port) for port in STEPS])
        with closed.client.inside():
            opened = socket.create_connection((SERVER6 if six else SERVER, DOOR), 5, (source, 0))
        with opened, listening.accept()[0]:
            pass
