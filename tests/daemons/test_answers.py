"""Answers while the enforcer is away: everything is decided, written and shown, and nobody is told that it holds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.engine.samples import HERE, SUBJECT, engine, failures, fed
from tests.store.samples import incident

from durward.config.home import Home
from durward.config.loading import load_lists
from durward.daemons.acting import Acting
from durward.daemons.alerting import Alerting
from durward.daemons.answers import Answering, Rooms
from durward.daemons.conditions import Conditions
from durward.daemons.desk import RequestError
from durward.daemons.door import Door
from durward.daemons.exemptions import Exemptions
from durward.daemons.explaining import Explaining
from durward.daemons.ledger import Ledger
from durward.model import Decision, Subject
from durward.store import decisions, standing

NOW = 1_795_421_500.0


class Room:
    """What the engine's process has of people's questions, without a kernel."""

    def __init__(self, home: Home) -> None:
        self.engine, self.ledger, self.door = engine(), Ledger(home.database, NOW), Door(home.enforcer_socket)
        self.acting = Acting(self.engine, self.ledger, self.door)
        self.explaining = Explaining(
            self.engine, self.ledger, self.door, Exemptions(load_lists(home), self.ledger.store, NOW)
        )
        rooms = Rooms(
            self.engine, self.ledger, self.door, self.acting, cast("Conditions", None), Alerting(self.ledger, {})
        )
        self.answering = Answering(rooms, self.explaining, list)

    def ask(self, verb: str, **fields: Any) -> list[dict[str, Any]]:
        return list(self.answering.answer({"verb": verb, **fields}))

    def put(self, verb: str = "block", subject: str = HERE, scope: str = "in:", **fields: Any) -> dict[str, Any]:
        (reply,) = self.ask(verb, subject=subject, scope=scope, **fields)
        return reply

    def refusal(self, verb: str, **fields: Any) -> tuple[int, str]:
        with pytest.raises(RequestError) as refused:
            self.ask(verb, **fields)
        return refused.value.status, str(refused.value)

    def blocked(self) -> set[tuple[str, str]]:
        return {(one.subject.value, str(one.scope)) for one in standing.all_of(self.ledger.store, "block")}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    home = Home.below(tmp_path)
    for directory in (home.etc, home.lib, home.run):
        directory.mkdir()
    made = Room(home)
    yield made
    made.ledger.close()


def test_a_block_is_noted_and_nobody_is_told_that_it_holds(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    reply = room.put(seconds=600)
    assert (reply["subject"], reply["enforced"], reply["decision"]) == (HERE, False, 1)
    assert room.blocked() == {(HERE, "in:")}
    assert "the kernel follows when it does" in capsys.readouterr().err
    (listed,) = room.ask("list", listing="block")
    assert (listed["subject"], listed["receipt"], listed["origin"]) == (HERE, reply["receipt"], "operator:root")
    assert fed(room.engine, failures(50)) == [], "its lines do not count"


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e300, "soon", [], True and -5])
def test_a_time_that_is_none_is_refused_and_nothing_is_written(room: Room, seconds: object) -> None:
    with pytest.raises((RequestError, ValueError, TypeError)):
        room.put(seconds=seconds)
    assert room.blocked() == set()
    assert room.ask("log") == []


@pytest.mark.parametrize(
    "fields", [{"subject": "nonsense"}, {"scope": "sideways:"}, {"scope": "in:" + "22," * 101}, {"subject": "1"}]
)
def test_a_question_that_is_wrong_changes_nothing(room: Room, fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        room.put(**fields)
    assert room.ask("log") == []
    assert room.ledger.number([]) == []


def test_whatever_somebody_gives_as_a_reason_is_kept_as_text(room: Room) -> None:
    for reason in ("\ud800", "x" * 10_000, "\x1b[31m", "\0", "Jürgen"):
        room.put(reason=reason)
    assert [one["reason"][:6] for one in room.ask("log")] == ["\\ud800", "xxxxxx", "\x1b[31m", "\0", "Jürgen"]
    assert room.ledger.degraded == ""


def test_one_scope_can_be_taken_back_without_the_others(room: Room) -> None:
    whole, ssh = room.put(), room.put(scope="in:22")
    assert room.blocked() == {(HERE, "in:"), (HERE, "in:22")}
    (reply,) = room.ask("undo", decision=str(ssh["decision"]))
    assert (reply["undone"], reply["verdict"]) == (ssh["decision"], "unblock")
    assert room.blocked() == {(HERE, "in:")}
    room.ask("unblock", subject=whole["receipt"])
    assert room.blocked() == set()
    assert room.refusal("unblock", subject=HERE) == (1, f"{HERE} is not blocked")


def test_unblocking_lifts_everything_that_stands_for_it(room: Room) -> None:
    room.put()
    room.put(scope="in:22")
    (reply,) = room.ask("unblock", subject=HERE)
    assert (reply["lifted"], reply["enforced"], room.blocked()) == ([HERE], False, set())


def test_what_was_taken_back_can_be_put_back(room: Room) -> None:
    room.put(seconds=10**6)
    room.ask("unblock", subject=HERE)
    (reply,) = room.ask("undo", decision="2")
    assert (reply["verdict"], room.blocked()) == ("block", {(HERE, "in:")})


def test_who_was_blocked_by_a_detector_is_let_in_with_counters_at_nothing(room: Room) -> None:
    room.acting.act(fed(room.engine, failures(5)), {"file:auth.log": "100"}, NOW)
    room.ask("unblock", subject=HERE)
    assert fed(room.engine, failures(4, 10)) == []
    assert room.engine.nearest(SUBJECT) == (4, 5)


def test_why_says_what_is_known(room: Room) -> None:
    fed(room.engine, failures(3))
    (free,) = room.ask("why", subject=HERE)
    assert (free["blocked"], free["layers"][0]["count"], free["layers"][0]["threshold"]) == (False, 3, 5)
    room.acting.act(fed(room.engine, failures(2, 5)), {}, NOW)
    decided = decisions.latest(room.ledger.store, 1)[0].decision
    room.put(subject=HERE, seconds=10**6)
    (answer,) = room.ask("why", subject=decided.receipt)
    assert {past["decision"] for past in answer["history"]} == {1, 2}
    assert answer["history"][-1]["origin"] == "detector:brute_force"


def test_why_says_what_was_told_of_a_file_by_its_name_and_by_the_receipt(room: Room) -> None:
    """Nobody is refused because of it, and its lines are shown all the same."""
    blog = Subject("file", "/home/bob/blog")
    told = Decision("alert", blog, NOW, None, "101 mails", "detector:script_mail", incident=incident(blog))
    (decided, *_), _refused = room.acting.act([told], {}, NOW)
    (answer,) = room.ask("why", subject=decided.receipt)
    assert [answer] == room.ask("why", subject=blog.value)
    (layer,) = answer["layers"]
    assert (layer["layer"], layer["blocked"], answer["blocked"]) == ("told", False, False)
    assert (layer["receipt"], len(layer["evidence"])) == (decided.receipt, 5)


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        *(("undo", {"decision": "9" * 30}), ("undo", {"decision": "²"}), ("undo", {"decision": "\ud800"})),
        *(("undo", {"decision": None}), ("why", {"subject": "\ud800"}), ("why", {"subject": "x" * 10_000})),
        *(("why", {"subject": {}}), ("unblock", {"subject": "\0"}), ("shout", {}), ("log", {"lines": "x"})),
        *(
            ("undo", {}),
            ("block", {}),
            ("list", {}),
            ("list", {"listing": "\ud800"}),
            ("list", {"listing": []}),
            ("log", {"lines": []}),
        ),
    ],
)
def test_absurd_questions_are_mistakes_of_who_asks(room: Room, verb: str, fields: dict[str, Any]) -> None:
    """What else is raised would end the engine."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        room.ask(verb, **fields)
    assert room.ask("log") == []


def test_the_log_names_the_account_that_a_decision_is_about(room: Room) -> None:
    """What suspends accounts reads it there."""
    accused = replace(incident(SUBJECT), account="shop")
    made = [
        Decision("block", SUBJECT, NOW, None, "five failures", "detector:distributed", incident=one)
        for one in (accused, incident(SUBJECT))
    ]
    room.ledger.write(room.ledger.number(made), {}, NOW)
    assert [one.get("account") for one in room.ask("log")] == ["shop", None]
