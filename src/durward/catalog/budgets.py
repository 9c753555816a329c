"""How much people want to be told, and when not: budgets like `20/h`, hours of the day like `22:00-07:00`."""

import re
from dataclasses import dataclass

DAY_SECONDS = 86400
BUDGET = re.compile(r"([1-9]\d{0,5})\s*/\s*([mhd])", re.ASCII)
UNIT_SECONDS = {"m": 60, "h": 3600, "d": DAY_SECONDS}
HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Budget:
    """So many messages each `seconds`."""

    count: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.count}/{next(unit for unit, seconds in UNIT_SECONDS.items() if seconds == self.seconds)}"


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of each day, in seconds since midnight, local time; it may go past midnight."""

    begin: int
    end: int

    def __str__(self) -> str:
        return "-".join(f"{at // 3600:02}:{at // 60 % 60:02}" for at in (self.begin, self.end))

    def holds(self, second: float) -> bool:
        """Whether this second of the day is in it."""
        return (second - self.begin) % DAY_SECONDS < (self.end - self.begin) % DAY_SECONDS

    def left(self, second: float) -> float:
        """The seconds until it ends."""
        return (self.end - second) % DAY_SECONDS


def parse_hours(value: object) -> Hours | None:
    """Read `22:00-07:00`; None for `never`. Raises ValueError."""
    if value == "never":
        return None
    found = HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('"never" or hours like "22:00-07:00" were expected')
    begin, end = int(found[1]) * 3600 + int(found[2]) * 60, int(found[3]) * 3600 + int(found[4]) * 60
    if begin == end:
        raise ValueError('"never" or hours like "22:00-07:00" were expected, not none or all of the day')
    return Hours(begin, end)


def parse_budget(value: object) -> Budget | None:
    """Read `20/h`; None for `off`. Raises ValueError."""
    if value == "off":
        return None
    found = BUDGET.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('"off" or a number of messages like "20/h", "5/m" or "100/d" was expected')
    return Budget(int(found[1]), UNIT_SECONDS[found[2]])
