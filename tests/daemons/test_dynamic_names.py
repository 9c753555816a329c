"""Names whose addresses change: what stands follows them, and nothing that people or lists said is touched."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store.samples import NOW, decision

from durward.config.exempting import DynamicName, Exempting
from durward.control.naming import Answer, Outcome
from durward.daemons.acting import Acting
from durward.daemons.door import Door
from durward.daemons.dynamic_names import (
    ADDRESSES_MAX,
    INTERVAL_SECONDS_MIN,
    KEEP_SECONDS,
    RENEW_SECONDS,
    DynamicNames,
    something_else,
)
from durward.daemons.ledger import Ledger
from durward.daemons.names import Names
from durward.engine.engine import Engine
from durward.engine.policy import Policy
from durward.model import Scope, parse_address
from durward.store import decisions, standing

HOME, PROBE = "home.example.net", "probe.example.net"
SSH = Scope.parse("in:22")
RULES = Exempting(names=(DynamicName(HOME),), ignored_names=(PROBE,), resolve_seconds=600.0)


class Scene:
    """A ledger, somebody to act, and a name service that the test plays."""

    def __init__(self, ledger: Ledger, rules: Exempting = RULES) -> None:
        self.now, self.ledger, self.names, self.exempted = NOW, ledger, Names(), 0
        self.acting = Acting(Engine(Policy({}), {}), ledger, Door(Path("/nowhere.sock")))
        self.dynamic = DynamicNames(rules, self.names, ledger, self.acting, self._count)

    def _count(self) -> None:
        self.exempted += 1

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.names.tick(self.now)
        self.dynamic.tick(self.now)
        self.names.deliver()

    def claim(self) -> dict[str, int]:
        (handed,) = self.names.answer({"verb": "claim", "most": 32})
        return {one["value"]: one["id"] for one in handed["questions"]}

    def answer(self, name: str, outcome: Outcome, *addresses: str) -> None:
        """Answer the next question about a name; all others are not answered."""
        self.later(600.0)
        for value, number in self.claim().items():
            answer = Answer(number, outcome, addresses=addresses) if value == name else Answer(number, "failed")
            self.names.answer({"verb": "answer", "answers": [answer.entry()]})
        self.names.deliver()
        self.later(1.0)

    def stands(self, listing: str = "allow") -> list[tuple[str, str]]:
        found = standing.all_of(self.ledger.store, listing)  # type: ignore[arg-type]
        return [(one.subject.value, str(one.scope)) for one in found]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "durward.db", NOW)
    yield made
    made.close()


def test_what_stands_follows_the_name(ledger: Ledger) -> None:
    scene = Scene(ledger)
    scene.answer(HOME, "found", "203.0.113.9", "2001:db8::9")
    assert scene.stands() == [("2001:db8::9", "in:"), ("203.0.113.9", "in:")]
    scene.answer(HOME, "found", "203.0.113.10")
    assert scene.stands() == [("203.0.113.10", "in:")]
    reasons = {(one.decision.verdict, one.decision.reason) for one in decisions.latest(ledger.store, 9)}
    assert reasons == {("allow", f"{HOME} leads here"), ("disallow", f"{HOME} does not lead here any more")}
    scene.answer(PROBE, "found", "203.0.113.11")
    assert scene.stands("ignore") == [("203.0.113.11", "in:")]
    assert scene.stands() == [("203.0.113.10", "in:")]
    assert scene.exempted == 3


def test_an_outage_changes_nothing_however_long(ledger: Ledger) -> None:
    scene = Scene(ledger)
    scene.answer(HOME, "found", "203.0.113.9")
    for _ in range(60):
        scene.answer(HOME, "failed")
        scene.later(3600.0)
        ledger.expire(scene.now)
    assert scene.stands() == [("203.0.113.9", "in:")]
    (entry,) = standing.all_of(ledger.store, "allow")
    assert entry.until is not None
    assert scene.now < entry.until <= scene.now + KEEP_SECONDS
    assert len(decisions.latest(ledger.store, 100)) < 12, "it is renewed now and then, not each time"
    assert "its last known addresses stay" in scene.dynamic.findings()[0].detail


def test_no_such_name_has_to_be_said_twice(ledger: Ledger) -> None:
    scene = Scene(ledger)
    scene.answer(HOME, "found", "203.0.113.9")
    scene.answer(HOME, "nameless")
    scene.answer(HOME, "found", "203.0.113.9")
    scene.answer(HOME, "nameless")
    assert scene.stands() == [("203.0.113.9", "in:")]
    scene.answer(HOME, "nameless")
    assert scene.stands() == []


def test_a_restart_knows_what_was_known_and_what_was_taken_out_of_the_settings(ledger: Ledger) -> None:
    Scene(ledger).answer(HOME, "found", "203.0.113.9")
    again = Scene(ledger)
    again.answer(HOME, "failed")
    assert again.stands() == [("203.0.113.9", "in:")]
    narrower = Scene(ledger, Exempting(names=(DynamicName(HOME, SSH),), resolve_seconds=600.0))
    narrower.later(1.0)
    assert narrower.stands() == [("203.0.113.9", "in:22")]
    Scene(ledger, Exempting(names=(DynamicName(HOME),), resolve_seconds=0.0)).later(1.0)
    assert narrower.stands() == []


def test_what_people_said_of_an_address_is_left_as_it_is(ledger: Ledger) -> None:
    scene = Scene(ledger)
    scene.acting.act([decision("203.0.113.9", "allow", until=None, origin="operator:root")], {}, NOW)
    scene.answer(HOME, "found", "203.0.113.9")
    scene.answer(HOME, "found", "203.0.113.10")
    assert scene.stands() == [("203.0.113.10", "in:"), ("203.0.113.9", "in:")]
    assert [one.decision.origin for one in decisions.latest(ledger.store, 2)] == [f"name:{HOME}", "operator:root"]


def test_two_names_with_one_address_part(ledger: Ledger) -> None:
    rules = Exempting(names=(DynamicName(HOME), DynamicName("b.example.net")), resolve_seconds=600.0)
    scene = Scene(ledger, rules)
    scene.answer(HOME, "found", "203.0.113.9")
    scene.answer("b.example.net", "found", "203.0.113.9")
    scene.answer(HOME, "found", "203.0.113.10")
    assert scene.stands() == [("203.0.113.10", "in:"), ("203.0.113.9", "in:")]


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "100.64.0.1",
        "169.254.1.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "::",
        "fc00::1",
        "fe80::1",
        "ff02::1",
        "240.0.0.1",
    ],
)
def test_a_name_lets_nobody_in_who_cannot_be_meant(ledger: Ledger, address: str) -> None:
    assert something_else(parse_address(address))
    scene = Scene(ledger)
    scene.answer(HOME, "found", address, "203.0.113.9")
    assert scene.stands() == [("203.0.113.9", "in:")]
    (finding,) = [one for one in scene.dynamic.findings() if one.subject == HOME]
    assert f"it leads to {address}" in finding.detail


def test_bounds(ledger: Ledger) -> None:
    scene = Scene(ledger)
    scene.answer(HOME, "found", *(f"203.0.113.{number}" for number in range(1, ADDRESSES_MAX + 3)))
    assert len(scene.stands()) == ADDRESSES_MAX
    assert f"{ADDRESSES_MAX} of them are let in" in scene.dynamic.findings()[0].detail
    hasty = Scene(ledger, Exempting(names=(DynamicName(HOME),), resolve_seconds=1.0))
    hasty.later(1.0)
    assert len(hasty.claim()) == 1
    hasty.later(INTERVAL_SECONDS_MIN - 1)
    assert hasty.claim() == {}
    assert RENEW_SECONDS < KEEP_SECONDS / 2
