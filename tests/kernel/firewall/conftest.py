"""A router with the skeleton loaded; the host behind it is what a container is."""

from collections.abc import Iterator

import pytest
from tests.kernel.firewall.bases import load_skeleton, publish, unload, unpublish
from tests.kernel.hosts import Trio

QUIET_SYSCTLS = ("ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit")  # every refusal is to be heard


@pytest.fixture(scope="session")
def yard(trio: Trio) -> Trio:
    for namespace in (trio.client, trio.server, trio.inner):
        for name in QUIET_SYSCTLS:
            namespace.run("sh", "-c", f"echo 0 > /proc/sys/net/{name}")
    trio.inner.run("sh", "-c", "ip addr show dev upward >/dev/null")
    return trio


@pytest.fixture
def router(yard: Trio) -> Iterator[Trio]:
    load_skeleton(yard.server)
    yield yard
    unload(yard.server)


@pytest.fixture
def engine(router: Trio) -> Iterator[Trio]:
    publish(router.server)
    yield router
    unpublish(router.server)
