"""What nothing explains is collected alike with alike, reported at the end of an hour, and bounded."""

from dataclasses import replace

import pytest
from tests.scan.cards import card

from durward.catalog.document import ProblemsError
from durward.config.settings import SourceSettings
from durward.daemons.unexplained import LINES_A_SECOND_MAX, Unexplained
from durward.model import Event

CARD = card("Failed for {user} from {ip}")
HOURLY = SourceSettings(unexplained="hourly")
SOURCE = "file:/var/log/syslog"
LINES = (
    b"Nov 23 08:10:00 web1 tool[12]: disk sda1 has 12 errors\n"
    b"Nov 23 08:10:01 web1 sshd[13]: Failed password for root from 203.0.113.9 port 40022 ssh2\n"
    b"Nov 23 08:10:02 web1 tool[99]: disk sdb7 has 9 errors\n"
    b"Nov 23 08:10:03 web1 other[1]: starting\n"
)
NOW = 7200.0
PLACE = 100
FAILURE_AT = PLACE + LINES.index(b"Nov 23 08:10:01")
FAILURE = Event("auth.failure", NOW, NOW, "sshd", SOURCE, FAILURE_AT, b"")


def heard(settings: SourceSettings, *, source: str = SOURCE) -> Unexplained:
    made = Unexplained(settings, [CARD], NOW)
    made.hear(source, LINES, PLACE, [FAILURE], NOW + 1)
    return made


def kinds(unexplained: Unexplained) -> list[tuple[int, str]]:
    return [(one["lines"], one["sample"]) for one in unexplained.groups()]


def test_alike_lines_are_one_kind_and_what_was_explained_is_none() -> None:
    assert kinds(heard(HOURLY)) == [
        (2, "Nov 23 08:10:02 web1 tool[99]: disk sdb7 has 9 errors"),
        (1, "Nov 23 08:10:03 web1 other[1]: starting"),
    ]


def test_off_collects_nothing() -> None:
    off = heard(SourceSettings())
    assert (off.is_on, kinds(off), off.report(NOW + 86400)) == (False, [], None)


def test_the_site_s_patterns_take_lines_out() -> None:
    settings = replace(HOURLY, unexplained_ignored=("disk {word} has {number} errors",))
    assert [sample.split()[-1] for _, sample in kinds(heard(settings))] == ["starting"]


def test_a_pattern_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(ProblemsError):
        Unexplained(replace(HOURLY, unexplained_ignored=("(a*)*",)), [CARD], NOW)


def test_only_the_named_logs_are_looked_at() -> None:
    settings = replace(HOURLY, unexplained_files=("/var/log/sys*",))
    assert len(kinds(heard(settings))) == 2
    assert kinds(heard(settings, source="file:/var/log/auth.log")) == []


def test_the_report_comes_at_the_end_of_the_hour_and_all_begins_anew() -> None:
    made = heard(HOURLY)
    assert made.report(NOW + 3599) is None
    report = made.report(NOW + 3600)
    assert report is not None
    assert (report.count, report.what) == (3, "3 lines of logs that nothing explains")
    assert report.evidence[0] == "2 x /var/log/syslog: Nov 23 08:10:02 web1 tool[99]: disk sdb7 has 9 errors"
    assert (kinds(made), made.report(NOW + 7200)) == ([], None)


def test_an_empty_report_comes_where_it_is_wanted() -> None:
    report = Unexplained(replace(HOURLY, unexplained_empty=True), (), NOW).report(NOW + 3600)
    assert report is not None
    assert report.what == "every line of the logs is explained"


def test_kept_to_be_seen_only_it_is_never_reported() -> None:
    made = heard(replace(HOURLY, unexplained="manual"))
    assert made.report(NOW + 10 * 86400) is None
    assert len(kinds(made)) == 2


def test_kinds_and_lines_a_second_are_bounded() -> None:
    made = Unexplained(replace(HOURLY, unexplained_lines=3), (), NOW)
    for letter in b"abcde":
        made.hear(SOURCE, b"word%c\n" % letter, 0, [], NOW)
    assert (len(kinds(made)), made.lines, made.further) == (3, 5, 2)
    made.hear(SOURCE, b"worda\n" * (LINES_A_SECOND_MAX + 1), 0, [], NOW + 1)
    assert (kinds(made)[0][0], made.further) == (1 + LINES_A_SECOND_MAX, 3)
