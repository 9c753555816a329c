"""The disk is full: blocks reach the kernel all the same, it is said, and what was decided is written later."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.attacks.scene import Scene, is_silent
from tests.crash.writer import Writer

pytestmark = pytest.mark.kernel

ROOM_KIB = 2048


class Small(Scene):
    """A durward whose state lies on a small disk of its own."""

    def before_start(self) -> None:
        lib = self.durward.home / "lib"
        lib.mkdir()
        self.door.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM_KIB}k", "small", lib], check=True)

    def fill(self) -> None:
        """Leave no room on the disk; what is there stays."""
        self.door.run(["sh", "-c", f"cat /dev/zero > {self.ballast}; cat /dev/zero > {self.ballast}.more; true"])

    def empty(self) -> None:
        """Give the room back."""
        self.door.run(["rm", "-f", self.ballast, f"{self.ballast}.more"], check=True)

    @property
    def ballast(self) -> Path:
        """What fills the disk."""
        return self.durward.home / "lib" / "ballast"


@pytest.fixture
def small() -> Iterator[Small]:
    with Small() as scene:
        yield scene


def test_blocks_hold_while_the_disk_is_full_and_are_recorded_afterwards(small: Small) -> None:
    writer = Writer(small.door)
    crowd = [f"2001:db8:{number:x}:7::9" for number in range(1, 200)]
    attacker = small.stranger()
    writer.fail(crowd[:1] * 5)
    small.await_block(crowd[0])
    small.fill()
    writer.fail([address for address in crowd for _ in range(5)])  # more than the write-ahead log has room for
    writer.fail([attacker.address] * 5)
    small.wait(lambda: is_silent(attacker), "the block is in the kernel though it cannot be written down")
    degraded = small.durward.ask("status")["degraded"]
    assert any("database" in text for text in degraded), degraded
    assert small.durward.ask("status")["protecting"] is True
    late = small.stranger()
    writer.fail([late.address] * 5)
    small.wait(lambda: is_silent(late), "and so are later ones")
    small.empty()
    small.wait(lambda: small.durward.ask("status")["degraded"] == [], "it can be written again")
    for address in (attacker.address, late.address, crowd[-1]):
        small.await_block(address)
        assert len(small.layer(address)["evidence"]) == 5
    subjects = [entry["subject"] for entry in small.log()]
    assert len(subjects) == len(set(subjects)) == len(crowd) + 2
    small.durward.stop()
    small.durward.start()
    assert small.is_blocked(attacker.address)


def test_blocks_by_hand_work_on_a_full_disk(small: Small) -> None:
    stranger = small.stranger()
    small.fill()
    reply = small.durward.ask("block", stranger.address)
    assert reply["enforced"] is True
    assert is_silent(stranger)
    small.empty()
    small.wait(lambda: small.durward.ask("status")["degraded"] == [], "it can be written again")
    assert small.layer(stranger.address)["receipt"] == reply["receipt"]
