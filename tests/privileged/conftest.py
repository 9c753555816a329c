"""A network namespace of its own, with the kernel's sets in it."""

from collections.abc import Iterator

import pytest
from tests.kernel.namespaces import Namespace

from durward.privileged.loading import load
from durward.privileged.sets import Sets
from durward.ruleset.skeleton import skeleton


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """This thread is inside until the test ends."""
    made = Namespace()
    with made.inside():
        yield made
    made.close()


@pytest.fixture
def sets(namespace: Namespace) -> Iterator[Sets]:
    load(skeleton())
    with Sets() as opened:
        yield opened
