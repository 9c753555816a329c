"""What counts against a subject: blocks that detectors made, that were enforced, and that nobody forgave."""

from tests.store.samples import NOW, decision, recorded

from durward.model import Decision, Subject
from durward.store import decisions, escalation
from durward.store.escalation import Offences
from durward.store.store import Store

ABOUT = Subject.parse("203.0.113.9")


def block(made_at: float, origin: str = "detector:brute_force", *, simulated: bool = False) -> Decision:
    return decision("203.0.113.9", made_at=made_at, origin=origin, simulated=simulated)


def test_who_did_nothing_has_no_offences(store: Store) -> None:
    assert escalation.offences(store, ABOUT, 0) == Offences()
    assert escalation.load(store, 0) == {}


def test_only_real_blocks_by_detectors_count(store: Store) -> None:
    recorded(
        store,
        [
            block(NOW),
            block(NOW + 1),
            block(NOW + 2, simulated=True),
            block(NOW + 3, "operator:root"),
            block(NOW + 4, "feed:example"),
            decision("203.0.113.9", "alert"),
        ],
    )
    (refused,) = recorded(store, [block(NOW + 5)])
    with store.transaction():
        decisions.refuse(store, refused.id, "too many blocks", NOW)
    assert escalation.offences(store, ABOUT, NOW) == Offences(2, NOW + 1)
    assert escalation.offences(store, ABOUT, NOW + 1) == Offences(1, NOW + 1)
    assert escalation.load(store, NOW + 1) == {ABOUT: Offences(1, NOW + 1)}


def test_what_was_forgiven_does_not_count_even_within_the_same_second(store: Store) -> None:
    recorded(store, [block(NOW), decision("203.0.113.9", "unblock", origin="operator:root"), block(NOW)])
    assert escalation.offences(store, ABOUT, 0) == Offences(1, NOW)
    assert escalation.load(store, 0) == {ABOUT: Offences(1, NOW)}
    recorded(store, [decision("203.0.113.9", "unblock", origin="operator:root")])
    assert escalation.load(store, 0) == {}


def test_of_too_many_subjects_the_last_ones_are_loaded(store: Store) -> None:
    recorded(store, [decision(f"203.0.113.{number}", made_at=NOW + number) for number in range(10)])
    loaded = escalation.load(store, 0, subjects_max=2)
    assert [subject.value for subject in loaded] == ["203.0.113.9", "203.0.113.8"]
