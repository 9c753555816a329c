"""What doctor advises, by logs and a journal that are really there."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.facts.test_installed import touch
from tests.sources.journald import running_journald, wait_until

from durward.catalog.service_card import ServiceCard, load_services
from durward.catalog.shelf import directories_of
from durward.commands.advising import TAIL_BYTES_MAX, findings
from durward.config.settings import ServiceSettings
from durward.model import Finding
from durward.scan.topology import Topology

CARDS = [card for card in load_services(directories_of("services")) if card.id in ("postgresql", "slapd", "sshd")]
LOG = "/var/log/postgresql/postgresql-15-main.log"
POSTGRES = "/usr/lib/postgresql/15/bin/postgres"
NAMELESS = '2026-11-23 08:10:00.123 UTC [4242] bob@shop FATAL:  password authentication failed for user "bob"\n'


def advised(root: Path, *, enabled: bool = True) -> list[Finding]:
    return list(findings(CARDS, {card.id: _settings(card, enabled=enabled) for card in CARDS}, Topology(), root))


def _settings(card: ServiceCard, *, enabled: bool) -> ServiceSettings:
    return ServiceSettings(enabled, card.reads.files, card.reads.journal)


def test_it_says_what_to_set_and_shows_the_line(tmp_path: Path) -> None:
    touch(tmp_path, POSTGRES, LOG)
    (tmp_path / LOG[1:]).write_text(NAMELESS)
    [found] = advised(tmp_path)
    assert (found.check, found.subject, found.result) == ("advice", "postgresql", "unknown")
    assert "log_connections = on" in found.detail
    assert found.detail.endswith(f"It shows in: {NAMELESS.strip()}")
    assert advised(tmp_path, enabled=False) == []


def test_what_is_not_installed_is_not_advised(tmp_path: Path) -> None:
    touch(tmp_path, LOG)
    (tmp_path / LOG[1:]).write_text(NAMELESS)
    assert advised(tmp_path) == []


def test_only_the_end_of_a_log_counts(tmp_path: Path) -> None:
    touch(tmp_path, POSTGRES, LOG)
    calm = "2026-11-23 08:10:01.123 UTC [4242] LOG:  checkpoint starting: time\n"
    (tmp_path / LOG[1:]).write_text(NAMELESS + calm * (TAIL_BYTES_MAX // len(calm) + 1))
    assert advised(tmp_path) == []


def test_what_is_no_log_is_left_alone(tmp_path: Path) -> None:
    touch(tmp_path, POSTGRES)
    (tmp_path / LOG[1:]).parent.mkdir(parents=True)
    os.mkfifo(tmp_path / LOG[1:])
    (tmp_path / "var/log/postgresql/other.log").mkdir()
    assert advised(tmp_path) == []


def test_a_line_is_shown_inert_and_short(tmp_path: Path) -> None:
    touch(tmp_path, POSTGRES, LOG)
    (tmp_path / LOG[1:]).write_text(NAMELESS.replace('"bob"', '"\x1b[31m' + "x" * 5000 + '"'))
    [found] = advised(tmp_path)
    assert "\x1b" not in found.detail
    assert len(found.detail) < 500


@pytest.mark.kernel
def test_the_journal_is_read_too() -> None:
    with running_journald() as journald:
        journald.say_and_die(b"slapd starting", "slapd")
        wait_until(lambda: journald.count() >= 1)
        anywhere = [replace(card, reads=replace(card.reads, marks=())) for card in CARDS]
        settings = {card.id: ServiceSettings(enabled=True, files=(), journal=card.reads.journal) for card in CARDS}
        [found] = findings(anywhere, settings, Topology(), journald.root)
        assert found.subject == "slapd"
