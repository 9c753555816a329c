"""The text against spoofing: interfaces that are spared, networks that are bogons, and what is never asked."""

from ipaddress import ip_address, ip_network

import pytest

from durward.ruleset.matching import InvalidPolicyError
from durward.ruleset.policy import Interface, Policy, Spoofing
from durward.ruleset.spoofing import bogons, fragment, networks_text, outside


def own(*texts: str) -> Spoofing:
    return Spoofing(own_networks=tuple(map(ip_network, texts)))


def test_only_what_comes_from_outside_is_asked() -> None:
    (way,) = outside(Policy(inner_interfaces=()))
    assert way == 'iifname != "lo"'
    interfaces = (Interface("eth0"), Interface("wg0", "trusted"), Interface("br-lan"), Interface("tun0", "ignored"))
    first, again = outside(Policy(interfaces=interfaces, inner_interfaces=("br-*", "docker*")))
    assert first == 'iifname != { "br-*", "docker*", "lo", "tun0", "wg0" }'
    assert again == 'iifname "br-lan"'


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "100.64.0.1", "169.254.1.1", "172.31.0.1", "192.168.1.1", "198.18.0.1", "192.0.2.1"]
)
def test_bogons_have_no_public_address(address: str) -> None:
    assert any(ip_address(address) in network for network in bogons(Spoofing()))


def test_a_laboratory_lives_in_networks_for_documentation() -> None:
    documented = ip_network("203.0.113.0/24")
    assert documented in bogons(own("10.0.0.0/8", "fe80::/64"))
    assert documented not in bogons(own("2001:db8:1::/64"))
    assert ip_network("10.0.0.0/8") in bogons(own("2001:db8:1::/64"))


def test_networks_do_not_overlap() -> None:
    networks = map(ip_network, ("10.2.0.0/16", "10.0.0.0/8", "192.0.2.0/24", "10.0.0.0/24", "10.0.0.0/8"))
    assert networks_text(networks) == "{ 10.0.0.0/8, 192.0.2.0/24 }"


def test_what_is_not_wanted_is_not_there() -> None:
    part = fragment(Policy(spoofing=Spoofing(bogons=False, reverse_path=False)), "a")
    text = "\n".join((*part.chains, *part.raw, *part.untracked))
    assert not any(word in text for word in ("fib", "martian", "bogon", "spoofed"))
    assert "bad_flags" in text


def test_everything_is_not_an_own_network() -> None:
    assert fragment(Policy(spoofing=own("::/0")), "a") == fragment(Policy(), "a")


def test_an_unused_address_must_be_one() -> None:
    with pytest.raises(InvalidPolicyError):
        fragment(Policy(spoofing=Spoofing(unused_addresses=("nowhere",))), "a")
