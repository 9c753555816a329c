"""Budgets, quiet hours and digests: never too much, never nothing, and nothing is lost on the way."""

from hypothesis import given, settings
from hypothesis import strategies as some
from tests.messages.samples import NOW

from durward.catalog.budgets import Budget, Hours, parse_hours
from durward.messages.rationing import AFTER_QUIET, OVER_BUDGET, TOGETHER_MAX, Rules, Waiting, choose

NOON, NIGHT = 12 * 3600.0, 2 * 3600.0
QUIET = Hours(22 * 3600, 7 * 3600)
CRITICAL = 3
FREE = Rules(budget=None, quiet=None, loud=CRITICAL, gather_seconds=0.0)


def waiting(number: int, at: float = NOW, severity: int = 1, gathering: str = "") -> Waiting:
    return Waiting(number, at, severity, gathering or f"incident {number}")


def test_nothing_waits_and_nothing_is_sent() -> None:
    assert choose([], FREE, NOW, NOON, 0.0).told == ()


def test_an_incident_goes_out_together_and_another_by_itself() -> None:
    alerts = [waiting(1, gathering="a"), waiting(2, gathering="b"), waiting(3, gathering="a")]
    assert choose(alerts, FREE, NOW, NOON, 0.0).told == (1, 3)


def test_the_first_waits_for_others_a_while_and_no_longer() -> None:
    rules = Rules(None, None, CRITICAL, 10.0)
    assert choose([waiting(1)], rules, NOW + 4, NOON, 0.0).again_at == NOW + 10
    assert choose([waiting(1)], rules, NOW + 10, NOON, 0.0).told == (1,)
    assert choose([waiting(1)], rules, NOW - 5000, NOON, 0.0).told == (1,), "the clock was set back"


def test_quiet_hours_hold_back_what_is_not_grave_and_end_in_a_digest() -> None:
    rules = Rules(None, QUIET, CRITICAL, 0.0)
    alerts = [waiting(1), waiting(2), waiting(3, severity=CRITICAL)]
    assert choose(alerts, rules, NOW, NIGHT, 0.0).told == (3,)
    held = choose(alerts[:2], rules, NOW, NIGHT, 0.0)
    assert (held.told, held.again_at) == ((), NOW + 5 * 3600)
    after = choose(alerts[:2], rules, NOW + 5 * 3600, NIGHT + 5 * 3600, 0.0)
    assert (after.told, after.held) == ((1, 2), AFTER_QUIET)
    assert choose(alerts[:2], rules, NOW, NOON, 0.0).held == ""


def test_a_channel_that_tells_of_one_at_a_time_does_so() -> None:
    rules = Rules(Budget(2, 3600), None, CRITICAL, 10.0, single=True)
    choice = choose([waiting(1), waiting(2, gathering="incident 1")], rules, NOW, NOON, 0.0)
    assert choice.told == (1,)


def test_beyond_the_budget_a_digest_says_so() -> None:
    rules = Rules(Budget(4, 3600), None, CRITICAL, 0.0)
    spent, sent = 0.0, []
    alerts = [waiting(number) for number in range(10)]
    for _ in range(3):
        choice = choose(alerts, rules, NOW, NOON, spent)
        sent.append((choice.told, choice.held))
        alerts = [one for one in alerts if one.id not in choice.told]
        spent = choice.spent
    assert sent == [((0,), ""), (tuple(range(1, 10)), OVER_BUDGET), ((), "")]
    later = choose([waiting(20), waiting(21)], rules, NOW, NOON, spent)
    assert later.again_at == NOW + 1800


def test_a_long_digest_counts_the_rest() -> None:
    choice = choose(
        [waiting(number) for number in range(200)], Rules(Budget(1, 3600), None, CRITICAL, 0.0), NOW, NOON, 0.0
    )
    assert (len(choice.told), len(choice.settled)) == (TOGETHER_MAX, 200 - TOGETHER_MAX)


@given(
    some.lists(some.tuples(some.floats(0, 4000), some.integers(0, 5)), max_size=200),
    some.integers(1, 30),
    some.sampled_from([None, QUIET]),
)
@settings(max_examples=200, deadline=None)
def test_no_hour_has_more_than_the_budget_and_every_alert_is_told_or_counted_once(
    arrivals: list[tuple[float, int]], count: int, quiet: Hours | None
) -> None:
    rules = Rules(Budget(count, 3600), quiet, CRITICAL, 10.0)
    todo = [waiting(number, NOW + at, 1, f"incident {group}") for number, (at, group) in enumerate(sorted(arrivals))]
    alerts: list[Waiting] = []
    spent, now, sent_at, seen = 0.0, NOW, list[float](), list[int]()
    while (todo or alerts) and now < NOW + 10 * 86400:
        alerts += [one for one in todo if one.at <= now]
        todo = [one for one in todo if one.at > now]
        choice = choose(alerts, rules, now, (now + NOON) % 86400, spent)
        if choice.told:
            sent_at.append(now)
            seen += [*choice.told, *choice.settled]
            alerts = [one for one in alerts if one.id not in {*choice.told, *choice.settled}]
            spent = choice.spent
        else:
            steps = [at for at in (choice.again_at, todo[0].at if todo else None) if at is not None]
            assert steps, "somebody waits for ever"
            now = max(now + 0.001, min(steps))
    assert sorted(seen) == list(range(len(arrivals)))
    for begin in sent_at:
        assert len([at for at in sent_at if begin <= at < begin + 3600]) <= max(count, 2 if count == 1 else 0)


def test_hours_go_past_midnight() -> None:
    hours = parse_hours("22:00-07:00")
    assert hours is not None
    assert [hours.holds(hour * 3600) for hour in (21, 22, 0, 6, 7)] == [False, True, True, True, False]
    assert str(hours) == "22:00-07:00"
