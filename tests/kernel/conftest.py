"""Hosts on a cable, and the kernel's sets in the server, with a fresh table for each test."""

from collections.abc import Iterator

import pytest
from tests.kernel.hosts import Pair, Trio

from durward.privileged.loading import load, unload
from durward.privileged.sets import Sets
from durward.ruleset.skeleton import skeleton


@pytest.fixture(scope="session")
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


@pytest.fixture(scope="session")
def trio() -> Iterator[Trio]:
    made = Trio()
    yield made
    made.close()


@pytest.fixture
def sets(pair: Pair) -> Iterator[Sets]:
    yield from table(pair)


@pytest.fixture
def router_sets(trio: Trio) -> Iterator[Sets]:
    yield from table(trio)


def table(hosts: Pair) -> Iterator[Sets]:
    with hosts.server.inside():
        load(skeleton())
        with Sets() as opened:
            yield opened
        unload()
