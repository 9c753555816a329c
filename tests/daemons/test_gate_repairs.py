"""The gate makes the table anew in one transaction, with every block in it, and mends what somebody else did to it."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.daemons.test_gate import Room
from tests.kernel.namespaces import Namespace

from durward.daemons.gate import Gate
from durward.model import EVERYTHING, Port, Scope, Standing, Subject
from durward.privileged.failure import PrivilegedError
from durward.privileged.keeper import Keeper, Wanted
from durward.ruleset.firewall import firewall
from durward.ruleset.levels import BLOCK_PREFIX_V6
from durward.ruleset.policy import Policy
from durward.ruleset.skeleton import skeleton

pytestmark = pytest.mark.kernel

BLOCKED = ("203.0.113.9", "198.51.100.0/24", "2001:db8:2::/64", "2001:db8:3::/48")
ALLOWED = ("203.0.113.10", "2001:db8:4::/64")
TIMES = re.compile(r" (expires|timeout) [0-9dhms]+| # handle \d+|packets \d+ bytes \d+")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A confirmed firewall, blocks and allowed ones."""
    namespace = Namespace()
    with namespace.inside():
        made = Room(tmp_path, namespace)
        made.say("firewall apply", firewall(Policy(), "a"), open_ports=[], seconds=60, force=True, connection="")
        made.say("firewall confirm", connection="")
        fill(made.keeper)
        made.gate.changes.forget()
        yield made
        made.gate.changes.close()
        made.sets.close()
    namespace.close()


def fill(keeper: Keeper) -> None:
    now = time.time()
    ports = Scope((Port(80), Port(53, "udp")))
    blocks = [Standing("block", Subject.parse(one), EVERYTHING, now + 3600, 17) for one in BLOCKED]
    blocks.append(Standing("block", Subject.parse("203.0.113.11"), ports, None, 18))
    assert keeper.block([Wanted(one, automatic=False) for one in blocks], now) == []
    allowed = [Standing("allow", Subject.parse(one), EVERYTHING, None, 19) for one in ALLOWED]
    assert keeper.allow([Wanted(one, automatic=False) for one in allowed], now) == []


def table(room: Room) -> list[str]:
    """Our table but for what passes with time, in an order of its own: elements have none."""
    listed = room.namespace.run("nft", "-s", "list", "ruleset")
    return sorted(word.strip().strip("{},") for word in re.split(r"[\n,]", TIMES.sub("", listed)))


def test_a_start_after_a_stop_is_one_transaction_with_everything_in_it(room: Room) -> None:
    before = table(room)
    room.say("firewall off")
    generation = room.sets.generation()
    assert room.say("firewall on")["firewall"] == "confirmed"
    assert room.sets.generation() == generation + 1
    assert table(room) == before


def test_what_was_blocked_while_it_was_stopped_is_blocked_from_the_start_on(room: Room) -> None:
    room.say("firewall off")
    late = Standing("block", Subject.parse("203.0.113.77"), EVERYTHING, None, 20)
    with pytest.raises(PrivilegedError, match="no such set"):
        room.keeper.block([Wanted(late, automatic=False)], time.time())
    room.say("firewall on")
    assert room.keeper.readings([late]) != [None]


def test_another_skeleton_takes_over_what_the_old_one_held(room: Room) -> None:
    """As after an upgrade: the next enforcer was told nothing yet, and nobody gets in until it is."""
    room.gate.changes.close()
    blocks = [line for line in table(room) if "decision" in line]
    generation = room.sets.generation()
    room.keeper = Keeper(room.sets, room.keeper._guards, 56)
    room.gate = Gate(room.directory, room.directory / "stopped", skeleton(56), room.anew, room.keeper)
    assert room.sets.generation() == generation + 1
    assert [line for line in table(room) if "decision" in line] == blocks
    assert "block6_56" in room.namespace.run("nft", "list", "sets")
    assert room.gate.state() == "confirmed"
    assert "goto input_a" in room.namespace.run("nft", "list", "chain", "inet", "durward", "firewall_input")


