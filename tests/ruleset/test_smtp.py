"""Who may send mail: what is written for nobody, for some, and for a redirection."""

import pytest

from durward.ruleset.matching import InvalidPolicyError
from durward.ruleset.policy import Policy, Smtp
from durward.ruleset.smtp import fragment


def test_without_a_block_there_are_no_rules() -> None:
    assert fragment(Policy(), "a").leaving == ()


def test_whoever_is_not_named_is_refused_last() -> None:
    rules = fragment(Policy(smtp=Smtp(users=(8, 0, 8), groups=(12,))), "b").leaving
    assert [rule.partition(" comment ")[0] for rule in rules] == [
        "tcp dport { 25, 465, 587 } meta skuid { 0, 8 } accept",
        "tcp dport { 25, 465, 587 } meta skgid 12 accept",
        "tcp dport { 25, 465, 587 } goto refused_out_b",
    ]


def test_a_redirection_spares_who_may_send() -> None:
    made = fragment(Policy(smtp=Smtp(users=(8,), redirect_to=2500)), "a")
    assert [rule.partition(" comment ")[0] for rule in made.nat_leaving] == [
        "tcp dport { 25, 465, 587 } meta skuid 8 accept",
        'oifname != "lo" tcp dport { 25, 465, 587 } redirect to :2500',
    ]


def test_a_block_of_no_ports_is_a_mistake() -> None:
    with pytest.raises(InvalidPolicyError, match="ports of mail"):
        fragment(Policy(smtp=Smtp(ports=())), "a")


def test_mail_that_is_led_here_stays_at_its_port() -> None:
    made = fragment(Policy(smtp=Smtp(users=(8,), redirected=True)), "a")
    assert made.nat_leaving[-1].startswith('oifname != "lo" tcp dport { 25, 465, 587 } redirect comment')
    assert made.leaving[0].startswith("meta l4proto tcp ct status dnat fib daddr type local accept")
