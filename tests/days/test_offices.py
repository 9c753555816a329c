"""A week of mail in offices: nobody's office is lost, and whoever guesses in one of them is stopped."""

import pytest
from bench.offices import (
    GUESS_EVERY,
    OUTSIDERS,
    TRIES_MAX,
    Line,
    Office,
    decided,
    failed,
    lost,
    tries_before,
    week,
)

from durward.model import Decision


@pytest.fixture(scope="module")
def offices() -> tuple[list[Office], list[Line], list[Decision]]:
    made, lines = week(12, seed=7)
    return made, lines, decided(lines)


def test_the_trace_is_the_same_each_time() -> None:
    assert week(2, seed=7) == week(2, seed=7)
    assert week(2, seed=7) != week(2, seed=8)


def test_no_office_is_lost(offices: tuple[list[Office], list[Line], list[Decision]]) -> None:
    made, lines, decisions = offices
    assert len(lines) > 50_000
    assert lost(made, decisions) == []


def test_the_guesser_inside_is_stopped_within_five_tries(
    offices: tuple[list[Office], list[Line], list[Decision]],
) -> None:
    made, _, decisions = offices
    guessed = [office for office in made if office.guessed]
    assert len(guessed) == 3
    for office in guessed:
        tries = tries_before(office.guesses, decisions, office.address)
        assert tries is not None
        assert tries <= TRIES_MAX
        blocks = [one for one in decisions if one.subject.value == office.address]
        assert {port.number for one in blocks for port in one.scope.ports} == {110, 143, 993, 995, 4190}


def test_every_outsider_is_blocked_from_everything(
    offices: tuple[list[Office], list[Line], list[Decision]],
) -> None:
    _, _, decisions = offices
    blocked = {one.subject.value: one for one in decisions if one.subject.value.startswith("203.0.113.")}
    assert len(blocked) == OUTSIDERS
    assert all(one.scope.ports == () for one in blocked.values())


def test_the_same_office_full_of_strangers_would_be_lost() -> None:
    """What saves it is that its people are known: the trace can tell a bad rule from a good one."""
    made, lines = week(4, seed=7)
    office = next(one for one in made if one.guessed)
    only_guesses = [failed(at, office.address, f"v{turn}") for turn, at in enumerate(office.guesses)]
    decisions = decided(only_guesses)
    assert lost([office], decisions)
    assert decisions[0].made_at == office.guessed + GUESS_EVERY * (TRIES_MAX - 1)
    assert len(lines) > len(only_guesses)
