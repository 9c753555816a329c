"""Each rule set that is measured does what it is measured for: who is blocked is dropped, and a stranger gets in."""

import pytest
from bench.injection import Injector
from bench.peers import distribution

from bench import packets, transactions

pytestmark = pytest.mark.kernel
SMALL = 40
CONTESTANTS = [*packets.contest(), *packets.growth(SMALL)]
NEEDED = pytest.mark.skipif(bool(distribution.missing()), reason="peers of the bench are not installed")


@NEEDED
@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda contestant: contestant.name)
def test_blocked_sources_are_dropped_and_others_are_not(contestant: packets.Contestant) -> None:
    few = packets.Contestant(contestant.name, min(contestant.count, packets.FEW), contestant.load)
    with Injector() as injector:
        few.load(injector.server, few.blocked)
        packets.check(injector, few)


def test_a_rule_set_that_lets_blocked_ones_pass_is_not_measured() -> None:
    with Injector() as injector, pytest.raises(SystemExit, match=r"nothing does not do.*1000 of 1,000 passed"):
        packets.check(injector, packets.Contestant("nothing", SMALL, lambda *_: None))


@NEEDED
@pytest.mark.parametrize("name", transactions.contest(SMALL))
def test_transactions_go_through_each_rule_set(name: str) -> None:
    with transactions.connected(transactions.contest(SMALL)[name]) as ends:
        assert transactions.turn(ends)() > 0