def test_an_element_that_finds_no_room_keeps_nothing_else_away(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [line for line in table(room) if "decision" not in line]
    elements = room.keeper.elements(time.time())
    monkeypatch.setattr(room.keeper, "elements", lambda now: [*elements, replace(elements[0], set_name="nowhere")])
    room.say("firewall off")
    assert room.say("firewall on")["firewall"] == "confirmed"
    assert [line for line in table(room) if "decision" not in line][:1] == before[:1]


FOREIGN = {
    "flush of the table": "flush table inet durward",
    "delete of the table": "delete table inet durward",
    "delete of a chain": "flush chain inet durward prerouting; delete chain inet durward prerouting",
    "delete of one rule": "delete rule inet durward arriving4 handle {arriving4}",
    "another rule in its place": "replace rule inet durward refuse4 handle {refuse4} accept",
    "a rule that accepts": "insert rule inet durward prerouting accept",
    "a rule that accepts in the firewall": "insert rule inet durward input_a accept",
    "a chain of its own": "add chain inet durward evil {{ type filter hook input priority 5; policy drop; }}",
    "a policy": "add chain inet durward prerouting {{ type filter hook prerouting priority -300; policy drop; }}",
    "sleep": "add table inet durward {{ flags dormant; }}",
    "a set": "flush table inet durward; delete set inet durward block_ports4_32",
    "one of the blocked": "delete element inet durward block4_32 {{ 203.0.113.9 }}",
    "all of the blocked": "flush set inet durward block4_32",
    "one more that is allowed": "add element inet durward allow4_32 {{ 203.0.113.9 }}",
    "one more that is blocked": "add element inet durward block4_32 {{ 203.0.113.99 }}",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_somebody_else_did_is_undone_and_told(room: Room, what: str) -> None:
    before = table(room)
    room.namespace.run("nft", "-f", "-", given=commands(room, FOREIGN[what]))
    assert table(room) != before
    room.gate.look()
    assert table(room) == before
    (report,) = room.gate.reports
    assert re.match(r"process \d+ \(nft\) changed .* of table inet durward", report)
    room.gate.look()
    assert room.gate.reports == [report], "our own repair is nobody else's change"


def commands(room: Room, text: str) -> str:
    """Commands in which each chain's name stands for the handle of its first rule."""
    handles = {}
    for name in ("arriving4", "refuse4"):
        listed = room.namespace.run("nft", "-a", "list", "chain", "inet", "durward", name)
        handles[name] = re.findall(r"# handle (\d+)", listed)[1]
    return text.format(**handles).replace("; delete", "\ndelete") + "\n"


def test_the_sets_of_others_in_our_table_are_left_alone_by_a_repair(room: Room) -> None:
    """Meters and merged lists hold what nobody could put back: only a table that is gone takes them along."""
    room.namespace.run("nft", "add", "set", "inet", "durward", "merged_x", "{ type ipv4_addr; }")
    room.namespace.run("nft", "add", "element", "inet", "durward", "merged_x", "{ 203.0.113.200 }")
    room.gate.changes.forget()
    room.namespace.run("nft", "flush", "table", "inet", "durward")
    room.gate.look()
    assert "203.0.113.200" in room.namespace.run("nft", "list", "set", "inet", "durward", "merged_x")


def test_a_large_transaction_of_our_own_is_not_taken_for_somebody_elses(room: Room) -> None:
    now = time.time()
    many = [Standing("block", Subject.parse(f"10.1.{n >> 8}.{n & 255}"), EVERYTHING, None, n) for n in range(10_000)]
    room.keeper.replace("block", [Wanted(one, automatic=False) for one in many], now, last=False)
    room.gate.look()
    assert room.gate.reports == []


def test_what_was_changed_while_no_enforcer_was_there_is_mended_by_the_next_one(room: Room) -> None:
    before = table(room)
    room.gate.changes.close()
    room.namespace.run("nft", "insert", "rule", "inet", "durward", "prerouting", "accept")
    room.namespace.run("nft", "flush", "chain", "inet", "durward", "arriving6")
    room.keeper = Keeper(room.sets, room.keeper._guards, BLOCK_PREFIX_V6)
    room.gate = Gate(room.directory, room.directory / "stopped", skeleton(), room.anew, room.keeper)
    assert table(room) == before
