"""All elements of the kernel's sets, read as they would be added again."""

import pytest
from tests.kernel.namespaces import Namespace

from durward.privileged.carrying import elements_there
from durward.privileged.loading import load
from durward.privileged.sets import Sets
from durward.ruleset.elements import Element
from durward.ruleset.levels import shapes
from durward.ruleset.skeleton import skeleton

pytestmark = pytest.mark.kernel

ELEMENTS = [
    Element("block4_32", bytes((203, 0, 113, 9)), 600, "decision 17"),
    Element("block_ports4_24", bytes((198, 51, 100, 0, 17, 0, 0, 0, 0, 53, 0, 0)), 0, "decision 18"),
    Element("allow6_64", bytes.fromhex("20010db8000000000000000000000000"), 1e6, ""),
]


def test_what_is_there_is_what_was_added(sets: Sets) -> None:
    sets.add(ELEMENTS)
    found = elements_there(shape.name for shape in shapes())
    assert sorted((one.identity, one.comment) for one in found) == sorted(
        (one.identity, one.comment) for one in ELEMENTS
    )
    ends = {one.identity: one.timeout_seconds for one in found}
    for one in ELEMENTS:
        assert ends[one.identity] == pytest.approx(one.timeout_seconds, abs=5)


def test_they_can_be_added_again(sets: Sets) -> None:
    many = [Element("block4_32", bytes((203, 0, n >> 8, n & 255)), 600, "decision 17") for n in range(3_000)]
    sets.add(many)
    found = elements_there(["block4_32"])
    assert load(skeleton(56), found)
    assert {one.identity for one in elements_there(["block4_32"])} == {one.identity for one in many}


def test_a_set_that_is_not_there_has_nothing(sets: Sets) -> None:
    sets.add(ELEMENTS)
    assert elements_there(["nowhere"]) == []


def test_without_a_table_there_is_nothing(namespace: Namespace) -> None:
    assert elements_there(["block4_32"]) == []
