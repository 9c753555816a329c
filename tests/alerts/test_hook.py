"""Commands for blocks and unblocks: CSF's arguments, no shell, only programs of root's, and an end to each."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.messages.samples import ALERT, LINE, hostile, message, place

from durward.alerts import hook
from durward.messages.channel import UndeliveredError

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
