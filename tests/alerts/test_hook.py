"""Commands for blocks and unblocks: CSF's arguments, no shell, only programs of root's, and an end to each."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from tests.messages.samples import ALERT, HOSTILE, LINE, hostile, message, place

from durward.alerts import hook
from durward.messages.channel import UndeliveredError
from durward.model.alert import Alert

UNBLOCK = replace(ALERT, kind="unblock", ports="22,53/udp")
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a program has to be root's")


def program(directory: Path, text: str, mode: int = 0o755) -> Path:
    path = directory / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return path


def values(path: Path, **own: Any) -> dict[str, Any]:
    return {"block": str(path), "unblock": str(path), "timeout": 10.0} | own


def test_the_arguments_are_those_of_csf_in_their_order(tmp_path: Path) -> None:
    path = program(tmp_path, f'printf "%s\\0" "$@" > {tmp_path}/arguments')
    hook.send(message(replace(ALERT, ports="22")), values(path), place())
    arguments = (tmp_path / "arguments").read_text().split("\0")[:-1]
    lines = "\n".join([LINE] * 5)
    assert arguments == ["203.0.113.9", "22", "0", "in", "3600", "5 failed sshd logins in 42 s", lines, "brute_force"]
    hook.send(message(replace(ALERT, until=None)), values(path), place())
    assert (tmp_path / "arguments").read_text().split("\0")[1:5] == ["*", "1", "in", "0"]
    hook.send(message(UNBLOCK), values(path), place())
    assert (tmp_path / "arguments").read_text().split("\0")[:-1] == ["203.0.113.9", "22,53/udp"]


def test_no_text_from_outside_is_run(tmp_path: Path) -> None:
    path = program(tmp_path, f'printf "%s\\0" "$@" > {tmp_path}/arguments')
    hook.send(
        message(hostile(f"$(touch {tmp_path}/run) `touch {tmp_path}/run`; touch {tmp_path}/run\0")),
        values(path),
        place(),
    )
    assert not (tmp_path / "run").exists()
    assert len((tmp_path / "arguments").read_text().split("\0")) == 9


def test_a_program_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    path = program(tmp_path, f"sleep 300 & echo $! > {tmp_path}/child; sleep 300")
    with pytest.raises(UndeliveredError, match=r"longer than 0\.5 s"):
        hook.send(message(), values(path, timeout=0.5), place())
    child = int((tmp_path / "child").read_text())
    for _ in range(500):
        if not _runs(child):
            break
        time.sleep(0.01)
    assert not _runs(child)


def _runs(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_a_program_that_others_may_write_is_not_run(tmp_path: Path, mode: int) -> None:
    path = program(tmp_path, f"touch {tmp_path}/run", mode)
    with pytest.raises(UndeliveredError, match="root alone writes"):
        hook.send(message(), values(path), place())
    path.chmod(0o755)
    os.chown(path, 65534, 65534)
    with pytest.raises(UndeliveredError, match="root alone writes"):
        hook.send(message(), values(path), place())
    assert not (tmp_path / "run").exists()


def test_a_test_reports_nobody_and_says_what_is_missing(tmp_path: Path) -> None:
    path = program(tmp_path, f"touch {tmp_path}/run")
    hook.send(message(replace(ALERT, kind="test")), values(path), place())
    assert not (tmp_path / "run").exists()
    with pytest.raises(UndeliveredError, match="No such file"):
        hook.send(message(replace(ALERT, kind="test")), values(tmp_path / "none"), place())


def test_a_program_that_fails_is_told(tmp_path: Path) -> None:
    path = program(tmp_path, 'printf "no\\033[2J" >&2; exit 3')
    with pytest.raises(UndeliveredError, match=r"status 3: no\\x1b\[2J"):
        hook.send(message(), values(path), place())


ACCUSED = replace(ALERT, kind="account", account="shop", about="imap", subject="shop", detector="relay_authenticated")


@pytest.mark.parametrize(
    ("alert", "expected"),
    [
        (
            replace(ACCUSED, detector="shared_ftp_account", evidence=(LINE,)),
            {"shared_account": ["LF_DISTFTP", "shop", f"5 failed sshd logins in 42 s\n{LINE}"]},
        ),
        (
            replace(ACCUSED, about="authrelay", evidence=(LINE,)),
            {"relay": ["shop", "AUTHRELAY", ALERT.done, "5", LINE]},
        ),
        (
            replace(ACCUSED, account="", about="relay", subject="203.0.113.9", evidence=()),
            {"relay": ["203.0.113.9", "RELAY", ALERT.done, "5", ""]},
        ),
        (
            replace(
                ACCUSED,
                account="",
                about="/home/shop/www",
                subject="/home/shop/www",
                detector="script_mail",
                evidence=(LINE,),
                files=("/home/shop/www/a: b.php: mail(); changed 2026-11-23 08:10:00 UTC", "there may be more"),
            ),
            {"script": ["/home/shop/www", "5", LINE, "/home/shop/www/a: b.php"]},
        ),
        (
            replace(ALERT, kind="login", account="root", detector="panel_logins"),
            {"panel_login": ["203.0.113.9", "root", "203.0.113.9"]},
        ),
        (replace(ALERT, kind="login", account="root", detector="ssh_logins"), {}),
        (replace(ACCUSED, account="", about="942100"), {}),
    ],
)
def test_the_programs_for_accounts_get_the_arguments_of_csf(alert: Alert, expected: dict[str, list[str]]) -> None:
    assert {name: given for name, given in hook.calls(alert) if name != "account"} == expected


def test_whatever_is_about_an_account_has_a_program_of_its_own(tmp_path: Path) -> None:
    path = program(tmp_path, f'printf "%s\\0" "$@" >> {tmp_path}/arguments')
    hook.send(message(ACCUSED), values(path, account=str(path)), place())
    given = (tmp_path / "arguments").read_text().split("\0")[:-1]
    lines = "\n".join([LINE] * 5)
    assert given == ["shop", "relay_authenticated", "sshd", "shop", "imap", "5", "5 failed sshd logins in 42 s", lines]
    hook.send(message(replace(ACCUSED, kind="login")), values(path, account=str(path)), place())
    assert (tmp_path / "arguments").read_text().count("\0") == len(given), "a login accuses nobody"


@pytest.mark.parametrize("name", ["-rf", "--help", "a b", "$(id)", "../../etc", "b\nob", "x" * 300, "böb", "a;b"])
def test_a_name_that_could_be_anything_else_is_given_to_no_program(name: str) -> None:
    for detector, about in (("shared_ftp_account", "imap"), ("panel_logins", ""), ("script_mail", "/home")):
        for kind in ("account", "login"):
            made = replace(ACCUSED, kind=kind, account=name, subject=name, detector=detector, about=about)
            assert hook.calls(made) == []


@given(HOSTILE)
def test_no_argument_can_be_taken_for_an_option(text: str) -> None:
    for kind in ("account", "login", "block"):
        made = replace(
            hostile(text), kind=kind, account=text, about=text, subject=text if kind == "account" else "192.0.2.1"
        )
        for _, arguments in hook.calls(made):
            assert not arguments[0].startswith("-")
            assert all("\0" not in one for one in arguments)


def test_one_program_that_fails_does_not_keep_the_other_from_being_run(tmp_path: Path) -> None:
    path = program(tmp_path, f"touch {tmp_path}/run")
    own = {"account": str(tmp_path / "missing"), "shared_account": str(path)}
    with pytest.raises(UndeliveredError, match="missing"):
        hook.send(message(replace(ACCUSED, detector="shared_ftp_account")), values(path, **own), place())
    assert (tmp_path / "run").exists()
