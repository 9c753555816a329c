"""setup: a first configuration that `check` accepts, from what is there; what is configured already stays."""

import os
import socket
import stat
from pathlib import Path

import pytest
from tests.commands.typed import settings, typed

from durward.commands import setup  # noqa: F401 - tried here by its name
from durward.commands.verb import Exit

NAMES = ["durward.toml", "allow.list", "deny.list", "ignore.list"]


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
    assert done.out.splitlines() == [f"wrote {tmp_path / 'etc' / name}" for name in NAMES]
    assert f'"{port}"' in (tmp_path / "etc" / "durward.toml").read_text().replace(",", '","')
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
    assert done.answers == [{"written": [str(etc / "allow.list"), str(etc / "ignore.list")]}]
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
