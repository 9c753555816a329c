"""Alerts and messages for tests, harmless ones and the worst that hypothesis can think of."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies

from durward.messages.channel import Place
from durward.model.alert import Alert, Message

NOW = 1_795_421_400.0  # 2026-11-23 08:10:00 UTC
LINE = "Nov 23 08:10:00 host sshd[4242]: Failed password for root from 203.0.113.9 port 40022 ssh2"
ALERT = Alert(
    key="decision:17",
    kind="block",
    severity="notice",
    at=NOW,
    what="203.0.113.9 is blocked for 1h",
    why="5 failed sshd logins in 42 s",
    done="what is coming in at all ports is dropped for 1h",
    undo="durward unblock 203.0.113.9",
    gathering="block:detector:brute_force:sshd",
    subject="203.0.113.9",
    until=NOW + 3600,
    decision=17,
    receipt="K7QM-2XFD",
    detector="brute_force",
    service="sshd",
    count=5,
    first_at=NOW - 42,
    last_at=NOW,
    evidence=(LINE,) * 5,
)
NASTY = (
    "\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script>",
    "@everyone @here <!channel> <@U123> [click](https://evil.example)",
    "\u202egnp.exe\u2066 \u200b\ufeff \x1b]0;title\x07\x1b[2J",
    "\n.\n\nQUIT\n",
    "=?utf-8?q?=0D=0ABcc:_all=40example.com?=",
    "x" * 5000,
    "\ud800\U000e0041\u0000\x85\u2028\u2029",
    "a" + "\u0301" * 500,
)
# Whatever an attacker can get into a log line: any text, with the worst mixed in.
HOSTILE = strategies.lists(
    strategies.one_of(strategies.sampled_from(NASTY), strategies.text(max_size=200)), min_size=1, max_size=4
).map("".join)
LOGGED = HOSTILE.map(lambda text: text.encode("utf-8", "replace").decode())


def message(*alerts: Alert, channel: str = "mail", held: str = "", more: int = 0) -> Message:
    return Message("mail.3.1795421400000", channel, NOW, 1, alerts or (ALERT,), held, more)


def hostile(text: str) -> Alert:
    """An alert in which every text that may come from outside is this one."""
    return replace(ALERT, why=text, what=f"{text} is blocked", evidence=(text, text), service=text, detector=text)


def place(etc: Any = "/nonexistent", channel: str = "mail", **templates: str) -> Place:
    return Place("web1.example.com", str(etc), {f"{name}.txt": text for name, text in templates.items()}, channel)
