"""What would-pass and apply ask the kernel with, and how the answer looks; the answers are tried in tests/kernel."""

from ipaddress import ip_address
from pathlib import Path

import pytest
from tests.commands.typed import settings

from durward.catalog.document import ProblemsError
from durward.commands.asking import NO_ENGINE, Stands, rules_for, stands_for
from durward.commands.asserting import refuse_broken
from durward.commands.would_pass import page
from durward.config.home import Home
from durward.config.loading import load, load_lists
from durward.model import Port, Scope, Standing, Subject
from durward.ruleset.policy import Policy

ASKED = ip_address("198.51.100.7")


def block(subject: str, scope: str = "in:") -> Standing:
    return Standing("block", Subject.parse(subject), Scope.parse(scope), None, 1)


def test_the_undo_takes_back_every_block_that_refuses() -> None:
    stands = Stands([block("198.51.100.7"), block("198.51.100.0/24"), block("203.0.113.9"), block("198.51.100.0/25")])
    assert stands.undo_of(ASKED, False, Port(22)) == [
        "durward unblock 198.51.100.7",
        "durward unblock 198.51.100.0/24",
        "durward unblock 198.51.100.0/25",
    ]
    ported = Stands([block("198.51.100.7", "in:22,53/udp"), block("198.51.100.0/24", "out:")])
    assert ported.undo_of(ASKED, False, Port(22)) == ["durward unblock 198.51.100.7"]
    assert ported.undo_of(ASKED, False, Port(53)) == []
    assert ported.undo_of(ASKED, True, Port(22)) == ["durward unblock 198.51.100.0/24"]


def test_without_an_engine_the_lists_are_asked(tmp_path: Path) -> None:
    settings(tmp_path, "", allow="198.51.100.7\n203.0.113.9\n", deny="198.51.100.0/24\ntcp|in|d=25|s=198.51.100.7\n")
    home = Home.below(tmp_path)
    stands = stands_for(home, load_lists(home), [ASKED])
    found = {(one.listing, one.subject.value, str(one.scope)) for one in stands.standings}
    assert found == {
        ("allow", "198.51.100.7", "in:"),
        ("block", "198.51.100.0/24", "in:"),
        ("block", "198.51.100.7", "in:25"),
    }
    assert stands.notes == [NO_ENGINE]


def test_what_is_too_wide_for_the_sets_is_left_out(tmp_path: Path) -> None:
    found = load(Home.below(tmp_path)).settings
    rules = rules_for(None, found, [block("198.0.0.0/7"), block("198.51.100.7")])
    assert rules == rules_for(None, found, [block("198.51.100.7")]) != rules_for(None, found, [])


def test_lines_that_are_no_assertions_stop_before_the_kernel_is_asked(tmp_path: Path) -> None:
    etc = settings(tmp_path, "")
    (etc / "policy.assert").write_text("anyone reaches 443\nwhat?\n")
    home = Home.below(tmp_path)
    with pytest.raises(ProblemsError, match=r"policy\.assert:2: "):
        refuse_broken(home, load(home).settings, load_lists(home), Policy())


def test_the_page_is_inert_and_complete() -> None:
    answer = {"passes": False, "from": "198.51.100.7", "to": "192.0.2.1", "protocol": "tcp", "port": 22}
    answer |= {"direction": "in", "interface": "outer", "rule": 'x comment "\x1b[2J"', "step": "refused", "path": []}
    answer |= {"undo": "durward unblock 198.51.100.7", "notes": ["not known"]}
    shown = page(answer)
    assert "From 198.51.100.7 to 192.0.2.1, tcp 22, in by outer: " in shown
    assert all(word in shown for word in ("does not pass", "refused", "durward unblock 198.51.100.7", "not known"))
    assert "\x1b[2J" not in shown
