"""The journal as the engine follows it: only where a service wants it, and its absence ends nothing."""

import os
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from tests.daemons.opener import OpeningDoor
from tests.sources.journald import running_journald, unit_group

from durward.config.home import Home
from durward.config.loading import Loaded, load
from durward.control.channel import ChannelError
from durward.daemons.journal import ALIVE_SECONDS, NAME, JournalReading
from durward.daemons.opening import Opening

NOW = 1_795_421_520.0


def loaded(directory: Path, units: str) -> Loaded:
    home = Home.below(directory / "home")
    home.etc.mkdir(parents=True)
    (home.etc / "durward.toml").write_text(f"[services.sshd]\nfiles = []\njournal = {units}\n")
    everything = load(home)
    return replace(everything, services=[card for card in everything.services if card.id == "sshd"])


def test_where_no_service_names_units_the_enforcer_is_not_even_asked(tmp_path: Path) -> None:
    with OpeningDoor(tmp_path, []) as enforcer:
        reading = JournalReading(Opening(enforcer.door), loaded(tmp_path, "[]"), None, 0.0)
        enforcer.close()
        reading.open(NOW)
        assert (reading.services, reading.journal, list(reading.read(NOW))) == (frozenset(), None, [])
        assert (reading.moved(), reading.waiting, reading.is_lively(NOW)) == ({}, False, False)


def test_a_host_without_a_journal_is_no_problem(tmp_path: Path) -> None:
    with OpeningDoor(tmp_path, []) as enforcer:
        opening = Opening(enforcer.door)
        reading = JournalReading(opening, loaded(tmp_path, '["ssh.service"]'), None, 0.0)
        reading.open(NOW)
        reading.notice({1, 2})
        assert reading.services == {"sshd"}
        assert (reading.journal, list(reading.read(NOW)), opening.problems) == (None, [], {})


def test_a_journal_that_makes_no_sense_is_told_and_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "journal" / ("0123456789abcdef" * 2)
    root.mkdir(parents=True)
    (root / "system.journal").write_bytes(os.urandom(4096))
    with OpeningDoor(tmp_path, [], [str(tmp_path / "journal")]) as enforcer:
        opening = Opening(enforcer.door)
        reading = JournalReading(opening, loaded(tmp_path, '["ssh.service"]'), None, 0.0)
        reading.open(NOW)
        assert list(reading.read(NOW)) == []
        told = capsys.readouterr().err
        assert ("the journal is not read" in told) == (NAME in opening.problems)


def test_without_the_enforcer_it_cannot_be_opened(tmp_path: Path) -> None:
    with OpeningDoor(tmp_path, []) as enforcer:
        reading = JournalReading(Opening(enforcer.door), loaded(tmp_path, '["ssh.service"]'), "a cursor", 0.0)
        enforcer.close()
        with pytest.raises(ChannelError):
            reading.open(NOW)
        assert reading.moved() == {}


def test_without_a_journal_nobody_is_vouched_for(tmp_path: Path) -> None:
    with OpeningDoor(tmp_path, []) as enforcer:
        reading = JournalReading(Opening(enforcer.door), loaded(tmp_path, '["ssh.service"]'), None, 0.0)
        reading.open(NOW)
        assert not reading.vouches_for("sshd", b"sshd")
        assert list(reading.posing) == []


@pytest.mark.kernel
def test_a_journal_vouches_for_what_it_has_and_a_dead_one_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_journald() as journald, unit_group("durward-sshd.service") as unit:
        journald.say_as(b"genuine", "sshd", unit=unit)
        opening = cast("Opening", SimpleNamespace(journal=lambda: (journald.descriptors(), frozenset()), problems={}))
        reading = JournalReading(opening, loaded(tmp_path, '["durward-sshd.service"]'), None, 0.0)
        reading.open(NOW)
        assert reading.journal is not None
        assert reading.vouches_for("sshd", b"sshd")
        assert not reading.vouches_for("sshd", b"sshd-session")
        assert not reading.vouches_for("postfix", b"postfix/smtpd")
        later = time.time() + ALIVE_SECONDS + 60
        monkeypatch.setattr(time, "time", lambda: later)
        assert not reading.vouches_for("sshd", b"sshd")
        reading.journal.close()
