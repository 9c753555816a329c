"""Replay: the same events give the same decisions, in whatever order they come; and what must hold of all decisions."""

from collections.abc import Callable
from random import Random

from hypothesis import given
from hypothesis import strategies as some
from tests.engine.samples import HERE, NOW, engine, event, failures, fed, policy, threshold

from durward.engine.replay import replay
from durward.model import Decision, Event

SOURCES = ("203.0.113.9", "198.51.100.7", "198.51.100.8", "192.0.2.77", "2001:db8::1", "2001:db8::2", "2001:db8:1::1")
PROTECTED = frozenset({"192.0.2.77", "2001:db8:1::1"})
NEVER = {"192.0.2.77", "2001:db8:1::/64"}  # what the protected are counted as


@some.composite
def logs(draw: Callable[..., object]) -> list[Event]:
    """Lines of several files, each at its place, with stamps of whole seconds as syslog writes them."""
    lines = draw(
        some.lists(
            some.tuples(
                some.sampled_from(SOURCES),
                some.integers(0, 2000),
                some.sampled_from(["sshd", "dovecot"]),
                some.integers(0, 3),
                some.sampled_from(["file:a", "file:b"]),
            ),
            max_size=80,
        )
    )
    return [
        event(at, source_ip, service=service, hits=hits, source=source, position=place)
        for place, (source_ip, at, service, hits, source) in enumerate(lines)  # type: ignore[arg-type,var-annotated]
    ]


def replayed(events: list[Event], count: int = 5) -> list[Decision]:
    guard = engine(
        {"brute_force": policy(threshold(count=count, within=900.0, block=600.0))},
        exempt=lambda address: "allow.list:1" if address in PROTECTED else None,
    )
    return list(replay(guard, events))


@given(logs(), some.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(events: list[Event], chance: Random) -> None:
    shuffled = [*events]
    chance.shuffle(shuffled)
    decisions = replayed(events)
    assert replayed(shuffled) == decisions
    assert replayed(events) == decisions
    assert [one.made_at for one in decisions] == sorted(one.made_at for one in decisions)


def test_two_events_of_one_line_have_an_order_of_their_own() -> None:
    """One line may be an event of two services; which of them comes first must not depend on who read it first."""
    twins = [event(at, service=service, position=at, hits=4) for at in range(2) for service in ("sshd", "exim")]
    assert replayed(twins) == replayed(twins[::-1])


@given(logs())
def test_the_protected_are_never_blocked(events: list[Event]) -> None:
    assert not {one.subject.value for one in replayed(events, count=1)} & NEVER


@given(logs(), some.integers(1, 8))
def test_a_higher_threshold_never_blocks_anybody_else(events: list[Event], count: int) -> None:
    """Nor anybody earlier. It may decide more often: who is blocked later is let in, and tries again, later too."""
    strict, lax = (first_blocks(replayed(events, number)) for number in (count, count + 1))
    assert lax.keys() <= strict.keys()
    assert all(lax[subject] >= strict[subject] for subject in lax)


@given(logs(), some.integers(1, 8))
def test_a_higher_threshold_never_gives_more_decisions_where_blocks_last(events: list[Event], count: int) -> None:
    def number(threshold_count: int) -> int:
        rules = policy(threshold(count=threshold_count, within=900.0, block=10_000.0))
        return len(list(replay(engine({"brute_force": rules}), events)))

    assert number(count + 1) <= number(count)


def first_blocks(decisions: list[Decision]) -> dict[str, float]:
    first: dict[str, float] = {}
    for one in decisions:
        first.setdefault(one.subject.value, one.made_at)
    return first


@given(logs())
def test_every_decision_shows_lines_of_its_subject_only(events: list[Event]) -> None:
    lines = {(one.source, one.position): one for one in events}
    guard = engine()
    for made in replayed(events, 3):
        assert made.incident is not None
        assert made.incident.evidence
        for line in made.incident.evidence:
            one = lines[line.source, line.position]
            assert one.source_ip is not None
            assert guard.subject_of(one.source_ip) == made.subject
            assert (one.at, one.service) == (line.at, made.incident.service)


def test_a_replay_decides_as_the_live_engine_does() -> None:
    events = [*failures(5), *failures(3, 10), *failures(7, 5000)]
    assert list(replay(engine(), events)) == fed(engine(), events)


def test_lines_with_a_forged_time_are_replayed_when_they_arrived() -> None:
    events = [event(10 * 86400.0, arrives=1), *failures(4, 2)]
    (made,) = replay(engine(), events)
    assert (made.made_at, made.subject.value) == (NOW + 5, HERE)
    assert list(replay(engine(), events[::-1])) == [made]
