"""Elements in a real kernel: added, changed, removed and read back by key."""

import errno
import json
import threading
import time

import pytest
from tests.kernel.namespaces import Namespace

from durward.privileged.failure import KernelError
from durward.privileged.loading import load, unload
from durward.privileged.messages import Reading
from durward.privileged.sets import READ_KEYS_MAX, TRANSACTION_ELEMENTS_MAX, Sets
from durward.ruleset.elements import Element, ElementKey
from durward.ruleset.skeleton import skeleton

pytestmark = pytest.mark.kernel


def element(number: int = 1, seconds: float = 60, comment: str = "decision 17", name: str = "block4_32") -> Element:
    return Element(name, (0xCB007100 + number).to_bytes(4), seconds, comment)


def readings(sets: Sets, *elements: Element) -> list[Reading | None]:
    return sets.read(one.identity for one in elements)


def only(sets: Sets, one: Element) -> Reading:
    (reading,) = readings(sets, one)
    assert reading is not None
    return reading


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("block4_32", "cb007109"),
        ("block4_16", "c6330000"),
        ("block6_128", "20010db8000000000000000000000001"),
        ("block_ports4_24", "c6336400" + "06000000" + "00160000"),
        ("allow_out_ports6_32", "20010db8000000000000000000000000" + "11000000" + "00350000"),
    ],
)
def test_what_was_added_is_read_back(sets: Sets, name: str, key: str) -> None:
    added = Element(name, bytes.fromhex(key), 3600, "decision 17")
    assert readings(sets, added) == [None]
    sets.add([added])
    reading = only(sets, added)
    assert (reading.packets, reading.bytes, reading.comment) == (0, 0, "decision 17")
    assert reading.expires_in_seconds is not None
    assert 3590 < reading.expires_in_seconds <= 3600
    sets.remove([added.identity])
    assert readings(sets, added) == [None]


def test_nft_shows_what_was_added(sets: Sets, namespace: Namespace) -> None:
    sets.add([element(9, 0, "decision 18")])
    sets.add(
        [Element("block_ports6_64", bytes.fromhex("20010db8") + bytes(12) + b"\x11\0\0\0\0\x35\0\0", 0, "decision 19")]
    )
    shown = namespace.run("nft", "list", "table", "inet", "durward")
    assert '203.0.113.9 counter packets 0 bytes 0 comment "decision 18"' in shown
    assert '2001:db8:: . udp . 53 counter packets 0 bytes 0 comment "decision 19"' in shown


def test_for_ever_has_no_end(sets: Sets) -> None:
    sets.add([element(seconds=0)])
    assert only(sets, element()).expires_in_seconds is None


@pytest.mark.parametrize(("before", "after"), [(60, 7200), (7200, 60), (0, 60), (60, 0)])
def test_adding_again_changes_timeout_and_comment(sets: Sets, before: float, after: float) -> None:
    sets.add([element(1, before), element(2)])
    sets.add([element(1, after, "decision 18"), element(3)])
    reading = only(sets, element(1))
    assert reading.comment == "decision 18"
    assert reading.expires_in_seconds == (pytest.approx(after, abs=5) if after else None)
    assert None not in readings(sets, element(2), element(3))


def test_an_element_that_has_just_run_out_can_be_added(sets: Sets) -> None:
    for _ in range(20):
        sets.add([element(1, 0.004), element(2)])
    time.sleep(0.05)
    assert readings(sets, element(1)) == [None]
    sets.add([element(1)])
    assert readings(sets, element(1)) != [None]


def test_the_last_of_several_for_one_key_counts(sets: Sets) -> None:
    sets.add([element(1, 60, "decision 1"), element(2), element(1, 60, "decision 3")])
    assert only(sets, element(1)).comment == "decision 3"


def test_removing_what_is_gone_is_fine(sets: Sets) -> None:
    sets.remove([element(1).identity])
    sets.add([element(1), element(3)])
    sets.remove([element(number).identity for number in range(5)])
    sets.remove([element(number).identity for number in range(5)])
    assert readings(sets, element(1), element(3)) == [None, None]
    sets.remove([])
    sets.add([])


