"""The files that may have done it stand beside the lines: in the page, in CSF's template, in programs, on the wire."""

from dataclasses import replace

import pytest
from tests.messages.samples import ALERT, LINE, NASTY, NOW, message

from durward.alerts.hook import calls
from durward.alerts.webhook import document
from durward.messages import page
from durward.messages.inert import LINE_CHARACTERS_MAX
from durward.messages.occasions import of_decision
from durward.messages.templates import filled
from durward.messages.wire import EVIDENCE_LINES_MAX, WireError, read_alert, written
from durward.model import Decision, Evidence, Incident, Subject
from durward.model.event import FILES

BLOG = "/home/bob/public_html/blog"
FILE = f"{BLOG}/wp-mailer.php: mail(); changed 2026-11-23 08:00:00 UTC"
TEMPLATE = "Subject: [path]\n\nCount [count]\n\n[emails]\n\n[scripts]\n"


def decision(lines: int, files: int) -> Decision:
    evidence = [Evidence("file:/var/log/exim4/mainlog", number, NOW, LINE) for number in range(lines)]
    evidence += [Evidence(FILES, BLOG, NOW, FILE) for _ in range(files)]
    subject = Subject("file", BLOG)
    incident = Incident("script_mail", "exim", subject, NOW, NOW, 101, 101, 3600.0, tuple(evidence), "101 mails")
    return Decision(
        "alert", subject, NOW, None, "101 mails were sent from there in 1h", "detector:script_mail", incident=incident
    )


def test_files_do_not_push_out_the_lines() -> None:
    alert = of_decision(decision(50, 10), None)
    assert alert is not None
    assert (alert.evidence, alert.files) == ((LINE,) * 10, (FILE,) * 10)


def test_a_mail_names_directory_lines_and_files() -> None:
    alert = of_decision(decision(3, 2), None)
    assert alert is not None
    text = page.body(message(alert), "web1")
    assert BLOG in page.title(message(alert), "web1")
    assert text.index(LINE) < text.index(FILE)
    assert text.count(FILE) == 2
    subject, told = filled(alert, "web1", {"scriptalert.txt": TEMPLATE}) or ("", "")
    assert subject == BLOG
    assert told == f"Count 101\n\n{LINE}\n{LINE}\n{LINE}\n\n{FILE}\n{FILE}\n"


def test_a_program_gets_them_last_as_from_csf() -> None:
    alert = of_decision(decision(1, 2), None)
    assert alert is not None
    ((name, given),) = calls(replace(alert, kind="account"))
    script = f"{BLOG}/wp-mailer.php"
    assert (name, given) == ("script", [BLOG, "101", LINE, f"{script}\n{script}"])


@pytest.mark.parametrize("text", NASTY)
def test_their_names_are_harmless_everywhere(text: str) -> None:
    alert = replace(ALERT, files=(f"/home/bob/{text}.php: mail()",))
    rows = [*page.details(alert), *document(message(alert), "web1")["alerts"][0]["files"]]
    assert all(len(row) <= LINE_CHARACTERS_MAX + 2 for row in rows)
    assert not any(character in row for row in rows for character in "\r\n\x1b\u202e\u2028\x00")


def test_they_go_over_the_wire_and_an_earlier_release_had_none() -> None:
    assert read_alert(written(replace(ALERT, files=(FILE,) * 50))).files == (FILE,) * EVIDENCE_LINES_MAX
    assert read_alert(written(ALERT).replace(', "files": []', "")).files == ()
    with pytest.raises(WireError):
        read_alert(written(ALERT).replace('"files": []', '"files": 7'))
