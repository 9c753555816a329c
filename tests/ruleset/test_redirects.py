"""Redirects that can be written, and those that cannot."""

import pytest

from durward.ruleset.matching import InvalidPolicyError
from durward.ruleset.policy import Policy, Redirect
from durward.ruleset.redirects import fragment


def rules(*redirects: Redirect) -> tuple[tuple[str, ...], tuple[str, ...]]:
    made = fragment(Policy(redirects=redirects, inner_interfaces=()), "a")
    return tuple(line.partition(" comment ")[0] for line in made.nat_arriving), made.nat_routed


def test_within_this_host_nothing_is_masqueraded() -> None:
    assert rules(Redirect("tcp", None, 666, None, 25)) == (
        ("fib daddr type local tcp dport 666 redirect to :25",),
        (),
    )
    assert rules(Redirect("udp", "2001:db8::1", 666, None, 25))[0] == (
        "ip6 daddr 2001:db8::1 udp dport 666 redirect to :25",
    )


def test_to_another_machine_the_source_is_masqueraded_unless_it_need_not_be() -> None:
    arriving, routed = rules(Redirect("tcp", "2001:db8::1", 80, "2001:db8:b::1", 8080))
    assert arriving == ("ip6 daddr 2001:db8::1 tcp dport 80 dnat ip6 to [2001:db8:b::1]:8080",)
    assert len(routed) == 1
    assert rules(Redirect("tcp", "192.0.2.1", 80, "192.0.2.2", 8080, keeps_source=True))[1] == ()


def test_all_ports_of_one_address() -> None:
    assert rules(Redirect("udp", "192.0.2.1", None, "192.0.2.2", None))[0] == (
        "ip daddr 192.0.2.1 meta l4proto udp dnat ip to 192.0.2.2",
    )


@pytest.mark.parametrize(
    ("redirect", "message"),
    [
        (Redirect("tcp", "192.0.2.1", 80, "2001:db8::1", 80), "two address families"),
        (Redirect("tcp", "192.0.2.1", 80, None, None), "a port at each end"),
        (Redirect("tcp", None, None, None, 80), "a port at each end"),
        (Redirect("tcp", None, None, "192.0.2.2", None), "leave nothing"),
        (Redirect("tcp", "192.0.2.1", None, "192.0.2.2", 80), "port 80 alone"),
        (Redirect("tcp", "192.0.2.0/24", 80, None, 80), "is a network"),
        (Redirect("tcp", "example.org", 80, None, 80), "not an IPv4"),
    ],
)
def test_what_makes_no_sense_is_refused(redirect: Redirect, message: str) -> None:
    with pytest.raises(InvalidPolicyError, match=message):
        rules(redirect)
