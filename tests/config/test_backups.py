"""Copies of durward.toml: numbered by time, bounded, and restored only if they are right."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.config import backups
from durward.config.backups import back_up, backup_named, backups_of, restore, values_in
from durward.config.changes import Ground
from durward.config.home import Home

NOW = datetime(2026, 11, 23, 8, 12, 0, tzinfo=UTC)
MAIN = '# one\n[firewall]\ntcp_in = "22"\n'


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    home = Home.below(tmp_path)
    home.etc.mkdir()
    (home.etc / "durward.toml").write_text(MAIN)
    return home.etc


def test_a_copy_is_named_by_its_time(etc: Path) -> None:
    made = back_up(etc, "before high!", NOW)
    assert made is not None
    assert (made.id, made.path.read_text()) == ("20261123-081200-before_high_", MAIN)
    again = back_up(etc, "before high!", NOW)
    assert again is not None
    assert again.id == "20261123-081200.1-before_high_"
    assert [one.id for one in backups_of(etc)] == [again.id, made.id]
    assert {one.made_at for one in backups_of(etc)} == {NOW}
    assert made.path.stat().st_mode & 0o777 == 0o640


def test_no_name_leads_elsewhere(etc: Path) -> None:
    made = back_up(etc, "../../x/" + "y" * 300, NOW)
    assert made is not None
    assert made.path.parent == etc / "backup"
    assert len(made.path.name) < 100


def test_without_a_file_there_is_nothing_to_copy(tmp_path: Path) -> None:
    assert back_up(tmp_path, "x", NOW) is None
    assert backups_of(tmp_path) == []


def test_the_oldest_makes_room(etc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backups, "BACKUPS_MAX", 3)
    for number in range(5):
        back_up(etc, f"n{number}", NOW + timedelta(seconds=number))
    assert [one.id[-2:] for one in backups_of(etc)] == ["n4", "n3", "n2"]


def test_a_copy_is_restored_and_what_was_there_is_kept(etc: Path) -> None:
    ground = Ground.of(Home(etc, etc, etc))
    made = back_up(etc, "good", NOW)
    (etc / "durward.toml").write_text('[firewall]\ntcp_in = "23"\n')
    kept = restore(ground, backup_named(etc, "latest"), NOW + timedelta(seconds=9))
    assert (etc / "durward.toml").read_text() == MAIN
    assert kept is not None
    assert '"23"' in kept.path.read_text()
    assert made is not None
    assert values_in(made, ground) == {("firewall", "tcp_in"): "22"}


def test_a_copy_that_is_wrong_is_not_restored(etc: Path) -> None:
    ground = Ground.of(Home(etc, etc, etc))
    made = back_up(etc, "bad", NOW)
    assert made is not None
    made.path.write_text('[firewall]\ntcp_in = "80-"\n')
    with pytest.raises(ProblemsError, match="tcp_in"):
        restore(ground, made, NOW)
    assert (etc / "durward.toml").read_text() == MAIN
    with pytest.raises(ProblemsError, match="no such copy; did you mean 20261123-081200-bad"):
        backup_named(etc, "20261123-081200-bat")
