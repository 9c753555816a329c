"""Fills a small disk of its own, and tries what the store does then. Run by test_full_disk.py in a mount namespace."""

import subprocess
import sys
from pathlib import Path

from tests.store.samples import NOW, address, decision

from durward.store import decisions, positions, standing
from durward.store.errors import StoreFullError
from durward.store.store import Store, open_store

DISK = "6m"
ROOM_BYTES = 1 << 20  # freed step by step
BATCH = 200


def write(store: Store, batch: int) -> bool:
    """Write one batch; says whether the disk took it."""
    made = store.number([decision(address(batch * BATCH + place), lines=5) for place in range(BATCH)])
    try:
        with store.transaction():
            positions.save(store, {"journal": str(batch)})
            decisions.record(store, made)
    except StoreFullError:
        return False
    return True


def whole_batches(store: Store) -> int:
    """How many batches are stored; every table has to agree."""
    batches = int(positions.load(store).get("journal", "0"))
    assert store.read("SELECT count(*) FROM decision") == [(batches * BATCH,)]
    assert store.read("SELECT count(*) FROM evidence") == [(batches * BATCH * 5,)]
    assert standing.count(store, "block") == batches * BATCH
    return batches


def fill(disk: Path) -> None:
    """Take all the room that is left."""
    with (disk / "rest").open("ab", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return


def main() -> None:
    """Write until the disk is full, make room, go on; then open on a full and on a read-only disk."""
    disk = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)], check=True)
    room = iter([disk / "first", disk / "second", disk / "third"])
    for name in ("first", "second", "third"):
        (disk / name).write_bytes(b"x" * ROOM_BYTES)
    batches = go_on_after_a_full_disk(disk, next(room))
    open_on_a_full_disk(disk, batches, next(room))
    begin_on_a_full_disk(disk, next(room))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for name in ("durward.db", "another.db"):
        try:
            open_store(disk / name, NOW)
        except StoreFullError:
            sys.stdout.write(f"refused {name}\n")
    sys.stdout.write("done\n")


def go_on_after_a_full_disk(disk: Path, room: Path) -> int:
    """Gives how many batches are stored."""
    with open_store(disk / "durward.db", NOW).store as store:
        while write(store, whole_batches(store) + 1):
            pass
        full_at = whole_batches(store)
        assert full_at > 0
        assert not write(store, full_at + 1)
        room.unlink()
        assert write(store, full_at + 1)
        assert whole_batches(store) == full_at + 1
        fill(disk)
    return full_at + 1


def open_on_a_full_disk(disk: Path, batches: int, room: Path) -> None:
    """What is stored can be read on a full disk, and there is more once there is room."""
    opened = open_store(disk / "durward.db", NOW)
    with opened.store as store:
        assert opened.findings == ()
        assert whole_batches(store) == batches
        fill(disk)
        assert not write(store, batches + 1)
        room.unlink()
        assert write(store, batches + 1)
        fill(disk)


def begin_on_a_full_disk(disk: Path, room: Path) -> None:
    """A database that could not be begun is begun later."""
    try:
        open_store(disk / "new.db", NOW)
    except StoreFullError:
        room.unlink()
    opened = open_store(disk / "new.db", NOW)
    opened.store.close()
    assert opened.findings == ()


if __name__ == "__main__":
    main()
