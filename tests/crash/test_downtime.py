"""What is written while the engine is down is read when it is back: all of it, once, and at its own time."""

import os
import signal
import time

import pytest
from tests.attacks.scene import Scene, is_silent
from tests.crash.processes import kill, pid_of
from tests.crash.writer import Writer

pytestmark = pytest.mark.kernel


def test_lines_written_meanwhile_are_read_once(scene: Scene) -> None:
    writer, attacker, other = Writer(scene.door), scene.stranger(), scene.stranger()
    writer.fail([attacker.address] * 2 + [other.address] * 2)
    scene.await_count(other.address, 2)
    assert scene.durward.stop() == 0
    writer.fail([attacker.address] * 3 + [other.address] * 2)
    scene.durward.start()
    scene.await_block(attacker.address)
    assert is_silent(attacker)
    layer = scene.layer(attacker.address)
    assert layer["count"] == 5
    assert len({line["position"] for line in layer["evidence"]}) == 5
    scene.await_count(other.address, 4)
    assert scene.count_of(other.address) == 4
    assert [entry["subject"] for entry in scene.log()] == [attacker.address]


def test_a_restart_alone_counts_nothing_again(scene: Scene) -> None:
    writer, attacker = Writer(scene.door), scene.stranger()
    writer.fail([attacker.address] * 4)
    scene.await_count(attacker.address, 4)
    for _ in range(3):
        engine = kill(scene, "engine")
        scene.wait(lambda before=engine: pid_of(scene, "engine") not in (None, before), "there is a new engine")
        scene.wait(lambda: scene.durward.command("status").returncode == 0, "it answers")
        scene.await_count(attacker.address, 4)
        assert scene.count_of(attacker.address) == 4
    assert scene.log() == []
    writer.fail([attacker.address])
    scene.await_block(attacker.address)


def test_blocks_survive_a_restart_of_everything(scene: Scene) -> None:
    writer, attacker = Writer(scene.door), scene.stranger()
    writer.fail([attacker.address] * 5)
    scene.await_block(attacker.address)
    before = scene.layer(attacker.address)
    assert scene.durward.stop() == 0
    assert is_silent(attacker)
    scene.door.run(["nft", "delete", "table", "inet", "durward"], check=True)  # as after a reboot
    assert attacker.can_connect()
    scene.durward.start()
    scene.wait(lambda: is_silent(attacker), "the block is in the kernel again")
    after = scene.layer(attacker.address)
    assert (after["decision"], after["until"]) == (before["decision"], before["until"])


def test_a_log_that_is_rotated_while_nobody_looks_is_read_on(scene: Scene) -> None:
    writer, attacker = Writer(scene.door), scene.stranger()
    writer.fail([attacker.address] * 2)
    scene.await_count(attacker.address, 2)
    scene.durward.stop()
    log = scene.door.outside(scene.door.auth_log)
    writer.fail([attacker.address])
    log.rename(log.with_name("auth.log.1"))
    log.touch(mode=0o640)
    writer.fail([attacker.address] * 2)
    scene.durward.start()
    scene.await_block(attacker.address)
    assert scene.layer(attacker.address)["count"] == 5


def test_an_engine_that_hangs_leaves_the_kernels_blocks_alone(scene: Scene) -> None:
    writer, attacker = Writer(scene.door), scene.stranger()
    writer.fail([attacker.address] * 5)
    scene.await_block(attacker.address)
    engine = pid_of(scene, "engine")
    assert engine is not None
    os.kill(engine, signal.SIGSTOP)
    try:
        assert is_silent(attacker)
        late = scene.stranger()
        writer.fail([late.address] * 5)
    finally:
        os.kill(engine, signal.SIGCONT)
    scene.await_block(late.address)


class Old(Scene):
    """A door whose log is older than durward: somebody failed there three days ago."""

    address = "198.51.100.77"

    def before_start(self) -> None:
        day = time.strftime("%b %e", time.localtime(time.time() - 3 * 86_400))
        lines = [
            f"{day} 08:10:0{number} door sshd[{number + 9}]: Failed password for root from {self.address} port 4 ssh2"
            for number in range(8)
        ]
        Writer(self.door).append("\n".join([*lines, ""]).encode())


def test_what_the_log_held_before_the_first_start_blocks_nobody() -> None:
    with Old() as scene:
        for _ in range(5):  # which process is up first differs from start to start
            scene.durward.stop()
            for path in (scene.durward.home / "lib").glob("durward.db*"):
                path.unlink()
            scene.durward.start()
            writer, witness = Writer(scene.door), scene.stranger()
            writer.fail([witness.address] * 4)
            scene.await_count(witness.address, 4)
            assert not scene.is_blocked(scene.address)
            assert scene.log() == []
