"""The text of port knocking, and the sequences that are refused because a scan would be one."""

import re

import pytest

from durward.catalog.traffic import PortRange
from durward.ruleset.knocking import fragment
from durward.ruleset.matching import InvalidPolicyError
from durward.ruleset.policy import Knock, Policy, Ports

OPEN = (PortRange(7000, 7009),)


def policy(*steps: int, port: int = 22, inbound: Ports | None = None) -> Policy:
    return Policy(inbound=inbound or Ports(), knocks=(Knock(port, "tcp", steps, 20),))


def test_without_doors_there_is_nothing() -> None:
    part = fragment(Policy(), "a")
    assert (part.sets, part.chains, part.accepting) == ((), (), ())


@pytest.mark.parametrize(
    ("refused", "order"),
    [
        (policy(7001, 7002, 7003), "ascending"),
        (policy(7003, 7002, 7001), "descending"),
        (policy(7001, 7003, 7004, port=7002), "ascending"),
        (policy(6999, 7010, 7011, inbound=Ports(tcp4=OPEN, tcp6=OPEN)), "ascending"),
        (policy(6999, 7010, 7011, inbound=Ports(tcp6=OPEN)), "ascending"),
        (policy(21, 23, 24, port=8000, inbound=Ports(tcp4=(PortRange(22, 22),))), "ascending"),
    ],
)
def test_a_sequence_that_a_scan_hits_is_refused(refused: Policy, order: str) -> None:
    with pytest.raises(InvalidPolicyError, match=f"a scan in {order} order would open {refused.knocks[0].port}/tcp"):
        fragment(refused, "a")


@pytest.mark.parametrize("steps", [(7003, 7001, 7002), (7000, 8000, 9000), (7001, 7002, 7004), (7001, 7002, 7001)])
def test_others_are_taken(steps: tuple[int, ...]) -> None:
    part = fragment(policy(*steps), "a")
    assert len(part.sets) == 2 * (len(steps) + 1)
    named = {line.split()[1] for line in part.sets}
    assert set(re.findall(r"@(\w+)", "\n".join(part.chains))) == named
    assert part.accepting[0].startswith("meta nfproto ipv4 jump knock4_tcp_22_a")


def test_no_packet_removes_an_element() -> None:
    assert "delete" not in "\n".join(fragment(policy(7003, 7001, 7002), "a").chains)
