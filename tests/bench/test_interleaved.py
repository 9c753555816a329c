"""Everybody has the same number of turns, and a ratio is judged from the side that was aimed at."""

import json
from pathlib import Path

from bench.interleaved import Judged, judgements, medians, write_json


def test_everybody_has_his_turn_in_each_round_and_the_median_counts() -> None:
    order: list[str] = []
    values = {"one": iter((3.0, 1.0, 900.0)), "other": iter((7.0, 5.0, 6.0))}

    def turn(name: str) -> float:
        order.append(name)
        return next(values[name])

    assert medians({name: lambda name=name: turn(name) for name in values}, 3) == {"one": 3.0, "other": 6.0}
    assert [sorted(order[index : index + 2]) for index in (0, 2, 4)] == [["one", "other"]] * 3


def test_targets_are_judged_from_their_side() -> None:
    most, least = Judged("a", 1.2, 1.2), Judged("b", 0.98, 0.99, at_most=False)
    assert [row[3] for row in judgements([most, least])] == ["", "met", "MISSED"]


def test_figures_are_written_with_their_command(tmp_path: Path) -> None:
    write_json(tmp_path / "figures.json", {"a": 1.5}, [Judged("a", 1.5, 1.2)])
    written = json.loads((tmp_path / "figures.json").read_text())
    assert "python -m bench." in written["command"]
    assert (written["figures"], written["targets"][0]["met"]) == ({"a": 1.5}, False)
    write_json(None, {}, [])
