"""Questions and answers: what is written is read again, and nothing else is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.catalog.host_names import parse_host_name
from durward.control.naming import (
    ADDRESSES_MAX,
    KINDS,
    OUTCOMES,
    Answer,
    Kind,
    NamingError,
    Question,
    answered,
    read_answer,
    read_question,
)
from durward.model import parse_address

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "id": st.integers(-2, 1 << 60) | ANYTHING,
    "outcome": st.sampled_from(["confirmed", "denied", "nameless", "found", "failed"]) | ANYTHING,
    "name": st.sampled_from(["", "mail.example.com", "203.0.113.9", "A.example.com", "a\n.example.com"]) | ANYTHING,
    "addresses": st.lists(
        st.sampled_from(["203.0.113.9", "2001:db8::1", "fe80::1%eth0", "203.0.113.0/24", "x"]), max_size=4
    )
    | ANYTHING,
}


@pytest.mark.parametrize("question", [Question(7, "address", "2001:db8::1"), Question(8, "name", "mail.example.com")])
def test_questions_are_read_as_they_are_written(question: Question) -> None:
    assert read_question(json.loads(json.dumps(question.entry()))) == question


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(1, "confirmed", "mail.example.com"), "address"),
        (Answer(1, "denied", "mail.example.com"), "address"),
        (Answer(1, "nameless"), "address"),
        (Answer(1, "failed"), "name"),
        (Answer(1, "found", addresses=("203.0.113.9", "2001:db8::1")), "name"),
    ],
)
def test_answers_are_read_as_they_are_written(answer: Answer, kind: Kind) -> None:
    entry = json.loads(json.dumps(answer.entry()))
    assert read_answer(entry, kind) == answer
    assert answered(entry) == 1
    (other,) = {*KINDS} - {kind}
    if answer.outcome not in OUTCOMES[other]:
        with pytest.raises(NamingError):
            read_answer(entry, other)


def test_bounds() -> None:
    many = Answer(1, "found", addresses=tuple(f"192.0.2.{number}" for number in range(ADDRESSES_MAX + 1)))
    with pytest.raises(NamingError):
        read_answer(many.entry(), "name")
    with pytest.raises(NamingError):
        read_answer(Answer(1, "confirmed").entry(), "address")
    with pytest.raises(NamingError):
        read_answer(Answer(1, "failed", "mail.example.com").entry(), "address")
    for entry in ({"id": 1, "kind": "name", "value": "203.0.113.9"}, {"id": 1, "kind": "word", "value": "a.example"}):
        with pytest.raises(NamingError):
            read_question(entry)


@given(st.fixed_dictionaries(FIELDS) | ANYTHING, st.sampled_from(KINDS))
def test_whatever_is_said_an_answer_is_clean_or_none(entry: Any, kind: Kind) -> None:
    try:
        answer = read_answer(entry, kind)
    except NamingError:
        return
    assert answer.outcome in OUTCOMES[kind]
    assert answer.name == "" or parse_host_name(answer.name) == answer.name
    assert all(str(parse_address(one)) == one for one in answer.addresses)
    assert answer.entry()["id"] == entry["id"]
