"""What a block kept out is added up over the kernel elements that it had."""

from tests.store.samples import decision, recorded

from durward.store import counters
from durward.store.counters import COUNT_MAX, Traffic
from durward.store.store import Store


def test_traffic_adds_up(store: Store) -> None:
    recorded(store, [decision("203.0.113.9"), decision("203.0.113.10")])
    with store.transaction():
        counters.add(store, {1: Traffic(12, 720)})
        counters.add(store, {1: Traffic(1, 60), 2: Traffic(3, 180)})
    assert [counters.of(store, decision) for decision in (1, 2, 3)] == [Traffic(13, 780), Traffic(3, 180), Traffic()]


def test_decisions_that_are_not_known_are_passed_over(store: Store) -> None:
    with store.transaction():
        counters.add(store, {17: Traffic(12, 720)})
    assert counters.of(store, 17) == Traffic()


def test_a_sum_stays_at_its_bound(store: Store) -> None:
    recorded(store, [decision("203.0.113.9")])
    with store.transaction():
        counters.add(store, {1: Traffic(COUNT_MAX - 1, 1 << 64)})
        counters.add(store, {1: Traffic(1, 1)})
        assert counters.of(store, 1) == Traffic(COUNT_MAX, COUNT_MAX)
        counters.add(store, {1: Traffic(1, 1)})
    assert counters.of(store, 1) == Traffic(COUNT_MAX, COUNT_MAX)
