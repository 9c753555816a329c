"""A firewalled door under a stream of packets that must never get in, and everything that may open a gap."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from arena.pressure import Count, Pressure, Sent
from tests.attacks.firewalled import CLOSED, CLOSED_UDP, ELSEWHERE, OPEN_UDP, Firewalled
from tests.crash.test_firewall import kill_all

RATE_PER_SECOND = 6_250.0  # 5,000 of which must not get in
BLOCKED, BLOCKED6 = "203.0.113.200", "2001:db8:200::9"
FREE, FREE6 = "203.0.113.201", "2001:db8:201::9"
LET_IN = ("open4", "open6")
FOREIGN = {
    "the table is flushed": "flush table inet durward",
    "the table is deleted": "delete table inet durward",
    "a chain is flushed and deleted": "flush chain inet durward prerouting\ndelete chain inet durward prerouting",
    "a chain loses its rules": "flush chain inet durward arriving4",
    "a rule accepts": "insert rule inet durward prerouting accept\ninsert rule inet durward input_a accept",
    "a block is deleted": f"delete element inet durward block4_32 {{ {BLOCKED} }}",
    "blocks are flushed": "flush set inet durward block4_32\nflush set inet durward block6_64",
    "a blocked one is allowed": f"add element inet durward allow4_32 {{ {BLOCKED} }}",
    "the table sleeps": "add table inet durward { flags dormant; }",
}


def kinds(scene: Firewalled) -> list[Sent]:
    """What is sent: from the blocked to an open port, from others to closed ports and, as a proof, to an open one."""
    sent = []
    for family, blocked, free in ((4, BLOCKED, FREE), (6, BLOCKED6, FREE6)):
        sent += [
            Sent(f"blocked{family}", scene.at(blocked), "udp", OPEN_UDP),
            Sent(f"closed_udp{family}", scene.at(free), "udp", CLOSED_UDP),
            Sent(f"blocked_syn{family}", scene.at(blocked), "tcp", 22),
            Sent(f"closed_tcp{family}", scene.at(free), "tcp", CLOSED),
        ]
    open_ones = [Sent(f"open{family}", scene.at(free), "udp", OPEN_UDP) for family, free in ((4, FREE), (6, FREE6))]
    return sent + open_ones


@contextmanager
def pressed(scene: Firewalled, rate_per_second: float = RATE_PER_SECOND) -> Iterator[Pressure]:
    """Two sources are blocked, and packets come."""
    for address in (BLOCKED, BLOCKED6):
        scene.does("block", address)
    with Pressure(scene.network, kinds(scene), rate_per_second) as pressure:
        yield pressure


def got_in(counts: dict[str, Count]) -> dict[str, int]:
    """The packets that must not have got in, by kind; a kind of which none did is left out."""
    return {name: one.got_in for name, one in counts.items() if name not in LET_IN and one.got_in}


def came(counts: dict[str, Count], names: Iterable[str] | None = None) -> int:
    """How many packets came that must not get in."""
    return sum(counts[name].came for name in names or counts.keys() - set(LET_IN))


def apply_again(scene: Firewalled, turn: int) -> None:
    """Apply; every third time confirm it, and every third time roll it back."""
    scene.does("apply")
    if turn % 3 == 2:
        scene.does("confirm", connection=ELSEWHERE)
    elif turn % 3 == 1:
        scene.does("rollback")


def begin_again(scene: Firewalled, turn: int) -> None:
    """End all daemons, politely or not, and start them."""
    if turn % 2:
        kill_all(scene)
    else:
        assert scene.durward.stop() == 0
    scene.durward.start()


def reports(scene: Firewalled) -> list[str]:
    """What durward says of changes that others made."""
    return [line for line in scene.durward.said().splitlines() if "changed" in line and "table inet durward" in line]
