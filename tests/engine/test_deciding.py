"""From incidents to decisions: which remedy, how much of the traffic, how long, and what is not decided again."""

from dataclasses import replace
from typing import Any

from tests.engine.samples import NOW, SUBJECT, engine, failures, fed, policy, threshold

from durward.engine.deciding import HOUR_SECONDS, SOFT_SECONDS
from durward.engine.engine import Engine
from durward.engine.restraint import BLOCKS_MIN
from durward.model import Decision, Incident, Port, Scope, Subject

SSH = (Port(22),)


def guard(**limits: Any) -> Engine:
    limits.setdefault("ports", SSH)
    return engine({"brute_force": policy(threshold(**limits))})


def incident(**changes: Any) -> Incident:
    made = Incident("brute_force", "sshd", SUBJECT, NOW - 40, NOW, 5, 5, 3600.0, (), "5 failed logins")
    return replace(made, **changes)


def decided(by: Engine, **changes: Any) -> Decision:
    (decision,) = by.accuse(incident(**changes), NOW)
    return decision


def test_the_ports_of_the_service_alone() -> None:
    by = guard(remedy="ports")
    decision = decided(by)
    assert (decision.verdict, decision.scope) == ("block", Scope(SSH))
    assert by.accuse(incident(), NOW + 1) == [], "lines that were under way"
    assert len(by.accuse(incident(service="exim"), NOW + 1)) == 1, "what another service says counts"


def test_whoever_goes_on_while_throttled_is_blocked() -> None:
    by = guard(remedy="throttle", block=600.0)
    first = decided(by)
    assert (first.verdict, first.scope, first.until) == ("throttle", Scope(), NOW + 600)
    (second,) = by.accuse(incident(), NOW + 1)
    assert (second.verdict, second.until) == ("block", NOW + 601)
    assert by.accuse(incident(), NOW + 2) == [], "he is blocked"
    by.unblock(SUBJECT)
    assert by.accuse(incident(), NOW + 3)[0].verdict == "throttle"


def test_a_throttle_that_has_ended_was_none() -> None:
    by = guard(remedy="throttle", block=600.0)
    assert decided(by).verdict == "throttle"
    assert by.accuse(incident(), NOW + 600)[0].verdict == "throttle"


def test_a_throttle_from_before_a_restart_counts() -> None:
    by = guard(remedy="throttle")
    by.throttle(SUBJECT, NOW + 60)
    assert decided(by).verdict == "block"


def test_a_throttle_in_shadow_mode_throttles_nobody() -> None:
    by = guard(remedy="throttle", mode="shadow", block=600.0)
    assert (decided(by).verdict, decided_later(by, NOW + 601).verdict) == ("throttle", "throttle")


def decided_later(by: Engine, at: float) -> Decision:
    (decision,) = by.accuse(incident(), at)
    assert decision.simulated
    return decision


def test_without_known_ports_it_is_everything() -> None:
    assert decided(guard(remedy="ports", ports=())).scope == Scope()


def test_an_alert_is_given_once_for_the_time_of_a_block() -> None:
    by = guard(remedy="alert")
    decision = decided(by)
    assert (decision.verdict, decision.until) == ("alert", None)
    assert by.accuse(incident(), NOW + 3599) == []
    assert len(by.accuse(incident(), NOW + 3601)) == 1


def test_nobody_can_block_an_account() -> None:
    by = guard()
    assert decided(by, subject=Subject("user", "bob")).verdict == "alert"


def test_who_logs_in_well_loses_the_service_for_a_while() -> None:
    by = guard()
    decision = decided(by, familiar=True)
    assert (decision.scope, decision.until) == (Scope(SSH), NOW + SOFT_SECONDS)
    later = by.accuse(incident(familiar=True), NOW + SOFT_SECONDS + 1)[0]
    assert later.scope == Scope(SSH)
    assert later.until == NOW + SOFT_SECONDS + 1 + 2 * SOFT_SECONDS, "longer each time, and still only the service"


def test_to_the_end_of_the_hour() -> None:
    by = guard(until_hour_ends=True)
    until = decided(by).until
    assert until is not None
    assert until % HOUR_SECONDS == 0
    assert 0 < until - NOW <= HOUR_SECONDS


def test_for_ever_after_so_many() -> None:
    by = guard(permanent_after=1)
    assert decided(by).until == NOW + 3600
    by.unblock(SUBJECT, forgive=False)
    assert by.accuse(incident(), NOW + 10)[0].until is None


def test_a_held_detector_s_blocks_are_told_and_not_meant() -> None:
    made = []
    by = engine({"brute_force": policy(threshold(count=1, ports=SSH))}, familiar_share_max=0.3)
    for number in range(BLOCKS_MIN + 1):
        source = Subject.parse(f"203.0.113.{number + 1}")
        by.room.familiar.note(source, "somebody", NOW - 60)
        made += fed(by, failures(1, source_ip=source.value))
    assert [bool(one.held) for one in made] == [False] * (BLOCKS_MIN - 1) + [True, True]
    assert by.held(NOW) == {"brute_force": by.held(NOW)["brute_force"]}
    assert fed(by, failures(1, 60, source_ip="203.0.113.11")) == [], "nor is it told again and again"


def test_what_the_packets_say_of_an_exempt_address_is_not_heard() -> None:
    by = engine(exempt=lambda address: "ignore.list:1" if address == SUBJECT.value else None)
    assert by.accuse(incident(), NOW) == []
    assert by.accuse(incident(detector="unknown"), NOW) == []


def test_the_engine_hears_of_its_own_blocks() -> None:
    heard: list[str] = []

    class Listener:
        def feed(self, event: Any, subject: Subject | None, at: float) -> list[Incident]:
            heard.append(f"{event.kind} {subject.value if subject else ''} {at - NOW:g} {event.service}")
            return []

    policies = {"brute_force": policy(), "listener": replace(policy(), hears=frozenset({"source.blocked"}))}
    by = engine(policies)
    by._detectors["listener"] = Listener()  # type: ignore[assignment]
    by._hearers = by._by_kind()
    fed(by, failures(5))
    assert heard == [f"source.blocked {SUBJECT.value} 4 sshd"]
