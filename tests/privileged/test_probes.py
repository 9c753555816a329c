"""The enforcer's part in port scans where there is nothing to tell; with packets it is tried in tests/kernel."""

from collections.abc import Iterator

import pytest

from durward.model import Subject
from durward.privileged.failure import KernelError
from durward.privileged.probes import ProbeCopies
from durward.privileged.sets import Sets
from durward.sources.packets import Packets

pytestmark = pytest.mark.kernel


@pytest.fixture
def copies(sets: Sets) -> Iterator[ProbeCopies]:
    made = ProbeCopies(sets, 64)
    yield made
    made.close()


def test_without_a_firewall_nobody_is_banned_and_everybody_can_be_forgiven(copies: ProbeCopies) -> None:
    assert copies.banned() == copies.banned(with_ports=True) == {}
    copies.forgive([Subject.parse("203.0.113.9"), Subject.parse("2001:db8::/64"), Subject("user", "shop")])


def test_the_copies_are_one_readers(copies: ProbeCopies, sets: Sets) -> None:
    first, second = Packets(copies.descriptor()), Packets(copies.descriptor())
    assert first.read(1) == second.read(1) == []
    first.close()
    second.close()
    with pytest.raises(KernelError, match="another process listens to it"):
        ProbeCopies(sets, 64).descriptor()
    copies.close()
    copies.close()