def test_a_storm_in_one_go(sets: Sets) -> None:
    count = TRANSACTION_ELEMENTS_MAX
    storm = [element(number) for number in range(count)]
    before = sets.generation()
    sets.add(storm)
    assert sets.generation() == before + 1
    assert None not in readings(sets, *storm)
    again = [element(number, 7200, "decision 18") for number in range(count // 2, count + 10)]
    sets.add(again)
    found = readings(sets, *storm, *again[-10:])
    assert {reading.comment for reading in found[: count // 2] if reading} == {"decision 17"}
    assert {reading.comment for reading in found[count // 2 :] if reading} == {"decision 18"}
    assert None not in found
    sets.remove(one.identity for one in [*storm, *again])
    assert set(readings(sets, *storm)) == {None}


def test_more_than_one_transaction_holds_are_several(sets: Sets) -> None:
    storm = [element(number) for number in range(TRANSACTION_ELEMENTS_MAX + 1)]
    before = sets.generation()
    sets.add(storm)
    assert sets.generation() == before + 2
    assert None not in readings(sets, storm[0], storm[-1])


def test_elements_of_many_sets_are_one_transaction(sets: Sets) -> None:
    mixed = [element(number, name=f"block4_{level}") for number in range(50) for level in (32, 24, 16)]
    before = sets.generation()
    sets.add(mixed)
    assert sets.generation() == before + 1
    assert None not in readings(sets, *mixed)


def test_a_transaction_is_all_or_nothing(sets: Sets) -> None:
    with pytest.raises(KernelError, match=r"cb007102 in set nowhere.*no such set") as refused:
        sets.add([element(1), element(2, name="nowhere")])
    assert refused.value.number == errno.ENOENT
    assert readings(sets, element(1)) == [None]


def test_a_full_set_is_told(sets: Sets) -> None:
    with pytest.raises(KernelError, match=r"set out4_32.*the set is full"):
        sets.add(element(number, name="out4_32") for number in range(3000))


def test_a_key_of_the_wrong_length_names_the_element(sets: Sets) -> None:
    with pytest.raises(KernelError, match="cb007102 in set block6_64"):
        sets.add([element(2, name="block6_64")])


def test_without_a_table_nothing_is_there(namespace: Namespace) -> None:
    with Sets() as sets:
        assert readings(sets, element()) == [None]
        sets.remove([element().identity])
        with pytest.raises(KernelError, match="no such set"):
            sets.add([element()])


def test_reading_keeps_the_order(sets: Sets) -> None:
    sets.add(element(number, comment=f"decision {number}") for number in range(0, 3 * READ_KEYS_MAX, 3))
    found = readings(sets, *(element(number) for number in range(3 * READ_KEYS_MAX)))
    wanted = [f"decision {number}" if number % 3 == 0 else None for number in range(3 * READ_KEYS_MAX)]
    assert [reading and reading.comment for reading in found] == wanted


def test_others_may_change_the_rules_meanwhile(sets: Sets, namespace: Namespace) -> None:
    def disturb() -> None:
        with namespace.inside(), Sets() as others:
            for _ in range(300):
                others.add([element(5, 60), element(6, 60)])
                others.remove([element(5).identity])

    disturbing = threading.Thread(target=disturb)
    disturbing.start()
    for round_number in range(300):
        sets.add([element(5, 60), element(6, 60), element(7, comment=f"decision {round_number}")])
        sets.remove([element(5).identity, element(6).identity])
        assert only(sets, element(7)).comment == f"decision {round_number}"
    disturbing.join()


def test_no_other_table_is_touched(namespace: Namespace) -> None:
    foreign = "table inet other { set block4_32 { type ipv4_addr; elements = { 203.0.113.1 } }; chain c { drop; }; }\n"
    namespace.run("nft", "-f", "-", given=foreign + "table ip durward { chain prerouting { drop; }; }")

    def others() -> list[object]:
        listed = json.loads(namespace.run("nft", "-j", "list", "ruleset"))["nftables"]
        return [item for item in listed if any(mark in json.dumps(item) for mark in ('"other"', '"family": "ip"'))]

    before = others()
    assert len(before) >= 5
    load(skeleton())
    with Sets() as sets:
        sets.add([element(1)])
        sets.remove([element(1).identity])
    load(skeleton(56))
    unload()
    assert others() == before


def test_keys_are_told_apart_by_their_set(sets: Sets) -> None:
    sets.add([element(1)])
    assert sets.read([ElementKey("block4_24", element(1).key), element(1).identity])[0] is None
