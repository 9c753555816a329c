"""How much people are told at once: a budget per channel, quiet hours, and which alerts the next message holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from durward.catalog.budgets import DAY_SECONDS, Budget, Hours

TOGETHER_MAX = 50  # alerts that one message tells of; it says how many more there were
OVER_BUDGET = "there was more to tell than this channel's budget allows"
AFTER_QUIET = "it was quiet time"
Ledger = float  # of a budget: the time at which it is whole again


@dataclass(frozen=True, slots=True)
class Waiting:
    """An alert that waits for one channel; `severity` counts from 0, `at` is epoch seconds."""

    id: int
    at: float
    severity: int
    gathering: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a channel may send: `budget` None is no limit, `loud` the severity that quiet hours do not hold back.

    `single` channels tell of one alert at a time: no digest can stand for a command that is run for each block.
    """

    budget: Budget | None
    quiet: Hours | None
    loud: int
    gather_seconds: float
    single: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """What to send now, if anything, why it is a digest if it is one, and when to look again.

    `told` are the ids of those that the message tells of, `settled` of those that it only counts.
    """

    told: tuple[int, ...] = ()
    settled: tuple[int, ...] = ()
    held: str = ""
    again_at: float | None = None
    spent: Ledger = 0.0


def choose(
    waiting: Sequence[Waiting],
    rules: Rules,
    now: float,
    second_of_day: float,
    spent: Ledger,
    *,
    overflowed: bool = False,
) -> Choice:
    """Choose what the next message tells of. `waiting` is in order of time; `spent` is the budget's ledger.

    Half of a budget may be spent at once; then it comes back evenly, so that no hour has more than the whole of it,
    and each message that had to wait is a digest of all that waited with it. `overflowed`: some could not even wait.
    """
    is_quiet = rules.quiet is not None and rules.quiet.holds(second_of_day)
    ready = [one for one in waiting if not is_quiet or one.severity >= rules.loud]
    if not ready:
        return Choice(again_at=_after_quiet(rules, now, second_of_day) if waiting else None, spent=spent)
    ripe_at = ready[0].at + rules.gather_seconds
    if now < ripe_at <= now + rules.gather_seconds and not rules.single:  # a clock that was set back holds nothing up
        return Choice(again_at=ripe_at, spent=spent)
    if (free_at := allowed_at(rules.budget, spent, now)) > now:
        return Choice(again_at=free_at, spent=spent)
    after = _after_spending(rules.budget, spent, now)
    if rules.single:
        return Choice((ready[0].id,), spent=after)
    held = _reason(
        ready, rules, now, second_of_day, overflowed=overflowed, is_last=allowed_at(rules.budget, after, now) > now
    )
    told = [one.id for one in ready if held or one.gathering == ready[0].gathering]
    return Choice(tuple(told[:TOGETHER_MAX]), tuple(told[TOGETHER_MAX:]), held, spent=after)


def _reason(
    ready: Sequence[Waiting], rules: Rules, now: float, second_of_day: float, *, overflowed: bool, is_last: bool
) -> str:
    """Why the next message has to be a digest; empty where it need not be."""
    if len(ready) > 1 and rules.quiet is not None and _waited_in_quiet(ready[0], rules.quiet, now, second_of_day):
        return AFTER_QUIET
    groups = {one.gathering for one in ready}
    return OVER_BUDGET if overflowed or (is_last and len(groups) > 1) else ""


def _steps(budget: Budget) -> tuple[int, float]:
    """How many messages may go at once, and the seconds in which one more comes."""
    burst = max(1, budget.count // 2)
    return burst, budget.seconds / max(1, budget.count - burst)


def allowed_at(budget: Budget | None, spent: Ledger, now: float) -> float:
    """When the next message may go; a clock that was set back does not make it later than the whole budget does."""
    if budget is None:
        return 0.0
    burst, step = _steps(budget)
    return min(spent - (burst - 1) * step, now + (burst + 1) * step)


def _after_spending(budget: Budget | None, spent: Ledger, now: float) -> Ledger:
    if budget is None:
        return spent
    burst, step = _steps(budget)
    return min(max(spent, now), now + burst * step) + step


def _after_quiet(rules: Rules, now: float, second_of_day: float) -> float | None:
    return None if rules.quiet is None else now + rules.quiet.left(second_of_day)


def _waited_in_quiet(one: Waiting, quiet: Hours, now: float, second_of_day: float) -> bool:
    began = (second_of_day - (now - one.at)) % DAY_SECONDS
    return quiet.holds(began) and not quiet.holds(second_of_day)
