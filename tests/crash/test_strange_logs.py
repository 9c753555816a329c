"""Logs that are no logs, and lines that are no lines: nothing crashes, and the good lines around them count."""

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from tests.attacks.scene import FROM_LOG, SETTINGS, Scene
from tests.crash.processes import pid_of
from tests.crash.writer import Writer

pytestmark = pytest.mark.kernel

CHANCE = random.Random(20_261_123)
MEBIBYTE = 1 << 20
STRANGE = {
    "a line of one megabyte": b"x" * MEBIBYTE + b"\n",
    "a megabyte of sshd's own words": b"Nov 23 08:10:00 door sshd[1]: " + b"Failed password for " * 50_000 + b"\n",
    "noise": CHANCE.randbytes(MEBIBYTE) + b"\n",
    "zeros": bytes(65_536) + b"\n",
    "wrong UTF-8": b"Nov 23 08:10:00 door sshd[1]: Invalid user \xff\xfe\xc3\x28 from \xf0\x9f port 1\n",
    "control characters": bytes(range(1, 32)).replace(b"\n", b"") * 100 + b"\n",
    "empty lines": b"\n" * 20_000,
    "lines that end with CR": b"Nov 23 08:10:00 door sshd[1]: x\r\n" * 100,
    "a stamp of the year 9999": b"9999-12-31T23:59:59.999999+14:00 door sshd[1]: Failed password for root from\n",
    "a date that is none": b"Feb 31 25:61:61 door sshd[1]: Failed password for root from 198.51.100.7 port 1 ssh2\n",
    "an address that is none": b"Nov 23 08:10:00 door sshd[1]: Failed password for root from 999.1.1.1 port 1 ssh2\n",
    "a huge number": b"Nov 23 08:10:00 door sshd[1]: message repeated 99999999999999999999 times: [ x]\n",
}


@pytest.fixture(scope="module")
def one() -> Iterator[Scene]:
    with Scene() as scene:
        yield scene


@pytest.mark.parametrize("name", STRANGE)
def test_strange_lines_crash_nothing_and_hide_nothing(one: Scene, name: str) -> None:
    writer, attacker = Writer(one.door), one.stranger()
    engine = pid_of(one, "engine")
    writer.fail([attacker.address] * 2)
    writer.append(STRANGE[name])
    writer.fail([attacker.address] * 2)
    one.await_count(attacker.address, 4)
    assert one.count_of(attacker.address) == 4
    writer.fail([attacker.address])
    one.await_block(attacker.address)
    assert len(one.layer(attacker.address)["evidence"]) == 5
    assert pid_of(one, "engine") == engine, one.durward.said()
    assert one.durward.ask("status")["degraded"] == []


def test_a_line_that_comes_in_pieces_counts_once_it_is_whole(one: Scene) -> None:
    writer, attacker = Writer(one.door), one.stranger()
    writer.fail([attacker.address] * 4)
    last = writer.attempt(attacker.address).encode()
    writer.append(last[:40])
    one.await_count(attacker.address, 4)
    assert not one.is_blocked(attacker.address)
    writer.append(last[40:])
    one.await_block(attacker.address)


class Strange(Scene):
    """A durward that is told to read what is no log, beside a log that is one."""

    def before_start(self) -> None:
        self.folder = self.door.outside(self.door.auth_log).parent
        os.mkfifo(self.folder / "fifo.log")
        (self.folder / "directory.log").mkdir()
        (self.folder / "loop.log").symlink_to("loop.log")
        (self.folder / "shadow.log").symlink_to("/etc/shadow")


def test_what_is_no_log_is_named_and_the_others_are_read() -> None:
    names = ("fifo.log", "directory.log", "loop.log", "absent.log")
    files = ", ".join(f'"/var/log/{name}"' for name in (*names, "auth.log"))
    settings = SETTINGS + FROM_LOG.replace('["/var/log/auth.log"]', f"[{files}]")
    with Strange(settings=settings) as scene:
        writer, attacker = Writer(scene.door), scene.stranger()
        writer.fail([attacker.address] * 5)
        scene.await_block(attacker.address)
        for name in names[:3]:
            assert sources_of(scene)[name]["problem"], name
        assert "problem" not in sources_of(scene)["auth.log"]
        (scene.folder / "fifo.log").unlink()
        (scene.folder / "fifo.log").touch(mode=0o640)
        appeared = scene.stranger()
        log = Writer(scene.door)
        log._path = scene.folder / "fifo.log"
        scene.wait(
            lambda: "problem" not in sources_of(scene)["fifo.log"], "the log in the place of the FIFO is read", 20.0
        )
        log.fail([appeared.address] * 5)
        scene.await_block(appeared.address)


def sources_of(scene: Scene) -> dict[str, dict[str, Any]]:
    """Give the sources that `status` names, by the names of their files."""
    return {source["name"].rpartition("/")[2]: source for source in scene.durward.ask("status")["sources"]}
