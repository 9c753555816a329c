"""Contestants take turns, many short ones, so that whatever else the machine does falls on all of them alike."""

import json
import random
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

Turn = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Judged:
    """One target: a ratio of the same run, and what it is to stay below (`at_most`) or to reach."""

    what: str
    value: float
    target: float
    at_most: bool = True

    @property
    def is_met(self) -> bool:
        """Whether it was met."""
        return self.value <= self.target if self.at_most else self.value >= self.target

    def row(self) -> tuple[str, str, str, str]:
        """A line of a table."""
        sign = "<=" if self.at_most else ">="
        return self.what, f"{self.value:,.3g}", f"{sign} {self.target:,g}", "met" if self.is_met else "MISSED"


def medians(turns: Mapping[str, Turn], rounds: int, seed: int = 1) -> dict[str, float]:
    """The median of each contestant's turns. The order is another one in each round."""
    order, shuffled = list(turns), random.Random(seed)
    taken: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(rounds):
        shuffled.shuffle(order)
        for name in order:
            taken[name].append(turns[name]())
    return {name: statistics.median(values) for name, values in taken.items()}


def command() -> str:
    """How this bench was started."""
    module = Path(sys.argv[0]).stem
    return " ".join(["PYTHONPATH=. .venv/bin/python -m", f"bench.{module}", *sys.argv[1:]])


def judgements(targets: list[Judged]) -> list[tuple[str, str, str, str]]:
    """Targets as rows of a table."""
    return [("", "measured", "aimed at", ""), *(target.row() for target in targets)]


def write_json(path: Path | None, figures: Mapping[str, object], targets: list[Judged]) -> None:
    """Write figures and targets to a file, where one is wanted."""
    if path is not None:
        told = [asdict(target) | {"met": target.is_met} for target in targets]
        path.write_text(json.dumps({"command": command(), "figures": figures, "targets": told}, indent=2) + "\n")
