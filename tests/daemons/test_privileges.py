"""Privileges are really given up, cannot be had again, and any doubt on the way is fatal."""

import ctypes
import os
import socket
import subprocess
from pathlib import Path

import pytest
from tests.daemons.forked import forked

from durward.daemons import privileges
from durward.daemons.privileges import (
    CAP_DAC_READ_SEARCH,
    CAP_NET_ADMIN,
    PrivilegesError,
    account,
    become,
    die_with_parent,
    verify,
)

ENGINE, ENFORCER = "durward-engine", "durward-enforcer"
BOTH = frozenset({CAP_NET_ADMIN, CAP_DAC_READ_SEARCH})


def status() -> dict[str, str]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def tried(*acts: str) -> list[str]:
    """Which of these a process can do."""
    done = []
    for act in acts:
        try:
            TRIALS[act]()
        except (OSError, PrivilegesError):
            continue
        done.append(act)
    return done


def _unshare() -> None:
    if privileges.libc.unshare(0x00020000) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


TRIALS = {
    "become root": lambda: os.setresuid(0, 0, 0),
    "join a group": lambda: os.setgroups([0]),
    "read what is root's": lambda: Path("/etc/shadow").read_bytes(),
    "change what is root's": lambda: Path("/etc/shadow").open("ab").close(),
    "make a device": lambda: os.mknod("/tmp/durward-device", 0o20600, os.makedev(1, 3)),
    "have a raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close(),
    "signal init": lambda: os.kill(1, 0),
    "leave its namespace": _unshare,
}


@pytest.mark.kernel
def test_the_engine_can_do_nothing_that_root_can() -> None:
    def act() -> list[str]:
        become(ENGINE)
        verify(ENGINE, frozenset())
        now = status()
        assert set(now["Uid"].split()) == {str(account(ENGINE).pw_uid)}
        assert set(now["Gid"].split()) == {str(account(ENGINE).pw_gid)} == set(now["Groups"].split())
        assert {int(now[key], 16) for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
        assert now["NoNewPrivs"] == "1"
        return tried(*TRIALS)

    assert forked(act) == "[]"


@pytest.mark.kernel
def test_the_enforcer_keeps_two_capabilities_and_no_other() -> None:
    def act() -> list[str]:
        become(ENFORCER, BOTH)
        verify(ENFORCER, BOTH)
        now = status()
        mask = 1 << CAP_NET_ADMIN | 1 << CAP_DAC_READ_SEARCH
        assert {int(now[key], 16) for key in ("CapPrm", "CapEff", "CapBnd")} == {mask}
        return tried(*TRIALS)

    assert forked(act) == '["read what is root\'s"]'


@pytest.mark.kernel
@pytest.mark.parametrize(("user", "capabilities"), [(ENGINE, frozenset()), (ENFORCER, BOTH)])
def test_programs_started_later_have_no_more(user: str, capabilities: frozenset[int]) -> None:
    """The enforcer runs nft, which needs what the enforcer has."""

    def act() -> None:
        become(user, capabilities)
        shown = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True, check=True).stdout
        child = dict(line.split(":\t", 1) for line in shown.splitlines() if ":\t" in line)
        mask = sum(1 << capability for capability in capabilities)
        assert {int(child[key], 16) for key in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {mask}
        assert set(child["Uid"].split()) == {str(account(user).pw_uid)}
        assert child["NoNewPrivs"] == "1"

    forked(act)


@pytest.mark.kernel
def test_who_is_that_user_already_is_only_checked() -> None:
    def act() -> str:
        become(ENGINE)
        become(ENGINE)
        return "done"

    assert forked(act) == "done"


@pytest.mark.kernel
def test_a_process_that_is_somebody_else_or_holds_too_much_does_not_go_on() -> None:
    def somebody_else() -> None:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        with pytest.raises(PrivilegesError, match="should be 'durward-engine'"):
            become(ENGINE)

    def too_much() -> None:
        become(ENFORCER, BOTH)
        with pytest.raises(PrivilegesError, match="should hold capabilities 0 and holds"):
            verify(ENFORCER, frozenset())

    def too_little() -> None:
        become(ENFORCER)
        with pytest.raises(PrivilegesError, match="holds 0"):
            become(ENFORCER, BOTH)

    def another_user() -> None:
        with pytest.raises(PrivilegesError, match="there is no user 'durward-nobody'"):
            become("durward-nobody")
        assert os.geteuid() == 0, "nothing was given up before it was known to whom"

    for act in (somebody_else, too_much, too_little, another_user):
        forked(act)


@pytest.mark.kernel
def test_a_group_that_was_kept_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "setresgid", lambda *_arguments: None)

    def act() -> None:
        with pytest.raises(PrivilegesError, match="should be"):
            become(ENGINE)

    forked(act)


@pytest.mark.kernel
def test_capabilities_that_were_kept_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges, "_set_capabilities", lambda _capabilities: None)

    def act() -> None:
        with pytest.raises(PrivilegesError, match="should hold capabilities 0"):
            become(ENGINE)

    forked(act)


def test_an_account_that_is_not_there_is_named_with_what_makes_it() -> None:
    with pytest.raises(PrivilegesError, match=r"no user 'durward-nobody'.*\./start makes it"):
        account("durward-nobody")


def test_a_supervisor_that_is_gone_already_is_noticed() -> None:
    def act() -> None:
        die_with_parent(os.getppid())
        with pytest.raises(PrivilegesError, match="gone already"):
            die_with_parent(2**22 + 1)

    forked(act)
