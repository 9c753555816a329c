"""The firewall's text: as it was agreed on, the same each time, and every chain that is led to is there."""

import re

import pytest
from tests.ruleset.golden import Case, cases

from durward.catalog.traffic import PortRange, parse_ports
from durward.ruleset.firewall import firewall, open_ports, precedence
from durward.ruleset.policy import Interface, Knock, Policy, Ports
from durward.ruleset.skeleton import skeleton

ALL = cases()
TERMINAL = re.compile(r"\b(accept|drop|goto \w+|reject with [\w -]+)$")


@pytest.fixture(params=ALL, ids=[case.name for case in ALL])
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


def chains_of(text: str) -> dict[str, list[str]]:
    found = re.findall(r"^\tchain (\w+) \{\n(.*?)^\t\}", text, re.MULTILINE | re.DOTALL)
    return {name: [line.strip() for line in rules.splitlines()] for name, rules in found}


def test_the_text_is_the_golden_one(case: Case) -> None:
    assert firewall(case.policy, "a") == case.golden.read_text(), "python -m tests.ruleset.golden --update"


def test_all_that_is_led_to_is_there_and_belongs_to_the_generation(case: Case) -> None:
    text = firewall(case.policy, "b")
    chains = chains_of(text)
    assert set(re.findall(r"\b(?:jump|goto) (\w+)", text)) <= set(chains)
    assert [name for name in chains if not name.endswith("_b")] == []
    assert [name for name in chains if name in chains_of(firewall(case.policy, "a"))] == []


def test_every_set_that_is_asked_is_declared(case: Case) -> None:
    text = firewall(case.policy, "a")
    declared = set(re.findall(r"^\tset (\w+) \{", text + skeleton(case.policy.block_prefix_v6), re.MULTILINE))
    assert set(re.findall(r"@(\w+)", text)) <= declared
    assert [name for name in re.findall(r"^\tset (\w+)", text, re.MULTILINE) if not name.startswith("meter_")] == []


@pytest.mark.parametrize("entry", ["input", "forward", "output", "arriving", "translated", "passing", "sending"])
def test_nothing_falls_off_the_end_of_a_chain_that_decides(case: Case, entry: str) -> None:
    last = chains_of(firewall(case.policy, "a"))[f"{entry}_a"][-1]
    assert TERMINAL.fullmatch(last), last


def test_no_set_of_ours_is_large_enough_to_slow_others(case: Case) -> None:
    text = firewall(case.policy, "a")
    assert "flags interval" not in text
    assert max((len(line) for line in text.splitlines()), default=0) < 4000


def test_the_precedence_is_told_in_the_order_of_the_rules() -> None:
    told = precedence()
    places = [
        told.index(words)
        for words in ("allowed addresses", "deny filters", "denied countries", "the SYN proxy answers")
    ]
    assert places == sorted(places)
    assert "deny filters" not in precedence(Policy())
    assert "tcp_out" in told
    assert "tcp_out" not in precedence(Policy())


def test_the_ports_that_are_open_to_all_are_known() -> None:
    ports = Ports(tcp4=parse_ports("80,443,1000:2000"), tcp6=parse_ports("80,1500:3000"))
    assert open_ports(Policy(inbound=ports)) == (PortRange(22, 22), PortRange(80, 80), PortRange(1500, 2000))
    knock = Knock(80, "tcp", (7000, 9000, 8000), 20)
    assert open_ports(Policy(inbound=ports, knocks=(knock,), ssh_ports=())) == (PortRange(1500, 2000),)


@pytest.mark.parametrize("name", ['eth0" accept', "", "a name", "sixteen-letters-", "*", "a\nb", "et*h"])
def test_what_is_no_interface_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name of an interface"):
        firewall(Policy(interfaces=(Interface(name, "trusted"),)), "a")
