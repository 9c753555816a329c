"""The watch: lines become decisions, and neither an absent log, a bad line nor an absent enforcer ends it."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.commands.typed import failure
from tests.daemons.opener import OpeningDoor

from durward.config.home import Home
from durward.config.loading import load
from durward.daemons.watch import FINDINGS_MAX, Watch
from durward.engine.assembly import assemble, import_detectors, policy_of
from durward.model import Decision, Event
from durward.scan.scanner import Scanner
from durward.sources.block import Position

NOW = 1_795_421_520.0  # the minute in which `failure` writes
POISON = b"poison"


class Place:
    """A watch on two logs of one directory, and an enforcer that opens them."""

    def __init__(self, directory: Path) -> None:
        self.log, self.later = directory / "auth.log", directory / "later.log"
        home = Home.below(directory / "home")
        home.etc.mkdir(parents=True)
        self.site = directory / "sites/one.log"
        files = f'files = ["{self.log}", "{directory}/l*.log", "{self.site.parent}/*.log"]'
        (home.etc / "durward.toml").write_text(f"[services.sshd]\n{files}\njournal = []\n")
        self.enforcer = OpeningDoor(directory, [str(self.log), f"{directory}/l*.log", f"{self.site.parent}/*.log"])
        everything = load(home)
        loaded = replace(everything, services=[card for card in everything.services if card.id == "sshd"])
        import_detectors(loaded.detectors)
        self.loaded = loaded
        self.begin_anew({})

    def begin_anew(self, saved: dict[str, str]) -> None:
        """What the next engine does."""
        policy = policy_of(self.loaded.settings, self.loaded.services, self.loaded.detectors, lambda _subject: None)
        self.engine = assemble(policy, self.loaded.detectors, {})
        self.watch = Watch(self.enforcer.door, self.loaded, self.engine, saved, memory_seconds=3600.0)

    def append(self, *lines: str, to: Path | None = None) -> None:
        with (to or self.log).open("a") as file:
            file.writelines(lines)

    def read(self) -> list[Decision]:
        """Hear what changed and read it all."""
        self.watch.notice()
        decisions = self.watch.read(NOW)
        while self.watch.waiting:
            decisions += self.watch.read(NOW)
        return decisions

    def begin_reading(self) -> list[Decision]:
        self.watch.connect(NOW)
        self.watch.look(NOW)
        return self.read()

    def state(self, path: Path) -> Any:
        (found,) = (one for one in self.watch.sources(NOW) if one.name == f"file:{path}")
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    with made.enforcer:
        yield made
        if made.watch.changes_descriptor >= 0:
            os.close(made.watch.changes_descriptor)


def test_failures_become_a_decision(place: Place) -> None:
    place.log.touch()
    place.begin_reading()
    place.append(*(failure(second, minute=11) for second in range(4)))
    assert place.read() == []
    assert place.watch.gave_lines
    place.append(failure(4, minute=11))
    (decision,) = place.read()
    assert (decision.verdict, decision.subject.value) == ("block", "203.0.113.9")
    assert (place.state(place.log).tally.lines, place.state(place.log).tally.events) == (5, 5)
    (text,) = place.watch.positions().values()
    assert Position.from_text(text).offset == place.log.stat().st_size


def test_a_log_that_is_not_there_is_no_failure_and_is_read_when_it_comes(place: Place) -> None:
    place.begin_reading()
    state = place.state(place.log)
    assert (state.absent, state.problem) == (True, "")
    place.append(*(failure(second, minute=11) for second in range(5)))
    assert len(place.read()) == 1, "from its first line"
    assert not place.state(place.log).absent


def test_a_log_that_a_glob_names_is_found_when_it_comes(place: Place) -> None:
    place.begin_reading()
    place.append(*(failure(second, minute=11) for second in range(5)), to=place.later)
    place.watch.look(NOW + 10)
    assert len(place.read()) == 1


def test_a_directory_that_was_not_there_is_looked_for_each_minute(place: Place) -> None:
    place.begin_reading()
    place.site.parent.mkdir()
    place.append(*(failure(second, minute=11) for second in range(5)), to=place.site)
    place.watch.look(NOW + 10)
    assert place.watch.read(NOW) == []
    place.watch.look(NOW + 60)
    assert len(place.watch.read(NOW)) == 1


def test_a_directory_whose_making_was_noticed_is_looked_into_at_once(place: Place) -> None:
    place.log.touch()
    place.begin_reading()
    place.site.parent.mkdir()
    place.append(*(failure(second, minute=11) for second in range(5)), to=place.site)
    place.watch.notice()
    place.watch.look(NOW + 1)
    assert len(place.watch.read(NOW)) == 1


def test_what_may_not_be_read_is_told(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.log.mkdir()
    place.begin_reading()
    assert place.state(place.log).problem
    assert not place.state(place.log).absent
    assert f"{place.log} is not read" in capsys.readouterr().err


class Poisoned(Scanner):
    """A scanner with a mistake: one word makes it raise."""

    def events(self, block: bytes, **options: Any) -> list[Event]:
        if POISON in block:
            raise RecursionError("a mistake of ours")
        return super().events(block, **options)


def poisoned(place: Place, lines: Sequence[str]) -> list[Decision]:
    place.log.touch()
    place.begin_reading()
    place.watch._scanner = Poisoned(place.loaded.services)
    place.append(*lines)
    return place.read()


def test_a_line_that_makes_the_scanner_raise_is_passed_over_and_told(place: Place) -> None:
    lines = [failure(second, minute=11) for second in range(5)]
    lines.insert(2, f"{POISON.decode()}\n")
    (decision,) = poisoned(place, lines)
    assert decision.subject.value == "203.0.113.9"
    assert (
        [one.position for one in decision.incident.evidence if one.position]
        == [  # type: ignore[union-attr]
            sum(map(len, lines[:number])) for number in (1, 3, 4, 5)
        ]
    )
    (finding,) = place.engine.findings
    assert (finding.check, finding.subject, finding.result) == ("scan", f"file:{place.log}", "error")
    assert "RecursionError: a mistake of ours" in finding.detail


def test_many_such_lines_are_told_only_so_often(place: Place) -> None:
    place.log.touch()
    place.begin_reading()
    place.watch._scanner = Poisoned(place.loaded.services)
    for _ in range(FINDINGS_MAX + 10):
        place.append(f"{POISON.decode()}\n")
        place.read()
    assert len(place.engine.findings) == FINDINGS_MAX


def test_nothing_happens_before_there_is_an_enforcer(place: Place) -> None:
    place.enforcer.door.channel.close()
    place.watch.look(NOW)
    assert (place.watch.sources(NOW), place.watch.read(NOW), place.watch.positions()) == ([], [], {})


def test_a_restart_goes_on_where_it_was_and_counts_what_it_remembers(place: Place) -> None:
    place.log.touch()
    place.begin_reading()
    place.append(*(failure(second, minute=11) for second in range(4)))
    place.read()
    saved = place.watch.positions()
    os.close(place.watch.changes_descriptor)
    place.begin_anew(saved)
    place.append(failure(4, minute=11))
    (decision,) = place.begin_reading()
    assert decision.incident is not None
    assert decision.incident.count == 5
