"""After a start the kernel comes to hold what stands, and what is decided while it is compared counts."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.daemons.test_enforcer import Running
from tests.kernel.namespaces import Namespace

from durward.control.channel import Channel
from durward.daemons.acting import Acting
from durward.daemons.door import Door
from durward.daemons.ledger import Ledger
from durward.daemons.reconciling import SLICE_ENTRIES, entry_of
from durward.engine.engine import Engine
from durward.engine.policy import Policy
from durward.model import EVERYTHING, Decision, Standing, Subject, Verdict
from durward.store import standing

pytestmark = pytest.mark.kernel
COUNT = 24 * SLICE_ENTRIES  # far more than is compared at once
FIRST, LAST, NEW, LIFTED = "198.51.100.1", "203.0.113.250", "192.0.2.77", "2001:db8:0:1::/64"


@pytest.fixture
def enforcer() -> Iterator[Running]:
    namespace = Namespace()
    with TemporaryDirectory(dir="/var/tmp") as directory:
        Path(directory).chmod(0o755)
        running = Running(Path(directory), namespace)
        yield running
        assert running.close() == 0
    namespace.close()


def decision(subject: str, verdict: Verdict = "block") -> Decision:
    now = time.time()
    return Decision(verdict, Subject.parse(subject), now, now + 900, "a test", "operator:root", EVERYTHING)


def blocks() -> list[Decision]:
    many = [decision(f"10.{number >> 8}.{number & 255}.7") for number in range(COUNT)]
    return [decision(FIRST), *many, decision(LAST), decision(LIFTED)]


def held(door: Door, *subjects: str) -> list[bool]:
    asked = [Standing("block", Subject.parse(one), EVERYTHING, time.time() + 900, 1) for one in subjects]
    return [reading is not None for reading in door.readings([entry_of(one) for one in asked])]


def test_what_is_decided_while_the_kernel_is_compared_counts(enforcer: Running) -> None:
    def act(channel: Channel) -> object:
        now = time.time()
        with TemporaryDirectory() as directory:
            ledger, door = Ledger(Path(directory) / "durward.db", now), Door(Path())
            ledger.write(ledger.number(blocks()), {}, now)
            door.channel = channel
            acting = Acting(Engine(Policy({}, lambda _event: None), {}), ledger, door)
            acting.begin(now)
            acting.reconcile(now)
            between = acting.progress
            acting.act([decision(NEW), decision(LAST, "unblock"), decision(LIFTED, "unblock")], {}, time.time())
            while acting.go_on():
                pass
            stands = standing.count(ledger.store, "block")
            ledger.close()
            return "compared" in between, held(door, FIRST, "10.0.0.7", "10.3.1.7", NEW, LAST, LIFTED), stands

    assert enforcer.as_engine(act) == str((True, [True, True, True, True, False, False], COUNT + 2))
