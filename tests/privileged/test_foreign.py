"""Tables of others as the kernel tells them: which chains come first, what they may do, which sets hold an address."""

import pytest
from tests.kernel.namespaces import Namespace

from durward.model import Subject
from durward.privileged import foreign
from durward.privileged.foreign import ForeignChain, foreign_chains, legacy_tables
from durward.privileged.loading import load
from durward.ruleset.skeleton import skeleton

pytestmark = pytest.mark.kernel

CHAINS = """
table inet one {{
	set bad {{ type ipv4_addr; flags interval; elements = {{ 198.51.100.0/24, 203.0.113.9 }}; }}
	set ports {{ type inet_service; elements = {{ 22 }}; }}
	chain deep {{ {deep}
	}}
	chain between {{ jump deep
	}}
	chain base {{ type filter hook {hook} priority {priority}; policy {policy};
		{rule}
	}}
}}
"""


def only(namespace: Namespace, **chosen: str) -> ForeignChain:
    """What is told of one base chain; all else is as harmless as can be."""
    usual = {"deep": "", "hook": "input", "priority": "0", "policy": "accept", "rule": "jump between"}
    namespace.run("nft", "-f", "-", given="flush ruleset\n" + CHAINS.format(**usual | chosen))
    (found,) = foreign_chains()
    return found


@pytest.mark.parametrize(
    ("rule", "accepts", "refuses", "unclear"),
    [
        ("tcp dport 22 counter", False, False, False),
        ("tcp dport 22 accept", True, False, False),
        ("tcp dport 22 drop", False, True, False),
        ("ip saddr @bad reject", False, True, False),
        ("tcp dport 22 reject with tcp reset", False, True, False),
        ("tcp dport vmap { 22: drop }", False, False, True),
        ("tcp dport 22 return", False, False, False),
    ],
)
def test_what_rules_may_do_wherever_they_are_led_to(
    namespace: Namespace, rule: str, accepts: bool, refuses: bool, unclear: bool
) -> None:
    for place in ({"deep": rule}, {"rule": rule}):
        found = only(namespace, **place)
        assert (found.accepts, found.refuses, found.unclear) == (accepts, refuses, unclear), place


def test_a_chain_that_nobody_leads_to_does_nothing(namespace: Namespace) -> None:
    assert not only(namespace, deep="drop", rule="tcp dport 22 accept").refuses


@pytest.mark.parametrize(
    ("hook", "priority", "first"),
    [
        ("input", -11, True),
        ("input", -10, False),
        ("input", 0, False),
        ("prerouting", -400, True),
        ("prerouting", -100, False),
        ("forward", -150, True),
        ("output", 0, False),
    ],
)
def test_who_is_asked_first(namespace: Namespace, hook: str, priority: int, first: bool) -> None:
    found = only(namespace, hook=hook, priority=str(priority), policy="drop")
    assert (found.hook, found.priority, found.first, found.drops_by_policy) == (hook, priority, first, True)


def test_our_own_table_and_what_does_not_filter_are_left_out(namespace: Namespace) -> None:
    load(skeleton())
    namespace.run(
        "nft", "-f", "-", given="table ip nat {\nchain out {\ntype nat hook postrouting priority 100;\n}\n}\n"
    )
    assert foreign_chains() == []


@pytest.mark.parametrize(
    ("address", "held"),
    [("198.51.100.77", ("bad",)), ("203.0.113.9", ("bad",)), ("203.0.113.10", ()), ("2001:db8::9", ())],
)
def test_which_sets_hold_an_address(namespace: Namespace, address: str, held: tuple[str, ...]) -> None:
    only(namespace, rule="ip saddr @bad drop")
    (found,) = foreign_chains(Subject.parse(address))
    assert found.held == held


def test_a_table_that_is_too_large_to_look_at_may_refuse(namespace: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "RULES_MAX", 3)
    found = only(namespace, deep="tcp dport 1 accept\n" * 5)
    assert found.unclear


def test_cards_that_are_filtered_come_first(namespace: Namespace) -> None:
    text = 'table netdev early {\nchain in {\ntype filter hook ingress device "lo" priority 0; policy drop;\n}\n}\n'
    namespace.run("nft", "-f", "-", given=text)
    (found,) = foreign_chains()
    assert (found.family, found.hook, found.first, found.drops_by_policy) == ("netdev", "ingress", True, True)


def test_where_nobody_uses_the_older_iptables_there_is_nothing(namespace: Namespace) -> None:
    assert legacy_tables() == []
