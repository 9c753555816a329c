"""Packets that are injected are whole: the right number, from the right sources, with sums that hold."""

import json

import pytest
from bench.injection import Injector

pytestmark = pytest.mark.kernel
COUNTING = """
table inet counting {
    set seen { type ipv4_addr; flags dynamic; size 65535; }
    set ports { type inet_service; flags dynamic; size 65535; }
    chain arriving {
        type filter hook prerouting priority -300
        tcp dport 22 tcp flags == syn add @seen { ip saddr } add @ports { tcp sport }
    }
}
"""


@pytest.fixture
def injector():  # noqa: ANN201 - a fixture
    with Injector() as made:
        made.server.run("nft", "-f", "-", given=COUNTING)
        yield made


def elements(injector: Injector, name: str) -> list[object]:
    listed = json.loads(injector.server.run("nft", "-j", "list", "set", "inet", "counting", name))["nftables"]
    return list(next(entry["set"] for entry in listed if "set" in entry).get("elem", []))


@pytest.mark.parametrize("sources", [1, 3, 200])
def test_all_arrive_at_tcp_and_are_what_they_say(injector: Injector, sources: int) -> None:
    assert injector.let_through("198.51.100.7", sources, 4_000) == 4_000
    expected = {f"198.51.{100 + (7 + number) // 256}.{(7 + number) % 256}" for number in range(sources)}
    assert set(elements(injector, "seen")) == expected
    assert len(elements(injector, "ports")) > 3_000  # of 4,000 random ones
    wrong = injector.server.run("sh", "-c", "cat /proc/net/snmp")
    heads, values = (line.split() for line in wrong.splitlines() if line.startswith("Tcp:"))
    assert values[heads.index("InErrs")] == "0"


def test_what_is_dropped_arrives_nowhere_and_costs_something(injector: Injector) -> None:
    injector.server.run("nft", "add rule inet counting arriving ip saddr 198.51.100.0/24 drop")
    assert injector.let_through("198.51.100.0", 256, 1_000) == 0
    assert injector.cost("198.51.100.0", 256, 1_000) > 0
