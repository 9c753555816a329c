"""Queues are counted by names: of Exim's files, of Postfix's directories, and never beyond what is meant."""

from pathlib import Path

import pytest

from durward.privileged import queues
from durward.privileged.queues import Queues, mails_in


def test_a_mail_of_exim_has_two_files_and_is_one(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"1vABC{number}-000000000ab-1Fab-H").touch()
        (tmp_path / f"1vABC{number}-000000000ab-1Fab-D").touch()
    assert mails_in(str(tmp_path)) == 3


def test_a_mail_of_sendmail_too(tmp_path: Path) -> None:
    for name in ("qf6AN8AAAA004242", "df6AN8AAAA004242", "xf6AN8AAAA004242"):
        (tmp_path / name).touch()
    assert mails_in(str(tmp_path)) == 1


def test_a_long_queue_is_spread_over_directories(tmp_path: Path) -> None:
    for name in ("4/44JCRG5tYP", "4/4/44JCRG5tYQ", "A/A1B2C3D4", "a/b/c/too-deep"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert mails_in(str(tmp_path)) == 3


def test_parts_that_lie_side_by_side_are_one_queue(tmp_path: Path) -> None:
    for name in ("postfix/active/A1", "postfix/deferred/B/B1", "exim/input/1vABCD-000000000ab-1Fab-H"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    parts = ("postfix/incoming", "postfix/active", "postfix/deferred", "exim/input")
    looked = Queues([f"{tmp_path}/{part}" for part in parts]).look()
    assert looked == [(f"{tmp_path}/postfix", 2), (f"{tmp_path}/exim/input", 1)]


def test_what_is_not_there_is_no_queue(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert Queues([f"{tmp_path}/none", f"{tmp_path}/file"]).look() == []
    assert mails_in("relative") is None


def test_a_link_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/secret").touch()
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue/inner").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "queue/mail").symlink_to(tmp_path / "elsewhere/secret")
    assert mails_in(f"{tmp_path}/queue") == 0


def test_a_queue_beyond_measure_is_as_long_as_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        (tmp_path / f"A{number}").touch()
    assert mails_in(str(tmp_path)) == 30
    monkeypatch.setattr(queues, "NAMES_MAX", 10)
    assert mails_in(str(tmp_path)) == 10
