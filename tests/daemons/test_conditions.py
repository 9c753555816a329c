"""What `status` and `doctor` say: what was seen, and never that all is well where nothing is known."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from tests.engine.samples import engine

from durward.config.home import Home
from durward.daemons.alerting import Alerting
from durward.daemons.conditions import CLOCK_MIN, LATE_SECONDS, Conditions, finding_entry
from durward.daemons.door import Door
from durward.daemons.drift import Drift
from durward.daemons.ledger import Ledger
from durward.daemons.liveness import Liveness
from durward.daemons.watch import SourceState, Tally, Watch
from durward.engine.restraint import Restraint
from durward.model import Finding
from durward.scan.doubts import Doubts

NOW = 1_795_421_500.0
LOG = "file:/var/log/auth.log"


class Told:
    """A watch as far as it is asked here: what its sources are."""

    def __init__(self, *states: SourceState) -> None:
        self.states = list(states)
        self.drift, self.doubts, self.liveness = Drift([]), Doubts(), Liveness(0.0)

    def sources(self, _now: float) -> list[SourceState]:
        return self.states

    def trust(self, _now: float) -> list[Finding]:
        return []

    def trust_of(self, _source: str) -> str:
        return ""


class Room:
    def __init__(self, home: Home) -> None:
        self.ledger = Ledger(home.database, NOW)
        self.engine = engine()
        self.watch = Told()
        self.conditions = Conditions(
            self.engine, self.ledger, Door(home.enforcer_socket), cast("Watch", self.watch), NOW
        )

    def found(self, check: str, now: float = NOW) -> list[tuple[str, str]]:
        return [(one.result, one.detail) for one in self.conditions.findings(now) if one.check == check]

    def of_source(self, state: SourceState) -> tuple[str, str]:
        self.watch.states = [SourceState("file:/other", Tally(), 0.0, ""), state]
        return self.found("source")[1]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    home = Home.below(tmp_path)
    home.lib.mkdir()
    made = Room(home)
    yield made
    made.ledger.close()


def state(lines: int = 0, events: int = 0, lag_seconds: float = 0.0, problem: str = "", **more: bool) -> SourceState:
    return SourceState(LOG, Tally(lines, events), lag_seconds, problem, **more)


def test_a_log_that_is_not_there_is_no_failure(room: Room) -> None:
    result, detail = room.of_source(state(absent=True))
    assert (result, "not there" in detail) == ("not_applicable", True)
    (source,) = [one for one in room.conditions.status(NOW)["sources"] if one["name"] == LOG]
    assert source["absent"] is True
    assert "problem" not in source


def test_where_no_log_is_there_at_all_that_is_a_failure(room: Room) -> None:
    room.watch.states = [state(absent=True)]
    ((result, detail),) = room.found("source")
    assert (result, "[services]" in detail) == ("fail", True)


@pytest.mark.parametrize(
    ("one", "result", "word"),
    [
        (state(10, 2), "pass", "10 lines, 2 events"),
        (state(10), "unknown", "none was an event"),
        (state(10, 2, LATE_SECONDS + 1), "fail", "has waited"),
        (state(problem="permission denied"), "fail", "permission denied"),
        (state(), "pass", "0 lines"),
    ],
)
def test_a_source_is_judged_by_what_it_gave(room: Room, one: SourceState, result: str, word: str) -> None:
    found, detail = room.of_source(one)
    assert (found, word in detail) == (result, True), detail


def test_without_an_enforcer_the_kernel_is_an_error_and_not_a_pass(room: Room) -> None:
    ((result, detail),) = room.found("kernel")
    assert (result, "not connected" in detail) == ("error", True)
    status = room.conditions.status(NOW)
    assert (status["protecting"], status["firewall"]) == (False, "unknown")


def test_a_clock_that_is_years_behind_is_told(room: Room) -> None:
    assert [result for result, _ in room.found("clock", CLOCK_MIN - 1)] == ["fail"]
    assert [result for result, _ in room.found("clock")] == ["pass"]


def test_what_the_engine_found_is_degraded(room: Room) -> None:
    room.engine.findings.append(Finding("scan", LOG, "error", "RecursionError"))
    room.conditions.problems = ["deny.list:2: nonsense"]
    degraded = room.conditions.status(NOW)["degraded"]
    assert degraded[0] == "deny.list:2: nonsense"
    assert f"scan {LOG}: RecursionError" in degraded
    assert ("error", "RecursionError") in room.found("scan")
    assert finding_entry(room.engine.findings[0])["subject"] == LOG


def test_a_detector_that_is_held_is_degraded_and_says_why(room: Room) -> None:
    room.engine._deciding.restraint = Restraint(0.3)
    for number in range(10):
        room.engine._deciding.restraint.reason("brute_force", NOW, familiar=number < 8)
    (told,) = [one for one in room.conditions.status(NOW)["degraded"] if "held" in one]
    assert told.startswith("brute_force is held until ")
    assert told.endswith(": 8 of the 10 that it would block have logged in well of late")
    assert not [one for one in room.conditions.status(NOW + 3600)["degraded"] if "held" in one]


def test_the_process_that_sends_alerts_is_shown_with_the_others(room: Room) -> None:
    class Sending:
        def sender(self) -> int:
            return os.getpid()

        def problems(self) -> list[str]:
            return []

    assert "alerter" not in {one["name"] for one in room.conditions.status(NOW)["processes"]}
    room.conditions.alerting = cast("Alerting", Sending())
    (shown,) = [one for one in room.conditions.status(NOW)["processes"] if one["name"] == "alerter"]
    assert shown["pid"] == os.getpid()
    assert shown["rss_kib"] > 0
