"""What doctor says of each service that is installed."""

from pathlib import Path
from typing import Any

import pytest
from tests.facts.test_installed import card, touch

from durward.commands.discovery import SHOWN_MAX, findings
from durward.config.settings import ServiceSettings

LOGS = ("/var/log/mail.log", "/srv/*/mail.log")


def said(root: Path, sources: Any, *, enabled: bool = True, journal: tuple[str, ...] = ()) -> tuple[str, str]:
    touch(root, "/usr/sbin/dovecot")
    cards = [card("dovecot", "/usr/sbin/dovecot"), card("exim", "/usr/sbin/exim4")]
    settings = {one.id: ServiceSettings(enabled, LOGS, journal) for one in cards}
    [found] = findings(cards, settings, sources, root)
    assert (found.check, found.subject) == ("service", "dovecot")
    return found.result, found.detail


def source(name: str, lines: int = 0, **more: Any) -> dict[str, Any]:
    return {"name": name, "lines": lines, "events": 0, **more}


def test_its_lines_come(tmp_path: Path) -> None:
    sources = [source("file:/var/log/mail.log", 812, events=1), source("file:/srv/a/mail.log"), source("file:/x", 5)]
    assert said(tmp_path, sources) == (
        "pass",
        "is installed; lines come by /var/log/mail.log (812 lines, 1 event)",
    )


def test_none_of_its_logs_is_there(tmp_path: Path) -> None:
    absent = [source("file:/var/log/mail.log", absent=True), source("journal", 5)]
    result, detail = said(tmp_path, absent)
    assert result == "unknown"
    looked_for = "/var/log/mail.log, /srv/*/mail.log"
    assert detail == f"is installed (/usr/sbin/dovecot); its lines are looked for in {looked_for}; none is there"


def test_no_line_has_come(tmp_path: Path) -> None:
    result, detail = said(tmp_path, [source("journal")], journal=("dovecot.service",))
    assert (result, detail) == ("unknown", "is installed; no line has come since the start by journal")


def test_it_is_switched_off(tmp_path: Path) -> None:
    assert said(tmp_path, [], enabled=False)[0] == "not_applicable"


def test_of_many_sources_the_number_is_said(tmp_path: Path) -> None:
    many = [source(f"file:/srv/{number}/mail.log", 1) for number in range(SHOWN_MAX + 3)]
    assert said(tmp_path, many)[1].endswith("and 3 more")


@pytest.mark.parametrize("sources", [None, {}, [1], "x"])
def test_an_answer_that_makes_no_sense_is_no_source(tmp_path: Path, sources: Any) -> None:
    assert said(tmp_path, sources)[0] == "unknown"
