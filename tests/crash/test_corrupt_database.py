"""A database that is damaged is put aside and said to be: the kernel keeps its blocks, and protection goes on."""

import pytest
from tests.attacks.scene import Scene, is_silent
from tests.crash.writer import Writer

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("damage", ["noise", "cut", "foreign"])
def test_a_damaged_database_is_put_aside_and_protection_goes_on(scene: Scene, damage: str) -> None:
    writer, attacker = Writer(scene.door), scene.stranger()
    writer.fail([attacker.address] * 5)
    scene.await_block(attacker.address)
    scene.durward.stop()
    lib = scene.durward.home / "lib"
    database = lib / "durward.db"
    whole = database.read_bytes()
    contents = {
        "noise": bytes(range(256)) * 64,
        "cut": whole[: len(whole) // 2],
        "foreign": b"SQLite format 3\0" + b"\xff" * 8176,
    }
    with database.open("r+b") as file:  # not made anew: the directory is sticky, and the file the engine's
        file.truncate()
        file.write(contents[damage])
    assert is_silent(attacker)
    scene.durward.start()
    kept = [path.name for path in lib.iterdir() if ".corrupt-" in path.name]
    assert kept
    assert (lib / kept[0]).stat().st_size > 0
    assert is_silent(attacker), "the kernel keeps what it has"
    doctor = scene.lines("doctor")
    assert any("could not be trusted" in finding["detail"] for finding in doctor), doctor
    other = scene.stranger()
    writer.fail([other.address] * 5)
    scene.await_block(other.address)
    assert is_silent(other)
