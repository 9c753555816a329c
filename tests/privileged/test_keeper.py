"""The keeper with a real kernel: what was asked for is there, what a guard forbids is not."""

import time
from ipaddress import ip_network

import pytest

from durward.model import EVERYTHING, Scope, Standing, Subject
from durward.privileged.guards import Guards, Policy
from durward.privileged.keeper import Keeper, Wanted
from durward.privileged.sets import Sets
from durward.ruleset.levels import BLOCK_PREFIX_V6

pytestmark = pytest.mark.kernel
OWN = "203.0.113.1"


def standing(subject: str, seconds: float | None = 60, decision: int = 17, listing: str = "block") -> Standing:
    until = None if seconds is None else time.time() + seconds
    return Standing(listing, Subject.parse(subject), EVERYTHING, until, decision)


def wanted(*standings: Standing) -> list[Wanted]:
    return [Wanted(one, automatic=True) for one in standings]


@pytest.fixture
def keeper(sets: Sets) -> Keeper:
    guards = Guards(lambda: [(ip_network(OWN), "this host's own address")], Policy())
    return Keeper(sets, guards, BLOCK_PREFIX_V6)


def comments(keeper: Keeper, *standings: Standing) -> list[str | None]:
    return [reading.comment if reading else None for reading in keeper.readings(standings)]


def test_blocks_are_there_but_for_what_a_guard_forbids(keeper: Keeper) -> None:
    asked = [standing("203.0.113.9"), standing(OWN), standing("10.0.0.0/7"), standing("198.51.100.0/24", None, 18)]
    refused = keeper.block([Wanted(one, automatic=False) for one in asked], time.time())
    assert [(one.index, one.reason.split(":")[0]) for one in refused] == [
        (1, f"{OWN} is this host's own address"),
        (2, "10.0.0.0/7 is too wide"),
    ]
    assert comments(keeper, asked[0], asked[1], asked[3]) == ["decision 17", None, "decision 18"]


def test_lifting_leaves_what_another_block_needs(keeper: Keeper) -> None:
    around, within = standing("203.0.113.8/31", 60, 1), standing("203.0.113.9", None, 2)
    keeper.block(wanted(within), time.time())
    keeper.block([Wanted(around, automatic=False)], time.time())
    assert comments(keeper, within) == ["decision 2"]
    keeper.unblock([within], time.time())
    assert comments(keeper, within, standing("203.0.113.8")) == ["decision 1", "decision 1"]
    keeper.unblock([around], time.time())
    assert comments(keeper, within, standing("203.0.113.8")) == [None, None]


def test_a_throttle_stands_beside_a_block_and_guards_forbid_it_too(keeper: Keeper) -> None:
    block = standing("203.0.113.64/26", None, 1)
    throttle = standing("203.0.113.64/26", decision=2, listing="throttle")
    keeper.begin()
    assert keeper.replace("block", wanted(block), time.time(), last=False) == []
    [refused] = keeper.throttle(wanted(throttle, standing(OWN, listing="throttle")), time.time())
    assert (refused.index, "own address" in refused.reason) == (1, True)
    keeper.replace("block", [], time.time(), last=True)
    assert comments(keeper, block, throttle) == ["decision 1", "decision 2"]
    keeper.replace("throttle", [], time.time(), last=True)
    assert comments(keeper, block, throttle) == ["decision 1", "decision 2"], "what came in between stays"
    keeper.unblock([throttle], time.time())
    assert comments(keeper, block, throttle) == ["decision 1", None]


def test_a_list_is_replaced_by_difference(keeper: Keeper, sets: Sets) -> None:
    first, second, third = (standing(f"203.0.113.{number}", decision=number) for number in (11, 12, 13))
    allowed = standing("198.51.100.7", listing="allow")
    keeper.replace("allow", wanted(allowed), time.time(), last=True)
    keeper.replace("block", wanted(first, second), time.time(), last=True)
    generation = sets.generation()
    keeper.replace("block", wanted(first, second), time.time(), last=True)
    assert sets.generation() == generation
    keeper.replace("block", wanted(second), time.time(), last=False)
    keeper.replace("block", wanted(third), time.time(), last=True)
    assert comments(keeper, first, second, third, allowed) == [None, "decision 12", "decision 13", "decision 17"]


def test_what_comes_while_a_list_is_replaced_stays(keeper: Keeper) -> None:
    first, second, third = (standing(f"203.0.113.{number}", decision=number) for number in (11, 12, 13))
    keeper.block(wanted(first), time.time())
    keeper.begin()
    keeper.replace("block", wanted(second), time.time(), last=False)
    keeper.block(wanted(third), time.time())
    keeper.replace("block", [], time.time(), last=True)
    assert comments(keeper, first, second, third) == [None, "decision 12", "decision 13"]
    keeper.begin()  # whoever ended in the middle of a list leaves nothing of it to the next conversation
    keeper.replace("block", wanted(second), time.time(), last=False)
    keeper.begin()
    keeper.replace("block", wanted(third), time.time(), last=True)
    assert comments(keeper, second, third) == [None, "decision 13"]


def test_what_has_run_out_is_forgotten(keeper: Keeper) -> None:
    one = standing("203.0.113.9", 30)
    keeper.block(wanted(one), time.time())
    keeper.tick(time.time() + 61)
    assert len(keeper._claims) == 0


def test_a_port_block_is_read_as_one(keeper: Keeper) -> None:
    one = Standing("block", Subject.parse("203.0.113.9"), Scope.parse("in:22,53/udp"), None, 5)
    keeper.block(wanted(one), time.time())
    assert comments(keeper, one) == ["decision 5"]
