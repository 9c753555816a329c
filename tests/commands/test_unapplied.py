"""Filters that wait for an apply: named with their lines; that they are gone then is tried in tests/attacks."""

import os
from pathlib import Path

import pytest
from tests.commands.typed import settings

from durward.commands import unapplied as module
from durward.commands.unapplied import OFF, SHOWN_MAX, WAITS, unapplied
from durward.config.home import Home
from durward.config.loading import load, load_lists
from durward.control.requests import NoAnswerError

DENY = "192.0.2.4\ntcp|in|d=22|s=192.0.2.5\nicmp|in|d=ping|s=192.0.2.6\ntcp|in|d=1_1000|s=2001:db8::/32\n"


def found(home: Home) -> list[tuple[str, int, str]]:
    problems = unapplied(home, load(home).settings, load_lists(home))
    return [(Path(one.file).name, one.line, one.message) for one in problems]


def state(monkeypatch: pytest.MonkeyPatch, firewall: str, text: str = "") -> None:
    monkeypatch.setattr(module, "ask_enforcer", lambda _word: {"firewall": firewall})
    monkeypatch.setattr(module, "stored_firewall", lambda _home, _state: text)
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_what_no_rule_carries_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home.below(tmp_path)
    settings(tmp_path, "", deny=DENY, allow="icmp|in|d=ping|s=192.0.2.6\n")
    state(monkeypatch, "off")
    assert found(home) == [("allow.list", 1, WAITS), ("deny.list", 3, WAITS), ("deny.list", 4, WAITS)]
    state(
        monkeypatch, "confirmed", 'ip saddr 192.0.2.6 icmp type 8 counter drop comment "icmp|in|d=ping|s=192.0.2.6"\n'
    )
    assert found(home) == [("allow.list", 1, WAITS), ("deny.list", 4, WAITS)]


def test_without_a_firewall_they_never_hold(tmp_path: Path) -> None:
    settings(tmp_path, "[firewall]\nenabled = false\n", deny=DENY)
    assert found(Home.below(tmp_path)) == [("deny.list", 3, OFF), ("deny.list", 4, OFF)]


def test_where_nobody_says_what_decides_nothing_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_word: str) -> None:
        raise NoAnswerError("nobody is there")

    settings(tmp_path, "", deny=DENY)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(module, "ask_enforcer", silent)
    assert found(Home.below(tmp_path)) == []
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert found(Home.below(tmp_path)) == []


def test_of_very_many_the_rest_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f"icmp|in|d=ping|s=192.0.2.{number}\n" for number in range(SHOWN_MAX + 5))
    settings(tmp_path, "", deny=lines)
    state(monkeypatch, "off")
    assert len(found(Home.below(tmp_path))) == SHOWN_MAX + 1
    assert found(Home.below(tmp_path))[-1][2] == "and 5 more wait"
