"""Writes one transaction after the other into the store it is given, until it is killed. Run by test_crash.py."""

import sys
from itertools import count
from pathlib import Path

from tests.store.samples import NOW, address, decision

from durward.store import decisions, errands, positions
from durward.store.errands import Errand
from durward.store.store import open_store

DECISIONS = 60  # of each transaction: block, half of them unblocked again
LINES = 4


def main() -> None:
    """One transaction after the other: batch N leaves the position N and everything that belongs to it."""
    store = open_store(Path(sys.argv[1]), NOW).store
    done = int(positions.load(store).get("journal", "0"))
    for batch in count(done + 1):
        blocks = [decision(address(batch * DECISIONS + place), lines=LINES) for place in range(DECISIONS)]
        lifts = [decision(one.subject.value, "unblock") for one in blocks[::2]]
        with store.transaction():
            positions.save(store, {"journal": str(batch)})
            decisions.record(store, store.number([*blocks, *lifts]))
            errands.promise(store, [Errand(f"mail:{batch}", "{}", NOW)])
        if batch == done + 1:
            sys.stdout.write("writing\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
