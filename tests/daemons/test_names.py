"""Questions that wait for the herald: who may say what, which answers are believed, and what holds how long."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from tests.control.test_naming import ANYTHING, FIELDS
from tests.store.samples import NOW

from durward.control.naming import Answer, Kind, NamingError
from durward.daemons import names as names_module
from durward.daemons.desk import MISTAKES, RequestError
from durward.daemons.names import (
    ANSWER_SECONDS,
    BAD_SECONDS,
    GOOD_SECONDS,
    LISTENERS_MAX,
    PATIENT_MAX,
    RECENT,
    URGENT_MAX,
    WAIT_SECONDS,
    Names,
)


class Asker:
    """Asks, and writes down what it hears."""

    def __init__(self) -> None:
        self.names = Names()
        self.heard: list[tuple[str, str]] = []
        self.names.tick(NOW)

    def ask(self, value: str, kind: Kind = "address", now: float = NOW, **how: bool) -> None:
        self.names.ask(kind, value, lambda answer: self.heard.append((value, answer.outcome)), now, **how)

    def claim(self, most: int = 8) -> list[dict[str, Any]]:
        (handed,) = self.names.answer({"verb": "claim", "most": most})
        return list(json.loads(json.dumps(handed))["questions"])

    def answer(self, *answers: Answer) -> int:
        (taken,) = self.names.answer({"verb": "answer", "answers": [one.entry() for one in answers]})
        return int(taken["taken"])

    def hear(self) -> list[tuple[str, str]]:
        self.names.deliver()
        heard, self.heard = self.heard, []
        return heard


@pytest.fixture
def asker() -> Asker:
    return Asker()


def test_a_question_is_fetched_answered_and_remembered(asker: Asker) -> None:
    asker.ask("203.0.113.9")
    asker.ask("203.0.113.9")
    assert asker.names.is_ready
    assert asker.hear() == []
    (question,) = asker.claim()
    assert (question["kind"], question["value"]) == ("address", "203.0.113.9")
    assert asker.claim() == []
    assert asker.answer(Answer(question["id"], "confirmed", "mail.example.com")) == 1
    assert asker.hear() == [("203.0.113.9", "confirmed")] * 2
    asker.ask("203.0.113.9", now=NOW + GOOD_SECONDS - 1)
    assert asker.claim() == []
    assert asker.hear() == [("203.0.113.9", "confirmed")]
    asker.ask("203.0.113.9", now=NOW + 1, fresh=True)
    assert len(asker.claim()) == 1


def test_what_was_not_confirmed_holds_for_less_long(asker: Asker) -> None:
    asker.ask("203.0.113.9")
    asker.answer(Answer(asker.claim()[0]["id"], "nameless"))
    asker.ask("203.0.113.9", now=NOW + BAD_SECONDS - 1)
    assert asker.claim() == []
    asker.ask("203.0.113.9", now=NOW + BAD_SECONDS + 1)
    assert len(asker.claim()) == 1


def test_patient_questions_wait_behind_the_others(asker: Asker) -> None:
    asker.ask("203.0.113.1", patient=True)
    asker.ask("203.0.113.2")
    assert [one["value"] for one in asker.claim(1)] == ["203.0.113.2"]
    assert [one["value"] for one in asker.claim(1)] == ["203.0.113.1"]


def test_only_answers_to_what_was_asked_and_fetched_are_believed(asker: Asker) -> None:
    asker.ask("203.0.113.9")
    asker.ask("home.example.net", "name")
    first, second = asker.claim()
    assert asker.answer(Answer(first["id"] + 1000, "confirmed", "mail.example.com")) == 0
    with pytest.raises(NamingError):
        asker.answer(Answer(first["id"], "found", addresses=("203.0.113.1",)))
    with pytest.raises(NamingError):
        asker.answer(Answer(second["id"], "confirmed", "mail.example.com"))
    assert asker.answer(Answer(first["id"], "denied", "mail.example.com")) == 1
    assert asker.answer(Answer(first["id"], "confirmed", "mail.example.com")) == 0
    assert asker.hear() == [("203.0.113.9", "denied")]


def test_numbers_of_one_engine_are_no_numbers_of_the_next() -> None:
    asker = Asker()
    asker.ask("203.0.113.9")
    (before,) = asker.claim()
    asker = Asker()
    asker.ask("198.51.100.7")
    asker.claim()
    assert asker.answer(Answer(before["id"], "confirmed", "mail.example.com")) == 0


@pytest.mark.parametrize("asked", [{}, {"verb": "block"}, {"verb": "answer"}, {"verb": "claim"}, {"verb": "status"}])
def test_the_herald_may_say_nothing_else(asker: Asker, asked: dict[str, Any]) -> None:
    with pytest.raises((RequestError, KeyError)):
        asker.names.answer(asked)


def test_nobody_waits_for_ever(asker: Asker) -> None:
    asker.ask("203.0.113.1")
    asker.ask("203.0.113.2")
    asker.claim(1)
    asker.names.tick(NOW + ANSWER_SECONDS)
    assert asker.hear() == [("203.0.113.1", "failed")]
    asker.names.tick(NOW + WAIT_SECONDS)
    assert asker.hear() == [("203.0.113.2", "failed")]
    assert asker.claim() == []


def test_bounds(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(URGENT_MAX + 1):
        asker.ask(f"2001:db8::{number:x}")
    assert asker.hear() == [(f"2001:db8::{URGENT_MAX:x}", "failed")]
    for number in range(PATIENT_MAX + 1):
        asker.ask(f"2001:db8:1::{number:x}", patient=True)
    assert asker.hear() == [(f"2001:db8:1::{PATIENT_MAX:x}", "failed")]
    for _ in range(LISTENERS_MAX + 5):
        asker.ask("2001:db8::0")
    asker.answer(*(Answer(one["id"], "nameless") for one in asker.claim(1)))
    assert len(asker.hear()) <= LISTENERS_MAX
    monkeypatch.setattr(names_module, "KNOWN_MAX", 10)
    while questions := asker.claim(32):
        asker.answer(*(Answer(one["id"], "nameless") for one in questions))
    known = [number for number in range(URGENT_MAX) if asker.names.knows("address", f"2001:db8::{number:x}", NOW)]
    assert len(known) <= 10


def test_it_is_told_when_nobody_answers(asker: Asker) -> None:
    assert asker.names.finding(NOW).result == "pass"
    for number in range(RECENT):
        asker.ask(f"203.0.113.{number}")
        asker.answer(*(Answer(one["id"], "failed") for one in asker.claim()))
    assert asker.names.finding(NOW).detail == f"the name service answered none of the last {RECENT} questions"
    asker.names.tick(NOW + WAIT_SECONDS + 1)
    assert asker.names.finding(NOW + WAIT_SECONDS + 1).subject == "herald"


@settings(max_examples=200)
@given(ANYTHING | FIELDS["addresses"], FIELDS["id"])
def test_whatever_the_herald_says_the_engine_goes_on(said: Any, most: Any) -> None:
    asker = Asker()
    asker.ask("203.0.113.9")
    for asked in (
        {"verb": "claim", "most": most},
        {"verb": "answer", "answers": said},
        {"verb": "answer", "answers": [said]},
    ):
        try:
            asker.names.answer(asked)
        except MISTAKES:
            continue
    asker.names.tick(NOW + WAIT_SECONDS)
    assert [outcome for _, outcome in asker.hear()] in ([], ["failed"])
