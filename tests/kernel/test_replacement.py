"""A new skeleton takes the place of the old one while packets of the blocked come in: not one gets through."""

import threading
import time

import pytest
from tests.kernel.hosts import CLIENT, FREE, SERVER, Pair
from tests.kernel.namespaces import send

from durward.model import EVERYTHING, Standing, Subject
from durward.privileged.loading import load, table_state
from durward.privileged.sets import Sets
from durward.ruleset.elements import elements_of
from durward.ruleset.skeleton import skeleton

pytestmark = pytest.mark.kernel


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
