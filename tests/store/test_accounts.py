"""Tests of the question: what was decided because of failures on an account?"""

from dataclasses import replace

from tests.store.samples import decision, incident

from durward.model import Evidence
from durward.store import accounts, decisions
from durward.store.store import Store


def test_decisions_are_found_by_the_account_that_their_lines_name(store: Store) -> None:
    made = []
    for place, account in enumerate(("bob", "bob", "alice", None)):
        one = decision(subject=f"203.0.113.{place + 1}")
        line = Evidence("file:/var/log/auth.log", place, 1.0, "a line", account)
        made.append(replace(one, incident=replace(incident(one.subject), evidence=(line, line))))
    numbered = store.number(made)
    with store.transaction():
        decisions.record(store, numbered)
    assert accounts.decisions_about(store, "bob", 10) == [numbered[1].id, numbered[0].id]
    assert accounts.decisions_about(store, "bob", 1) == [numbered[1].id]
    assert accounts.decisions_about(store, "carol", 10) == []
