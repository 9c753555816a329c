"""Networks that this host lives in, and own addresses that nobody has a reason to talk to."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from tests.facts.test_firewall import HOST, Etc, own

from durward.config.home import Home
from durward.facts.host import Host
from durward.facts.interfaces import NetworkInterface
from durward.facts.listeners import Listener
from durward.facts.spoofing import own_networks


@pytest.fixture
def etc(tmp_path: Path) -> Etc:
    return Etc(Home.below(tmp_path))


def networks(*addresses: tuple[str, str]) -> list[str]:
    host = Host((NetworkInterface("eth0", tuple(own(*one) for one in addresses)),))
    return list(map(str, own_networks(host)))


def test_networks_of_a_host_with_public_addresses() -> None:
    assert networks(("192.0.2.4", "192.0.2.0/24"), ("2001:db8::4", "2001:db8::/64"), ("127.0.0.1", "127.0.0.0/8")) == [
        "169.254.0.0/16",
        "192.0.2.0/24",
        "2001:db8::/64",
    ]


def test_a_private_address_makes_its_whole_range_possible_and_none_lies_in_another() -> None:
    found = networks(("10.1.2.3", "10.1.2.0/24"), ("fd00::1", "fd00::/64"), ("fe80::1", "fe80::/64"))
    assert found == ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/64"]


def unused(etc: Etc, written: str, host: Host = HOST) -> tuple[str, ...]:
    return etc.policy(f"[firewall]\nunused_addresses = {written}\n", host).spoofing.unused_addresses


def test_what_nobody_serves_is_found_only_when_asked_for(etc: Etc) -> None:
    assert unused(etc, "[]") == ()
    assert unused(etc, '["auto"]') == ("192.0.2.6", "2001:db8::5")  # .4 is the first, .5 has a server
    assert unused(etc, '["!192.0.2.6", "auto"]') == ("2001:db8::5",)
    assert unused(etc, '["192.0.2.5"]') == ("192.0.2.5",)


def test_what_is_in_use_is_not_found(etc: Etc) -> None:
    talking = replace(HOST, connected=frozenset({ip_address("192.0.2.6")}))
    assert unused(etc, '["auto"]', talking) == ("2001:db8::5",)
    everywhere = replace(HOST, listeners=(Listener("tcp", 80, ip_address("0.0.0.0")),))
    assert unused(etc, '["auto"]', everywhere) == ("2001:db8::5",)
    both = replace(HOST, listeners=(Listener("tcp", 80, ip_address("::")),))
    assert unused(etc, '["auto"]', both) == ()


def test_addresses_that_are_none_or_not_ours(etc: Etc) -> None:
    problems = etc.problems('[firewall]\nunused_addresses = ["192.0.2.99", "everything", "!192.0.2.98"]\n')
    assert [problem.line for problem in problems] == [2, 2, 2]
    assert sorted(problem.message.split()[0] for problem in problems) == ["'everything'", "192.0.2.98", "192.0.2.99"]
