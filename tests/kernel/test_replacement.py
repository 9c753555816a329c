"""New sets take the place of old ones while packets of those in them come in: not one gets through."""

import threading
import time
from pathlib import Path

import pytest
from arena.network import Network
from tests.kernel.hosts import CLIENT, FREE, SERVER, Pair
from tests.kernel.namespaces import send
from tests.kernel.replaced import many, pressure, replace, replacing, write

from durward.model import EVERYTHING, Standing, Subject
from durward.privileged.loading import load, table_state
from durward.privileged.sets import Sets
from durward.ruleset.elements import elements_of
from durward.ruleset.skeleton import skeleton

pytestmark = pytest.mark.kernel
LISTED, REPLACEMENTS = 1_000_000, 3
RATE = 5_000.0


def test_nobody_gets_through_while_the_table_is_replaced(pair: Pair, sets: Sets) -> None:
    elements = elements_of(Standing("block", Subject.parse(CLIENT), EVERYTHING, time.time() + 600, 17), time.time())
    sets.add(elements)
    stop = threading.Event()
    sent = 0

    def knock() -> None:
        nonlocal sent
        while not stop.wait(0.001):
            sent += send(pair.client, CLIENT, SERVER, 5100, b"blocked")

    knocking = threading.Thread(target=knock)
    assert pair.host.texts(pair.client, FREE, SERVER, 5100) == []
    knocking.start()
    for prefix in (56, 64, 48, 128, 64):
        assert load(skeleton(prefix), elements)
        assert table_state(skeleton(prefix)) == "current"
    stop.set()
    knocking.join()
    assert sent > 20
    assert pair.host.texts(pair.client, FREE, SERVER, 5100) == []


@pytest.mark.slow
def test_nobody_gets_in_while_a_deny_list_of_a_million_is_replaced(tmp_path: Path) -> None:
    paths = [tmp_path / "old", tmp_path / "new"]
    for path, first in zip(paths, ("10", "11"), strict=True):
        write(path, many(LISTED, first))
    with Network() as network, replacing(network, paths) as process, pressure(network, RATE) as pressed:
        for _ in range(REPLACEMENTS):
            elements, _ = replace(process)
            assert elements >= LISTED
        counts = pressed.counts()
    proof = [counts.pop(name).got_in for name in ("open4", "open6")]
    assert {name: one.got_in for name, one in counts.items() if one.got_in} == {}
    assert min(one.came for one in counts.values()) > 1000
    assert min(proof) > 1000
