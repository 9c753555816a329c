"""What is shown on a terminal: whatever an attacker wrote into a log, nothing of it is obeyed."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.commands.typed import typed

from durward.commands import doctor, list_, log, replay, status, verb, why
from durward.commands.terminal import inert, lasting, moment, quantity, span, table
from durward.model import ABSENT

EVIL = "\x1b]0;owned\x07\x1b[2J\rFAKE LINE\b\x9b31m\x00\x7f\u202egnp\u2066\u200f\u061c\u2029\n"
OBEYED = {chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F))} | {
    *(chr(code) for code in range(0x2066, 0x206A)),
    *("\u200e", "\u200f", "\u061c"),
}


def obeyed(page: str) -> set[str]:
    """What of a page a terminal would obey, apart from the bold type that we write ourselves."""
    return set(page.replace("\x1b[1m", "").replace("\x1b[0m", "")) & OBEYED


def explanation() -> dict[str, Any]:
    """An answer of `why` in which everything that others can write is evil."""
    layer = {
        "layer": "block",
        "blocked": True,
        "decision": 17,
        "receipt": "K7QM-2XFD",
        "subject": "203.0.113.9",
        "origin": f"detector:{EVIL}",
        "reason": EVIL,
        "made_at": "2026-11-23T08:10:00+00:00",
        "until": None,
        "ports": "",
        "packets": 12,
        "bytes": 720,
        "next_time": "2h",
        "undo": "durward unblock 203.0.113.9",
        "count": 5,
        "threshold": 5,
        "within": "1h",
        "evidence": [{"source": f"file:{EVIL}", "position": 0, "at": None, "text": EVIL}],
    }
    past = {**layer, "decision": 3, "verdict": "block", "simulated": False, "refused": EVIL}
    return {
        "subject": "203.0.113.9",
        "blocked": True,
        "layers": [layer],
        "history": [past],
        "allowed": True,
        "allowed_by": "allow.list:3",
        "ignored": False,
        "ignored_by": None,
    }


def test_the_page_of_why_is_inert() -> None:
    page = why.page(explanation())
    assert obeyed(page) == set()
    assert page.count(r"\x1b]0;owned\x07") >= 4, "it is shown, as escapes"
    assert "\nFAKE" not in page
    assert "durward unblock 203.0.113.9" in page


def test_limits_and_tables_of_others_are_told_inert() -> None:
    limit = {
        "layer": "rate:port_flood",
        "blocked": True,
        "setting": "firewall.port_flood",
        "limit": EVIL,
        "port": "22/tcp",
    }
    limit |= {"packets": 3, "bytes": 180, "refused_at": None, "until": None, "counted": True}
    foreign = {"layer": f"foreign:{EVIL}", "blocked": False, "may_refuse": True, "family": "inet", "held": [EVIL]}
    answer = {**explanation(), "layers": [{"layer": "block", "blocked": False}, limit, foreign], "history": []}
    page = why.page(answer)
    assert obeyed(page) == set()
    assert "\nFAKE" not in page
    assert "is refused for now" in page
    assert "too many connections in a time at 22/tcp: 3 packets refused" in page
    assert "may refuse it" in page


def test_the_lines_of_the_log_are_inert() -> None:
    decision = explanation()["history"][0]
    for more in ({}, {"simulated": True}, {"refused": None}):
        line = log.row({**decision, **more})
        assert obeyed(line) == set()
        assert "\n" not in line


def test_the_page_of_status_is_inert() -> None:
    source = {"name": f"file:{EVIL}", "lag_seconds": 0.0, "lines": 1, "events": 0}
    page = status.page(
        {
            "protecting": True,
            "since": None,
            "firewall": "off",
            "blocks": 1,
            "allows": 0,
            "ignores": 0,
            "sources": [source, {**source, "problem": EVIL}],
            "processes": [{"name": "engine", "pid": 17, "rss_kib": 20_000}],
            "refused": [
                {"what": "list", "packets": 3, "bytes": 180, "parts": [{"of": EVIL, "packets": 3, "bytes": 180}]},
                {"what": EVIL, "packets": 2, "bytes": 120},
                {"what": "udp_flood", "packets": 0, "bytes": 0},
            ],
            "counted": [{"what": "syn_proxied", "packets": 1, "bytes": 60}],
            "degraded": [EVIL],
        }
    )
    assert obeyed(page) == set()
    assert "lists and countries" in page
    assert "answered by the proxy" in page
    assert "UDP flood" not in page


@pytest.mark.parametrize("words", [("list",), ("doctor",), ("log",)])
def test_what_the_engine_gives_is_shown_inert(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    entry = {**explanation()["history"][0], "check": "source", "result": "fail", "detail": EVIL}
    entry["subject"] = EVIL if words == ("doctor",) else "203.0.113.9"
    monkeypatch.setattr(verb, "ask", lambda *_arguments, **_fields: iter([entry]))
    done = typed(*words, home=tmp_path)
    assert obeyed(done.out) == set()
    assert r"\x1b]0;owned" in done.out


@pytest.mark.parametrize("words", [("list",), ("doctor",), ("log",)])
def test_an_error_of_the_engine_ends_the_verb_with_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(verb, "ask", lambda *_arguments, **_fields: iter([{"error": f"no {EVIL}", "status": 3}]))
    done = typed(*words, home=tmp_path)
    assert (done.status, done.out) == (3, "")
    assert obeyed(done.errors) == set()


def test_an_engine_that_says_nothing_is_no_sign_of_health(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "ask", lambda *_arguments, **_fields: iter([]))
    assert typed("doctor", home=tmp_path).status == verb.Exit.NO_ANSWER


def test_lines_that_are_scanned_and_replayed_are_shown_inert(tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    line = "2026-11-23T08:10:0{}+00:00 host sshd[{}]: Failed password for x{} from 203.0.113.9 port 1 ssh2\n"
    evil = EVIL.replace("\n", "").replace("\r", "")
    path.write_text("".join(line.format(number, 4000 + number, evil) for number in range(5)))
    for words in (("scan", path), ("replay", path)):
        done = typed(*words, home=tmp_path)
        assert obeyed(done.out) == set()
        assert r"\x1b]0;owned" in done.out, words
    for words in (("scan", path, "--json"), ("replay", path, "--json")):
        assert typed(*words, home=tmp_path).out.isascii()


@given(some.text())
def test_any_text_becomes_one_line_that_nothing_obeys(text: str) -> None:
    assert obeyed(inert(text)) == set()
    assert "\n" not in inert(text)
    assert inert(inert(text)) == inert(text)


def test_places_where_no_log_is_are_counted_and_not_listed() -> None:
    there = {"name": "file:/var/log/auth.log", "lag_seconds": 0.0, "lines": 1, "events": 0}
    absent = [{**there, "name": f"file:/var/log/{name}.log", "absent": True} for name in "abc"]
    lines = status._sources([there, *absent])
    assert lines[0].startswith("  file:/var/log/auth.log  1 line  0 events  up to date")
    assert lines[1:] == ["  3 other places for logs, where nothing is (yet):  durward status --json"]
    assert status._sources(absent)[0] == "  No log is being read."
    missing = {"check": "source", "result": "not_applicable", "detail": ABSENT}
    found = [{**missing, "subject": one["name"]} for one in absent]
    switched_off = {"check": "service", "subject": "exim", "result": "not_applicable", "detail": "is switched off"}
    page = doctor.page([*found, switched_off])
    assert page.splitlines() == [
        "-  service exim  is switched off",
        "-  source        3 places for logs, where nothing is (yet):  durward doctor --json",
    ]


def test_pages_are_made_of_these() -> None:
    assert replay._page({"at": None, "verdict": "block", "subject": "x", "until": None, "reason": EVIL, "evidence": []})
    assert (table([]), table([("a", "b"), ("ccc", "d")])) == ("", "a    b\nccc  d")
    assert [span(seconds) for seconds in (-1, 0, 59, 7500, 90_000)] == ["0 s", "0 s", "59 s", "2 h 5 min", "1 d 1 h"]
    assert [quantity(count, "line") for count in (0, 1, 12_345)] == ["0 lines", "1 line", "12,345 lines"]
    assert (moment(None), lasting(None)) == ("never", "for ever")
    assert moment("2001-02-03T12:00:00+00:00").startswith("2001-02-0")
    assert {*doctor.SIGNS} == {"pass", "fail", "error", "unknown", "not_applicable"}
    assert list_.LISTINGS["blocked"] == "block"
