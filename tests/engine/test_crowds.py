"""Crowds: counted while probes come and go, bounded, and without those who are dealt with by themselves."""

from hypothesis import given
from hypothesis import strategies as st

from durward.engine.crowds import MEMBERS_MAX, Crowd, Crowds
from durward.engine.probes import IDENTITY, SYN, TCP, record_of

NOW = 1_795_421_400


def probe(port: int, at: int = NOW) -> int:
    return record_of(at, SYN, TCP, 40022, port)


steps = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.booleans()), max_size=300)


@given(steps)
def test_the_counts_are_those_of_the_probes(tried: list[tuple[int, int, bool]]) -> None:
    crowd = Crowd()
    for turn, (source, port, leaves) in enumerate(tried):
        crowd.add(source, probe(port, NOW + turn), NOW + turn, 100)
        if leaves:
            crowd.leave(source)
        assert crowd.ports == len({record & IDENTITY for _, record in crowd.probes})
        assert crowd.sources == len({one for one, _ in crowd.probes}) == len(crowd.members())
        assert len(crowd.probes) <= min(MEMBERS_MAX, 101)


def test_old_probes_are_let_go() -> None:
    crowds = Crowds(60)
    assert crowds.add(1, 1, probe(80), NOW) is None
    crowd = crowds.add(1, 2, probe(81, NOW + 61), NOW + 61)
    assert crowd is not None
    assert (crowd.sources, crowd.ports, crowd.shared) == (1, 1, 1.0)


def test_crowds_are_bounded() -> None:
    crowds = Crowds(60, crowds_max=100)
    for key in range(1000):
        crowds.add(key, 1, probe(80), NOW)
    assert len(crowds) <= 100
    crowds.leave(5000, 1)
    crowds.leave(999, 1)
    assert crowds.add(999, 2, probe(80), NOW) is None
    crowds.forget(999)
    assert crowds.add(999, 2, probe(80), NOW) is None
