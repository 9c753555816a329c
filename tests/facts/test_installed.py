"""Which services are there, and which of their logs: below a root of its own."""

from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.catalog.service_card import Reads, ServiceCard, load_service
from durward.facts.installed import LOGS_MAX, installed, logs_of


def card(name: str, *marks: str, files: tuple[str, ...] = (), journal: tuple[str, ...] = ()) -> ServiceCard:
    return ServiceCard(name, Path(name), name, name, "", (), Reads(journal, files, (), marks), (), ())


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (root / path.lstrip("/")).touch()


def test_marks_show_what_is_installed(tmp_path: Path) -> None:
    touch(tmp_path, "/usr/sbin/dovecot", "/opt/php81/bin/php", "/var/log/mail.log")
    cards = [
        card("dovecot", "/none", "/usr/sbin/dovecot", files=("/var/log/mail.log", "/var/log/maillog")),
        card("php", "/opt/php*/bin/php", files=("/var/log/php.log",)),
        card("exim", "/usr/sbin/exim4", files=("/var/log/mail.log",)),
        card("nobody"),
    ]
    found = installed(cards, tmp_path)
    assert [(one.card.id, one.mark, one.logs) for one in found] == [
        ("dovecot", "/usr/sbin/dovecot", ("/var/log/mail.log",)),
        ("php", "/opt/php*/bin/php", ()),
    ]
    assert found[1].looked_for == "/var/log/php.log"


def test_a_link_that_leads_nowhere_is_there(tmp_path: Path) -> None:
    (tmp_path / "door").symlink_to("nowhere")
    assert [one.mark for one in installed([card("door", "/door")], tmp_path)] == ["/door"]


def test_the_journal_counts_where_it_is_kept(tmp_path: Path) -> None:
    assert logs_of((), ("ssh.service",), tmp_path) == ()
    (tmp_path / "run/log/journal").mkdir(parents=True)
    assert logs_of((), ("ssh.service",), tmp_path) == ("journal",)
    assert logs_of((), (), tmp_path) == ()


def test_only_so_many_logs_are_named(tmp_path: Path) -> None:
    touch(tmp_path, *(f"/sites/{number}.log" for number in range(LOGS_MAX + 5)))
    assert len(logs_of(("/sites/*.log",), (), tmp_path)) == LOGS_MAX


def test_a_mark_is_a_full_path(tmp_path: Path) -> None:
    path = tmp_path / "door.toml"
    path.write_text('title = "x"\n[reads]\nmarks = ["bin/door"]\n[[pattern]]\nevent = "e"\nlines = "shut to {ip}"\n')
    with pytest.raises(ProblemsError, match="full paths"):
        load_service(path)
    path.write_text(path.read_text().replace("bin/door", "/bin/door"))
    assert load_service(path).reads.marks == ("/bin/door",)
