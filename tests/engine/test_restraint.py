"""A detector that blocks those who log in well is held, and has another chance later."""

from tests.engine.samples import NOW

from durward.engine.restraint import BLOCKS_MIN, HOLD_SECONDS, LOOK_SECONDS, Restraint


def reasons(restraint: Restraint, familiar: list[bool], at: float = NOW) -> list[str]:
    return [restraint.reason("brute_force", at, familiar=one) for one in familiar]


def test_strangers_are_blocked_as_many_as_there_are() -> None:
    assert set(reasons(Restraint(0.3), [False] * 5000)) == {""}


def test_a_few_familiar_ones_among_many_do_no_harm() -> None:
    assert set(reasons(Restraint(0.3), ([False] * 7 + [True] * 3) * 50)) == {""}


def test_a_detector_that_blocks_whoever_logs_in_is_held_from_the_tenth_on() -> None:
    restraint = Restraint(0.3)
    said = reasons(restraint, [True] * (BLOCKS_MIN + 2))
    assert said[: BLOCKS_MIN - 1] == [""] * (BLOCKS_MIN - 1)
    assert all("have logged in well of late" in one for one in said[BLOCKS_MIN - 1 :])
    assert restraint.held(NOW) == {"brute_force": NOW + HOLD_SECONDS}


def test_another_detector_goes_on() -> None:
    restraint = Restraint(0.3)
    reasons(restraint, [True] * BLOCKS_MIN)
    assert restraint.reason("port_scan", NOW, familiar=False) == ""


def test_it_has_another_chance_when_the_blocks_are_long_ago() -> None:
    restraint = Restraint(0.3)
    reasons(restraint, [True] * BLOCKS_MIN)
    later = NOW + max(HOLD_SECONDS, LOOK_SECONDS) + 1
    assert restraint.reason("brute_force", later, familiar=True) == ""
    assert restraint.held(later) == {}
