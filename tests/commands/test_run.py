"""run: what is wrong is said once, before anything is started."""

import os
from pathlib import Path

import pytest
from tests.commands.typed import settings, typed

from durward.commands import run as run_module
from durward.commands.verb import Exit


def test_without_root_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    done = typed("run", home=tmp_path)
    assert (done.status, done.out) == (Exit.WRONG, "")
    assert "needs root" in done.errors


def test_a_mistake_in_the_settings_is_told_and_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(run_module.os, "execv", lambda *_words: pytest.fail("it was started"))
    etc = settings(tmp_path, "[firewal]\n")
    done = typed("run", home=tmp_path)
    assert (done.status, done.out) == (Exit.WRONG, "")
    assert f"{etc / 'durward.toml'}:1" in done.errors


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_it_becomes_the_supervisor_of_its_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(run_module.os, "execv", lambda _program, words: became.append(words))
    settings(tmp_path, "")
    done = typed("run", *more, home=tmp_path)
    assert (done.status, done.out, bool(done.errors)) == (Exit.DONE, "", not more)
    (words,) = became
    assert words[1:4] == ["-I", "-m", "durward.daemons.supervisor"]
    assert words[4:] == ["--etc", f"{tmp_path}/etc", "--lib", f"{tmp_path}/lib", "--run", f"{tmp_path}/run"]
