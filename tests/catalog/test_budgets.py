"""Budgets and hours are read as people write them, and written as they are read."""

import pytest

from durward.catalog.budgets import Budget, Hours, parse_budget, parse_hours


@pytest.mark.parametrize(
    ("text", "value"),
    [("20/h", Budget(20, 3600)), ("5 / m", Budget(5, 60)), ("100/d", Budget(100, 86400)), ("off", None)],
)
def test_budgets(text: str, value: Budget | None) -> None:
    assert parse_budget(text) == value
    assert value is None or parse_budget(str(value)) == value


@pytest.mark.parametrize("text", ["", "20", "0/h", "20/y", "-1/h", 20, None, "1000000/h"])
def test_what_is_no_budget(text: object) -> None:
    with pytest.raises(ValueError, match="20/h"):
        parse_budget(text)


@pytest.mark.parametrize(
    ("text", "value"), [("22:00-7:00", Hours(79200, 25200)), ("never", None), ("0:00 - 6:30", Hours(0, 23400))]
)
def test_hours(text: str, value: Hours | None) -> None:
    assert parse_hours(text) == value
    assert value is None or parse_hours(str(value)) == value


@pytest.mark.parametrize("text", ["", "24:00-7:00", "22-7", "7:00-7:00", 7, None, "22:60-1:00"])
def test_what_are_no_hours(text: object) -> None:
    with pytest.raises(ValueError, match="22:00-07:00"):
        parse_hours(text)


def test_how_long_they_last() -> None:
    assert Hours(79200, 25200).left(80000) == 31600
