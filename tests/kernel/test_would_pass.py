"""would-pass and policy.assert: asked on a host in a namespace, whose own network stays as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.commands.typed import Typed, settings, typed
from tests.kernel.hosts import BEYOND, CLIENT, FAR, FAR6, SERVER, SERVER6, Pair, Trio

pytestmark = pytest.mark.kernel

SETTINGS = """\
[firewall]
ssh_ports = "2222"
tcp_in = "443"
udp_in = ""
tcp_out = "25"
udp_out = ""
reverse_path = "off"
"""
ALLOWED, DENIED, LISTED_NETWORK = FAR[0], FAR[1], "198.51.100.0/24"


def ask(pair: Pair, home: Path, *words: str) -> dict[str, Any]:
    with pair.server.inside():
        done = typed("would-pass", *words, "--json", home=home)
    (answer,) = done.answers
    assert done.status == (0 if answer["passes"] else 1), done.errors
    return answer


@contextmanager
def untouched(pair: Pair) -> Iterator[None]:
    """The host's own network is the same before and after."""

    def state() -> list[str]:
        commands = ("ip -j link", "ip -j address", "ip -j route show table all", "nft list tables")
        return [pair.server.run(*command.split()) for command in commands]

    before = state()
    yield
    assert state() == before


@pytest.fixture
def home(tmp_path: Path) -> Path:
    settings(tmp_path, SETTINGS, allow=f"{ALLOWED}\n2001:db8:2::1\n", deny=f"{LISTED_NETWORK}\n2001:db8:2::/48\n")
    return tmp_path


@pytest.mark.parametrize(("source", "to"), [(CLIENT, SERVER), ("2001:db8:1::2", SERVER6)])
def test_open_and_closed_ports(pair: Pair, home: Path, source: str, to: str) -> None:
    with untouched(pair):
        for port, words, rule in ((443, "tcp_in", "tcp_in"), (2222, "SSH", "ssh_ports")):
            answer = ask(pair, home, "--from", source, "--port", str(port))
            assert (answer["passes"], answer["to"], answer["interface"]) == (True, to, "outer")
            assert words in answer["step"]
            assert f'comment "{rule}"' in answer["rule"]
        for words in (["--port", "80"], ["--port", "443", "--proto", "udp"]):
            answer = ask(pair, home, "--from", source, *words)
            assert not answer["passes"]
            assert answer["step"] == "all else is told of and dropped"
        assert ask(pair, home, "--from", source, "--proto", "icmp")["passes"]


@pytest.mark.parametrize(
    ("allowed", "denied", "network"),
    [(ALLOWED, DENIED, LISTED_NETWORK), (FAR6[0], "2001:db8:2:9::1", "2001:db8:2::/48")],
)
def test_the_blocked_and_the_allowed_among_them(
    pair: Pair, home: Path, allowed: str, denied: str, network: str
) -> None:
    refused = ask(pair, home, "--from", denied, "--port", "443")
    assert (refused["passes"], refused["undo"]) == (False, f"durward unblock {network}")
    assert "@block" in refused["rule"]
    passes = ask(pair, home, "--from", allowed, "--port", "9999")
    assert (passes["passes"], passes["undo"]) == (True, None)
    assert "@allow" in passes["rule"]


def test_what_leaves(pair: Pair, home: Path) -> None:
    with untouched(pair):
        for to in ("203.0.113.9", "2001:db8:3::1"):
            assert ask(pair, home, "--out", "--to", to, "--port", "25")["passes"]
            refused = ask(pair, home, "--out", "--to", to, "--port", "80")
            assert (refused["passes"], refused["step"]) == (False, "all else is told of and rejected")
            assert not ask(pair, home, "--out", "--to", to, "--port", "25", "--proto", "udp")["passes"]
        assert ask(pair, home, "--out", "--to", ALLOWED, "--port", "80")["passes"]
    (home / "etc" / "deny.list").write_text("tcp|out|d=25|d=203.0.113.9\n")
    refused = ask(pair, home, "--out", "--to", "203.0.113.9", "--port", "25")
    assert (refused["passes"], refused["undo"]) == (False, "durward unblock 203.0.113.9")


def test_where_the_answer_would_be_refused(pair: Pair, home: Path) -> None:
    refused = ask(pair, home, "--out", "--to", DENIED, "--port", "25")
    assert (refused["passes"], refused["undo"]) == (False, f"durward unblock {LISTED_NETWORK}")
    assert "the answer to it does not pass: blocked addresses" in refused["step"]
    (home / "etc" / "deny.list").write_text("tcp|out|d=25|d=203.0.113.9\n")
    assert ask(pair, home, "--from", "203.0.113.9", "--port", "443")["passes"]


