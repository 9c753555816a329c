"""The files that an alert about a script names: what the enforcer said of them, and nothing where it says nothing."""

from typing import Any, cast

import pytest

from durward.control.channel import ChannelError
from durward.daemons.door import Door
from durward.daemons.scripts import ASKED_MAX, Scripts
from durward.model import Decision, Evidence, Incident, Subject

NOW = 1_795_421_400.0
BLOG = Subject("file", "/home/bob/blog")
LINE = Evidence("file:/var/log/exim/mainlog", 0, NOW, "cwd=/home/bob/blog 3 args: sendmail -t -i")


class Enforcer:
    """A channel that answers as it is told to."""

    connected = True

    def __init__(self, answer: dict[str, Any] | None) -> None:
        self.asked: list[str] = []
        self._answer = answer

    def ask(self, _word: str, *, path: str) -> dict[str, Any]:
        """Answer, or be gone."""
        self.asked.append(path)
        if self._answer is None:
            raise ChannelError("the enforcer is gone")
        return self._answer


class AtTheDoor:
    """What `Scripts` uses of a door."""

    degraded = ""

    def __init__(self, answer: dict[str, Any] | None) -> None:
        self.channel = Enforcer(answer)


def told(detector: str = "script_mail", subject: Subject = BLOG) -> Decision:
    incident = Incident(detector, "exim", subject, NOW, NOW, 101, 101, 3600.0, (LINE,), "101 mails")
    return Decision("alert", subject, NOW, None, "101 mails", f"detector:{detector}", incident=incident)


def texts(answer: dict[str, Any] | None, decision: Decision) -> list[str]:
    """What stands behind the line of a decision."""
    (completed,) = Scripts(cast("Door", AtTheDoor(answer))).completed([decision])
    assert completed.incident is not None
    assert completed.incident.evidence[0] == LINE
    return [one.text for one in completed.incident.evidence[1:] if one.source == "files"]


def answer_of(*candidates: list[Any], more: bool = False, problem: str = "") -> dict[str, Any]:
    return {"candidates": list(candidates), "more": more, "problem": problem}


def test_each_script_is_named_with_what_it_calls() -> None:
    found = texts(answer_of(["/home/bob/blog/a.php", ["mail()", "SMTP"], NOW], more=True), told())
    assert found == ["/home/bob/blog/a.php: mail(), SMTP; changed 2026-11-23 08:10:00 UTC", "there may be more"]


def test_it_is_said_why_a_directory_was_not_looked_into() -> None:
    assert texts(answer_of(problem="it is a link"), told()) == ["/home/bob/blog was not looked into: it is a link"]


@pytest.mark.parametrize("answer", [None, answer_of()])
def test_where_nothing_is_known_the_lines_stand_alone(answer: dict[str, Any] | None) -> None:
    assert texts(answer, told()) == []


def test_a_name_that_is_no_text_is_made_one() -> None:
    hostile = b"/home/bob/blog/\xff.php".decode("utf-8", "surrogateescape")
    (found,) = texts(answer_of([hostile, ["mail()"], NOW]), told())
    assert found.startswith("/home/bob/blog/\\xff.php: ")


def test_only_alerts_about_scripts_are_asked_about_and_not_endlessly() -> None:
    door = AtTheDoor(answer_of())
    Scripts(cast("Door", door)).completed([told("mail_queue"), *[told()] * (ASKED_MAX + 5)])
    assert door.channel.asked == [BLOG.value] * ASKED_MAX
