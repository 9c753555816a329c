"""setup: a first configuration that `check` accepts, from what is there; what is configured already stays."""

import os
import socket
import stat
from ipaddress import ip_address
from pathlib import Path

import pytest
from tests.commands.typed import settings, typed

from durward.catalog.traffic import parse_ports
from durward.commands import setup
from durward.commands.verb import Exit
from durward.config.assertions import read_assertions
from durward.facts import listeners

NAMES = ["durward.toml", "allow.list", "deny.list", "ignore.list", "policy.assert"]


@pytest.fixture(autouse=True)
def _as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below a directory of its own, setup does nothing that only root could."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_what_it_writes_is_right_and_opens_what_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "::ffff:203.0.113.9 40022 192.0.2.1 22")
    with socket.create_server(("", 0)) as listening:
        port = listening.getsockname()[1]
        done = typed("setup", home=tmp_path)
    assert done.status == Exit.DONE, done.errors
    assert [line for line in done.out.splitlines() if line.startswith("wrote")] == [
        f"wrote {tmp_path / 'etc' / name}" for name in NAMES
    ]
    assert "you are logged in from 203.0.113.9" in done.out
    assert done.out.splitlines()[-1] == "Next:  durward check"
    assert f'"{port}"' in (tmp_path / "etc" / "durward.toml").read_text().replace(",", '","')
    assert f"{port} (" in (tmp_path / "etc" / "durward.toml").read_text(), "the program that listens is named"
    assert "# 203.0.113.9 reaches " in (tmp_path / "etc" / "policy.assert").read_text()
    assert (tmp_path / "etc" / "allow.list").read_text().splitlines()[-1].startswith("203.0.113.9 # ")
    assert {stat.S_IMODE((tmp_path / "etc" / name).stat().st_mode) for name in NAMES} == {0o640}
    checked = typed("check", home=tmp_path)
    assert checked.status == Exit.DONE, checked.out + checked.errors


@pytest.mark.parametrize("connection", ["", "nonsense", "203.0.113.300 1 2 3", "\x1b[31m 1 2 3"])
def test_without_a_known_address_nobody_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connection: str
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", connection)
    assert typed("setup", home=tmp_path).status == Exit.DONE
    assert [line[:1] for line in (tmp_path / "etc" / "allow.list").read_text().splitlines()] == ["#"]


def test_what_is_there_already_is_left_as_it_is(tmp_path: Path) -> None:
    etc = settings(tmp_path, "# mine\n", deny="203.0.113.9\n")
    done = typed("setup", "--json", home=tmp_path)
    (answer,) = done.answers
    assert answer["written"] == [str(etc / name) for name in ("allow.list", "ignore.list", "policy.assert")]
    assert (etc / "durward.toml").read_text() == "# mine\n"
    assert (etc / "deny.list").read_text() == "203.0.113.9\n"
    again = typed("setup", home=tmp_path)
    assert "configured already" in again.out


def test_without_root_it_says_so_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    done = typed("setup", home=tmp_path)
    assert (done.status, done.out) == (Exit.WRONG, "")
    assert "needs root" in done.errors
    assert list(tmp_path.iterdir()) == []


def test_the_ports_of_the_panel_that_is_here_are_open_and_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    for path, text in (
        ("usr/local/cpanel/version", ""),
        ("etc/pure-ftpd.conf", "# PassivePortRange 1 2\nPassivePortRange          50000 50100\n"),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    monkeypatch.setattr(setup, "ROOT", root)
    done = typed("setup", "--json", home=tmp_path)
    (answer,) = done.answers
    assert answer["panel"] == "cpanel"
    ports = parse_ports(answer["tcp_in"])
    for port in (2083, 2087, 50_000, 50_100):
        assert any(one.first <= port <= one.last for one in ports), port
    assert not any(one.first <= 50_101 <= one.last for one in ports), "what its FTP server says counts"
    text = (tmp_path / "etc" / "durward.toml").read_text()
    assert "cPanel & WHM is installed." in text
    assert "passive FTP, as /etc/pure-ftpd.conf says" in text
    assert "# tcp_out = " in text
    assert typed("check", home=tmp_path).status == Exit.DONE


def test_a_database_that_listens_to_all_is_pointed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        listeners,
        "listeners",
        lambda: [listeners.Listener("tcp", 3306, ip_address("0.0.0.0"))],
    )
    done = typed("setup", home=tmp_path)
    assert "look at 3306 (MySQL)" in done.out
    assert "3306 is MySQL: open, because it listens." in (tmp_path / "etc" / "durward.toml").read_text()


def test_the_name_of_a_program_is_nothing_but_a_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any user may listen, under any name."""
    monkeypatch.setattr(
        listeners,
        "listeners",
        lambda: [listeners.Listener("tcp", 8081, ip_address("0.0.0.0"), 7)],
    )
    monkeypatch.setattr(listeners, "owners", lambda _inodes: {7: frozenset({'x\ntcp_in="1:9"\x1b'})})
    (answer,) = typed("setup", "--json", home=tmp_path).answers
    assert answer["tcp_in"] == "8081"
    assert typed("config", "get", "--json", "firewall.tcp_in", home=tmp_path).answers[0]["value"] == "8081"


def test_the_lines_of_the_template_are_assertions(tmp_path: Path) -> None:
    typed("setup", home=tmp_path)
    path = tmp_path / "etc" / "policy.assert"
    assert read_assertions(path).entries == [], "nothing is asserted that nobody meant"
    lines = [line.removeprefix("# ") for line in path.read_text().splitlines()]
    examples = [line for line in lines if " reach" in line]
    assert len(examples) >= 6
    path.write_text("\n".join(examples))
    assert read_assertions(path).problems == []