def test_a_host_that_talks_to_itself(pair: Pair, home: Path) -> None:
    answer = ask(pair, home, "--from", SERVER, "--port", "80")
    assert (answer["passes"], answer["interface"], answer["rule"]) == (True, "lo", 'iif "lo" accept')


def test_rules_of_interfaces_hold(pair: Pair, home: Path) -> None:
    with (home / "etc" / "durward.toml").open("a") as file:
        file.write('[firewall.interfaces]\nouter = "trusted"\n')
    assert ask(pair, home, "--from", CLIENT, "--port", "80")["passes"]
    assert not ask(pair, home, "--from", DENIED, "--port", "80")["passes"], "blocks hold everywhere"


def test_what_is_only_passed_on(pair: Pair, trio: Trio, home: Path) -> None:
    assert ask(trio, home, "--from", CLIENT, "--to", BEYOND, "--port", "443")["passes"]
    assert not ask(trio, home, "--from", CLIENT, "--to", BEYOND, "--port", "80")["passes"]
    lost = ask(pair, home, "--from", CLIENT, "--to", BEYOND, "--port", "443")
    assert (lost["passes"], lost["rule"]) == (False, None)
    assert "the kernel itself" in lost["step"]


def test_without_a_firewall_only_blocks_refuse(pair: Pair, home: Path) -> None:
    (home / "etc" / "durward.toml").write_text("[firewall]\nenabled = false\n")
    free = ask(pair, home, "--from", CLIENT, "--port", "80")
    assert (free["passes"], free["step"]) == (True, "nothing refuses it")
    assert not ask(pair, home, "--from", DENIED, "--port", "80")["passes"]


def test_what_is_not_known_is_said(pair: Pair, home: Path) -> None:
    notes = ask(pair, home, "--from", CLIENT, "--port", "443")["notes"]
    assert [word for note in notes for word in ("engine", "enforcer") if f"{word} does not answer" in note] == [
        "engine",
        "enforcer",
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("--port", "22"),
        ("--from", CLIENT),
        ("--from", CLIENT, "--port", "0"),
        ("--from", CLIENT, "--to", SERVER6, "--port", "22"),
        ("--from", "nowhere", "--port", "22"),
        ("--out", "--from", SERVER, "--port", "22"),
        ("--from", CLIENT, "--port", "22", "--proto", "sctp"),
    ],
)
def test_wrong_usage(home: Path, words: tuple[str, ...]) -> None:
    assert typed("would-pass", *words, home=home).status == 2


def test_people_get_a_page(pair: Pair, home: Path) -> None:
    with pair.server.inside():
        done = typed("would-pass", "--from", DENIED, "--port", "443", home=home)
    assert done.status == 1
    assert "does not pass" in done.out
    assert f"durward unblock {LISTED_NETWORK}" in done.out


TRUE = f"""\
anyone reaches 443
nobody reaches 3306
anyone reaches ping
{ALLOWED} reaches 22
198.51.100.128/25 does not reach 443
this host reaches 203.0.113.5:25
this host does not reach [2001:db8:3::1]:80
"""


def applied(pair: Pair, home: Path, lines: str, *words: str) -> Typed:
    (home / "etc" / "policy.assert").write_text(lines)
    with pair.server.inside():
        return typed("apply", *words, home=home)


def test_a_policy_that_keeps_its_assertions_is_put_to_the_enforcer(pair: Pair, home: Path) -> None:
    with untouched(pair):
        assert applied(pair, home, TRUE).status == 4, "there is none"


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("anyone reaches 80", "goto refused_a"),
        ("nobody reaches 443", 'tcp dport 443 accept comment "tcp_in"'),
        (f"{LISTED_NETWORK} reaches 443", "@block4_24"),
        (f"{ALLOWED} does not reach 25", "@allow4_32"),
        ("this host reaches 203.0.113.5:80", "goto refused_out_a"),
    ],
)
def test_one_that_breaks_a_line_is_refused(pair: Pair, home: Path, line: str, rule: str) -> None:
    done = applied(pair, home, f"{TRUE}{line}\n")
    assert done.status == 3
    assert f"policy.assert:{TRUE.count(chr(10)) + 1}: {line}: " in done.errors
    assert rule in done.errors
    assert "1 of 8 lines" in done.errors
    assert applied(pair, home, f"{TRUE}{line}\n", "--force").status == 4


def test_lines_that_are_none_are_named(pair: Pair, home: Path) -> None:
    assert applied(pair, home, "anyone reachs 80\n").status == 2
    done = typed("check", home=home)
    assert done.status == 2
    assert f"{home / 'etc' / 'policy.assert'}:1: " in done.out
