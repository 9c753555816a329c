"""At the limit of a set of the real kernel: nothing that stands is given up, and whoever finds no room is told."""

import time
from collections.abc import Sequence

import pytest

from durward.model import Direction, Port, Scope, Standing, Subject
from durward.privileged.guards import Guards, Policy
from durward.privileged.keeper import Keeper, Wanted
from durward.privileged.room import FULL_SECONDS
from durward.privileged.sets import Sets
from durward.ruleset.levels import BLOCK_PREFIX_V6, RARE_MAX

pytestmark = pytest.mark.kernel
PORTS = tuple(map(Port, range(1, 65)))


def out(subject: str, ports: tuple[Port, ...] = (), *, until: float | None = None, decision: int = 1) -> Standing:
    direction: Direction = "out"
    return Standing("block", Subject.parse(subject), Scope(ports, direction), until, decision)


# Small sets of both families, and what fills each to the last element.
FULL4 = [out(f"192.0.2.{number}", PORTS) for number in range(RARE_MAX // 64)]
FULL6 = [out(f"2001:db8::{number:x}") for number in range(1, RARE_MAX + 1)]
CASES = pytest.mark.parametrize(
    ("standing", "more", "name"),
    [(FULL4, out("198.51.100.9", PORTS[:1]), "out_ports4_32"), (FULL6, out("2001:db8:1::9"), "out6_128")],
    ids=["ports_v4", "addresses_v6"],
)


@pytest.fixture
def keeper(sets: Sets) -> Keeper:
    return Keeper(sets, Guards(list, Policy()), BLOCK_PREFIX_V6)


def block(keeper: Keeper, standings: Sequence[Standing]) -> list[str]:
    return [one.reason for one in keeper.block([Wanted(one, automatic=False) for one in standings], time.time())]


@CASES
def test_at_the_limit_nothing_that_stands_is_given_up(
    keeper: Keeper, standing: list[Standing], more: Standing, name: str
) -> None:
    assert block(keeper, standing) == []
    assert keeper.full(time.time()) == []
    words = f"the kernel's set {name} is full: it holds {RARE_MAX:,} entries, and none is given up for another"
    assert block(keeper, [more]) == [words]
    assert None not in keeper.readings(standing)
    assert keeper.readings([more]) == [None]
    assert (keeper.full(time.time()), keeper.full(time.time() + FULL_SECONDS + 1)) == ([words], [])


@CASES
def test_one_without_room_costs_the_others_nothing(
    keeper: Keeper, standing: list[Standing], more: Standing, name: str
) -> None:
    block(keeper, standing[:-1])
    assert len(block(keeper, [standing[-1], more])) == 1, name
    assert None not in keeper.readings(standing)


@CASES
def test_a_block_in_a_full_set_can_be_prolonged_and_lifted(
    keeper: Keeper, standing: list[Standing], more: Standing, name: str
) -> None:
    block(keeper, standing)
    longer = out(standing[0].subject.value, standing[0].scope.ports, until=time.time() + 600, decision=99)
    assert block(keeper, [longer]) == [], name
    (reading,) = keeper.readings([longer])
    assert reading is not None
    assert reading.comment == "decision 99"
    keeper.unblock([standing[1]], time.time())
    assert block(keeper, [more]) == []
    assert keeper.full(time.time()) == []


def test_an_allowance_that_is_too_wide_or_has_no_room_is_refused(keeper: Keeper) -> None:
    allowed = [Standing("allow", one.subject, one.scope, None, 1) for one in FULL4]
    wide = Standing("allow", Subject.parse("10.0.0.0/7"), Scope(), None, 2)
    refused = keeper.allow([Wanted(one, automatic=False) for one in (*allowed, wide)], time.time())
    assert [(one.index, one.reason.split(":")[0]) for one in refused] == [(len(allowed), "10.0.0.0/7 is too wide")]
    more = Standing("allow", Subject.parse("198.51.100.9"), Scope(PORTS[:1], "out"), None, 3)
    (full,) = keeper.allow([Wanted(more, automatic=False)], time.time())
    assert "allow_out_ports4_32 is full" in full.reason
    assert keeper.replace("allow", [Wanted(one, automatic=False) for one in (*allowed, more)], time.time(), last=True)
    assert None not in keeper.readings(allowed)
