"""What must hold whatever is fed: of all detectors that are packaged, with thresholds low enough to be reached."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.engine.samples import NOW, event

from durward.catalog.detector_card import DetectorCard
from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of, load_detectors
from durward.config.settings import detector_settings
from durward.detectors import credential_stuffing, distributed, slow_guessing
from durward.engine import deciding, familiar
from durward.engine import engine as engine_module
from durward.engine.assembly import Known, assemble, detector_policy
from durward.engine.crowds import Crowds
from durward.engine.engine import Engine
from durward.engine.policy import DetectorPolicy, Policy, Threshold
from durward.engine.probes import Probes
from durward.engine.recollection import RECORDS_MAX
from durward.engine.replay import replay
from durward.engine.tallies import Tally
from durward.engine.windows import Window
from durward.model import Decision, Event, Subject

# These count several sources together, by declaration; each of the others looks at one source at a time.
COMMON = {"distributed", "credential_stuffing", "neighbourhood", "shared_ftp_account", "shared_smtp_account"}
SOURCES = ("203.0.113.9", "203.0.113.10", "198.51.100.7", "2001:db8::1", "2001:db8::2", "2001:db8:1::1")
EXEMPT = "198.51.100.77"
SERVICES = ("sshd", "dovecot", "exim", "apache", "modsecurity", "pureftpd")
ACCOUNTS = ("root", "bob", "carol", "dave", None)
ABOUTS = ("/a", "/b", "942100", "imap", None)
LASTING = 10_000_000.0
HOURS = 4 * 3600
SMALL = 200


@cache
def cards() -> tuple[DetectorCard, ...]:
    return tuple(load_detectors(directories_of("detectors")))


@cache
def packaged() -> Mapping[str, DetectorPolicy]:
    """The policies of an empty durward.toml."""
    services = load_services(directories_of("services"))
    known = {one.id: Known(one.name, one.ports) for one in services}
    return {card.id: detector_policy(card, detector_settings(card, {}, services), known) for card in cards()}


KINDS = sorted({kind for policy in packaged().values() for kind in policy.hears} - {"source.blocked"})


def lowered(policy: DetectorPolicy, count: int, block_seconds: float) -> DetectorPolicy:
    """The same, so that so few are too many, if any are; and its blocks last so long."""

    def low(one: Threshold) -> Threshold:
        few = {"count": min(one.count, count), "distinct": min(one.distinct, 2), "block_seconds": block_seconds}
        return replace(one, **few, block_seconds_max=block_seconds, escalate=1.0)

    services = {name: low(one) for name, one in policy.services.items()}
    return replace(policy, default=low(policy.default), services=services)


def engine(names: Sequence[str], count: int = 3, block_seconds: float = LASTING, **more: Any) -> Engine:
    """An engine of these detectors."""
    policies = {name: lowered(packaged()[name], count, block_seconds) for name in names}
    return assemble(Policy(policies, **more), [card for card in cards() if card.id in names])


def everybody() -> list[str]:
    return [card.id for card in cards()]


def singly() -> list[str]:
    return [name for name in everybody() if name not in COMMON]


@some.composite
def histories(draw: Callable[..., Any], kinds: Sequence[str] = tuple(KINDS)) -> list[Event]:
    """Events of all kinds, in the order of their times, which are whole seconds as in syslog."""
    few = draw(some.lists(some.sampled_from(kinds), min_size=1, max_size=3))  # so that thresholds are reached
    fields = some.tuples(
        some.sampled_from((*SOURCES, EXEMPT)),
        some.integers(0, HOURS),
        some.sampled_from(few),
        some.sampled_from(SERVICES),
        some.sampled_from(ACCOUNTS),
        some.sampled_from(ABOUTS),
        some.integers(0, 3),
    )
    lines = sorted(draw(some.lists(fields, max_size=90)), key=lambda line: line[1])
    return [
        event(at, source, kind=kind, service=service, user_name=account, about=about, hits=hits, position=place)
        for place, (source, at, kind, service, account, about, hits) in enumerate(lines)
    ]


def fed(to: Engine, events: Sequence[Event]) -> list[Decision]:
    return [made for one in events for made in to.feed(one)]


def of(subject: Subject, decisions: Sequence[Decision]) -> list[Decision]:
    return [one for one in decisions if one.subject == subject]


def first_times(decisions: Sequence[Decision]) -> dict[tuple[str, str], float]:
    first: dict[tuple[str, str], float] = {}
    for one in decisions:
        first.setdefault((one.origin, one.subject.value), one.made_at)
    return first


@given(histories(), some.integers(2, 6), some.data())
def test_a_higher_count_never_accuses_more_or_earlier(events: list[Event], count: int, data: some.DataObject) -> None:
    name = data.draw(some.sampled_from(singly()))
    strict, lax = (first_times(fed(engine([name], number), events)) for number in (count, count + 1))
    assert lax.keys() <= strict.keys()
    assert all(lax[who] >= strict[who] for who in lax)


@given(histories(["auth.failure", "auth.success"]), some.integers(2, 8))
def test_of_detectors_that_count_together_the_first_decision_comes_no_earlier(events: list[Event], count: int) -> None:
    """Whom it accuses may change: in a larger crowd there are others."""
    for name in sorted(COMMON - {"neighbourhood"}):
        strict, lax = (fed(engine([name], number), events) for number in (count, count + 1))
        assert not lax or (strict and strict[0].made_at <= lax[0].made_at)


@given(histories(), some.sampled_from(SOURCES))
def test_what_others_do_changes_nothing_for_a_source(events: list[Event], source: str) -> None:
    guard = engine(singly())
    subject = guard.subject_of(source)
    own = [one for one in events if one.source_ip and guard.subject_of(one.source_ip) == subject]
    assert of(subject, fed(guard, events)) == of(subject, fed(engine(singly()), own))


@given(histories(), some.booleans())
def test_nothing_is_decided_about_the_exempt(events: list[Event], in_a_replay: bool) -> None:
    guard = engine(everybody(), 1, exempt=lambda address: "allow.list:1" if address == EXEMPT else None)
    decisions = list(replay(guard, events)) if in_a_replay else fed(guard, events)
    assert not of(Subject("address", EXEMPT), decisions)
    assert not [line for one in decisions if one.verdict == "block" for line in _evidence(one) if EXEMPT in line]


def _evidence(decision: Decision) -> list[str]:
    return [line.text for line in decision.incident.evidence] if decision.incident else []


@given(histories([kind for kind in KINDS if kind != "auth.success"]), histories(), some.sampled_from(SOURCES))
def test_whoever_is_let_in_again_begins_at_nothing(before: list[Event], after: list[Event], source: str) -> None:
    """Except that he is known where he has logged in."""
    later = [one._replace(at=one.at + HOURS, observed_at=one.at + HOURS) for one in after if one.about != "authrelay"]
    guard, fresh = engine(singly()), engine(singly())
    subject = guard.subject_of(source)
    fed(guard, [one for one in before if one.hits])
    guard.unblock(subject)
    assert guard.nearest(subject)[0] == 0
    own = [one for one in later if one.source_ip and guard.subject_of(one.source_ip) == subject]
    assert _what(of(subject, fed(guard, own))) == _what(of(subject, fed(fresh, own)))


def _what(decisions: Sequence[Decision]) -> list[tuple[str, str, float, str]]:
    return [(one.origin, one.verdict, one.made_at, one.reason) for one in decisions]


@given(histories(), some.randoms(use_true_random=False))
def test_the_order_of_sources_within_one_second_changes_nothing(events: list[Event], chance: Random) -> None:
    """Of each source the order of its lines stays."""
    waiting: dict[tuple[float, str], list[Event]] = {}
    for one in events:
        waiting.setdefault((one.at, _network(one)), []).append(one)
    groups = sorted(waiting.items(), key=lambda group: (group[0][0], chance.random()))
    mixed = [one for _, group in groups for one in group]
    assert sorted(map(repr, fed(engine(singly()), mixed))) == sorted(map(repr, fed(engine(singly()), events)))


def _network(one: Event) -> str:
    return str(one.source_ip)[:13] if ":" in str(one.source_ip) else str(one.source_ip)


@given(histories(), some.integers(0, 90))
def test_after_a_restart_the_engine_goes_on_where_it_was(events: list[Event], place: int) -> None:
    """What it had read before is remembered: as long as nothing was decided, everything follows as without a stop."""
    whole = engine(everybody(), 4)
    decided = [len(whole.feed(one)) for one in events]
    calm = next((number for number, made in enumerate(decided) if made), len(events))
    place = min(place, calm)
    restarted, without = engine(everybody(), 4), engine(everybody(), 4)
    for one in events[:place]:
        restarted.remember(one)
    fed(without, events[:place])
    assert fed(restarted, events[place:]) == fed(without, events[place:])


@given(histories(["auth.failure"]), some.integers(0, 90))
def test_who_was_blocked_before_a_restart_is_not_blocked_for_the_same_again(events: list[Event], place: int) -> None:
    names = ["brute_force"]
    whole = engine(names)
    before = fed(whole, events[:place])
    restarted = engine(names)
    for made in before:
        restarted.block(made.subject, made.until)
    for one in events[:place]:
        restarted.remember(one)
    assert fed(restarted, events[place:]) == fed(whole, events[place:])


@pytest.mark.parametrize("kind", KINDS)
def test_no_table_grows_beyond_its_bound(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands who do one thing each, of each kind there is, with all bounds lowered alike."""
    monkeypatch.setattr(Window.__init__, "__defaults__", (SMALL, SMALL // 2))
    for table in (Tally, Crowds, Probes):
        monkeypatch.setattr(table.__init__, "__defaults__", (SMALL,))
    for module, name in (
        (distributed, "ACCOUNTS_MAX"),
        (slow_guessing, "SOURCES_MAX"),
        (credential_stuffing, "SOURCES_MAX"),
        (familiar, "PAIRS_MAX"),
        (deciding, "SETTLED_MAX"),
        (engine_module, "SUBJECTS_MAX"),
    ):
        monkeypatch.setattr(module, name, SMALL)
    guard = assemble(Policy(packaged()), cards())
    for number in range(10 * SMALL):
        source = f"2001:db8:{number:x}::1" if number % 2 else f"198.{18 + number % 2}.{number // 250}.{number % 250}"
        more = {"user_name": f"u{number}", "about": f"/p{number}", "session": str(number), "position": number}
        guard.feed(event(number / 50, source, kind=kind, service=SERVICES[number % len(SERVICES)], **more))
    assert {place: size for place, size in sizes(guard).items() if size > 2 * SMALL} == {}
    guard.tick(NOW + 40 * 86400.0)
    guard.tick(NOW + 400 * 86400.0)


def sizes(root: object) -> dict[str, int]:
    """How many entries each table has that an engine holds, by its place; tables that are in tables count as one."""
    found: dict[str, int] = {}
    waiting: list[tuple[str, object]] = [("engine", root)]
    seen: set[int] = set()
    while waiting:
        place, one = waiting.pop()
        if id(one) in seen or isinstance(one, (str, bytes, int, float, tuple, Policy, DetectorPolicy, DetectorCard)):
            continue
        seen.add(id(one))
        if isinstance(one, (list, dict, set)):
            if not (isinstance(one, list) and len(one) == RECORDS_MAX):  # the ring of the last events
                found[place] = max(found.get(place, 0), len(one))
            inner = list(one.values()) if isinstance(one, dict) else list(one)
            waiting += [(f"{place}[]", each) for each in inner]
        elif type(one).__module__.startswith("durward."):
            names = [*getattr(one, "__dict__", {}), *getattr(type(one), "__slots__", ())]
            waiting += [(f"{place}.{name}", getattr(one, name, None)) for name in names]
    return found
