"""The engine: who is blocked, when and for how long; and who is not, whatever is written about him."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.engine.samples import HEARS, HERE, NOW, SUBJECT, engine, event, failures, fed, policy, threshold

from durward.engine import engine as engine_module
from durward.engine.engine import CLOCK_SLACK_SECONDS, Engine
from durward.engine.policy import Policy
from durward.model import FOREVER, Event, Finding, Incident, Subject

HOUR = 3600.0


def test_the_failure_that_is_one_too_many_blocks_and_says_why() -> None:
    guard = engine()
    assert fed(guard, failures(4)) == []
    (made,) = guard.feed(event(4))
    assert (made.verdict, made.subject, made.origin) == ("block", SUBJECT, "detector:brute_force")
    assert (made.made_at, made.until, made.simulated) == (NOW + 4, NOW + 4 + HOUR, False)
    assert made.reason == "5 failed sshd logins in 4 s"
    assert made.incident is not None
    assert (made.incident.first_at, made.incident.last_at, made.incident.count) == (NOW, NOW + 4, 5)
    assert [line.position for line in made.incident.evidence] == [0, 1000, 2000, 3000, 4000]


def test_lines_that_arrive_while_blocked_do_not_count() -> None:
    guard = engine()
    assert len(fed(guard, failures(100))) == 1
    assert guard.nearest(SUBJECT)[0] == 0
    after = HOUR + 10
    assert fed(guard, failures(4, after)) == []
    (second,) = guard.feed(event(after + 4))
    assert second.until == NOW + after + 4 + 2 * HOUR


@pytest.mark.parametrize("source_ip", ["127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"])
def test_loopback_is_never_blocked(source_ip: str) -> None:
    assert fed(engine(), failures(50, source_ip=source_ip)) == []


@pytest.mark.parametrize("source_ip", [None, "", "localhost", "fe80::1%eth0", "203.0.113.9\n", "203.0.113.9/32"])
def test_whoever_has_no_address_is_not_counted(source_ip: str | None) -> None:
    assert fed(engine(), [event(at, source_ip) for at in range(50)]) == []


def test_the_exempt_are_never_blocked_until_the_lists_say_otherwise() -> None:
    guard = engine(exempt=lambda address: "allow.list:1" if address == HERE else None)
    assert fed(guard, failures(50)) == []
    assert fed(guard, failures(4)) == []
    guard.reconsider(Policy({"brute_force": policy()}))
    assert fed(guard, failures(4, 100)) == []
    assert len(guard.feed(event(104))) == 1


def test_who_is_spared_for_one_service_is_blocked_for_another() -> None:
    def spared(address: str, service: str) -> str | None:
        return "a crawler" if (address, service) == (HERE, "sshd") else None

    guard = engine()
    guard.reconsider(Policy({"brute_force": policy()}, spared=spared))
    assert fed(guard, failures(50)) == []
    for at in range(50):
        guard.remember(event(at))
    assert guard.nearest(SUBJECT)[0] == 0
    assert len(fed(guard, [event(at)._replace(service="dovecot") for at in range(50)])) == 1
    assert len(fed(guard, failures(5, source_ip="203.0.113.77"))) == 1


def test_who_becomes_exempt_is_no_longer_counted() -> None:
    guard = engine()
    fed(guard, failures(4))
    guard.reconsider(Policy({"brute_force": policy()}, exempt=lambda _address: "ignore.list:3"))
    assert fed(guard, failures(4, 10)) == []


@pytest.mark.parametrize("hits", [0, -1, -5])
def test_what_does_not_count_does_not_count(hits: int) -> None:
    guard = engine()
    assert fed(guard, failures(50, hits=hits)) == []
    for one in failures(50, hits=hits):
        guard.remember(one)
    assert guard.nearest(SUBJECT)[0] == 0
    assert guard.findings == []


def test_a_line_may_count_more_than_once() -> None:
    assert len(fed(engine(), [event(0, hits=5)])) == 1
    assert fed(engine(), [event(0, hits=4)]) == []
    assert len(fed(engine(), [event(0, hits=3), event(1, hits=2)])) == 1
    assert len(fed(engine(), [event(0, hits=10**9)])) == 1


def test_kinds_that_nobody_hears_do_not_count() -> None:
    assert fed(engine(), failures(50, kind="http.not_found")) == []


def test_the_hosts_of_one_ipv6_network_are_one() -> None:
    hosts = [event(at, f"2001:db8::{at:x}") for at in range(1, 6)]
    (made,) = fed(engine(), hosts)
    assert made.subject == Subject.parse("2001:db8::/64")
    assert fed(engine(block_prefix_v6=128), hosts) == []
    assert engine().subject_of("::ffff:203.0.113.9") == SUBJECT


def test_an_ipv4_address_in_ipv6_spelling_is_the_same_person() -> None:
    spellings = [HERE, "::ffff:203.0.113.9", "::FFFF:cb00:7109"]
    (made,) = fed(engine(), [event(at, spellings[at % 3]) for at in range(5)])
    assert made.subject == SUBJECT


def test_letting_somebody_in_again_clears_what_counted() -> None:
    guard = engine()
    fed(guard, failures(5))
    guard.unblock(SUBJECT)
    assert fed(guard, failures(4, 10)) == []
    (again,) = guard.feed(event(14))
    assert again.until == NOW + 14 + HOUR, "the first block was taken back: this one is not longer"


def test_letting_somebody_in_who_was_not_blocked_clears_what_counted_too() -> None:
    guard = engine()
    fed(guard, failures(4))
    guard.unblock(SUBJECT, forgive=False)
    assert fed(guard, failures(4, 10)) == []


def test_a_block_by_others_stops_the_counting_until_it_ends() -> None:
    guard = engine()
    guard.block(SUBJECT, NOW + 100)
    assert fed(guard, failures(50)) == []
    assert fed(guard, failures(4, 101)) == []
    guard.block(SUBJECT, None)
    assert fed(guard, failures(50, 10**6)) == []


def test_what_is_remembered_counts_and_decides_nothing() -> None:
    guard = engine()
    for one in failures(4):
        guard.remember(one)
    assert guard.nearest(SUBJECT) == (4, 5)
    (made,) = guard.feed(event(10))
    assert made.incident is not None
    assert made.incident.count == 5


def test_what_is_remembered_does_not_lengthen_later_blocks() -> None:
    guard = engine()
    for one in failures(50):
        guard.remember(one)
    guard.unblock(SUBJECT, forgive=False)
    (made,) = fed(guard, failures(5, 100))
    assert made.until == NOW + 104 + HOUR


def test_earlier_blocks_of_the_database_lengthen_the_next_one() -> None:
    guard = engine(earlier={HERE: (2, NOW - 100)})
    (made,) = fed(guard, failures(5))
    assert made.until == NOW + 4 + 4 * HOUR
    assert guard.next_seconds(SUBJECT, "sshd", "brute_force", NOW + 4) == 8 * HOUR
    assert guard.next_seconds(SUBJECT, "sshd", "nobody", NOW + 4) == 0.0


def test_what_was_forgiven_is_not_remembered() -> None:
    guard = engine()
    guard.forgive({SUBJECT: NOW + 3.0})
    for one in failures(8):
        guard.remember(one)
    assert guard.nearest(SUBJECT) == (4, 5)


def test_what_is_remembered_of_a_blocked_one_does_not_count() -> None:
    guard = engine()
    guard.block(SUBJECT, NOW + 3.0)
    for one in failures(7):
        guard.remember(one)
    assert guard.nearest(SUBJECT) == (4, 5)


@pytest.mark.parametrize("forged", [-10 * HOUR, 10 * HOUR, 10 * 365 * 86400.0, CLOCK_SLACK_SECONDS + 1])
def test_a_forged_time_counts_when_it_arrives(forged: float) -> None:
    """It neither hides an attack nor revives one, and a block begins now."""
    made = fed(engine(), [event(at + (forged if at % 2 else 0), arrives=at) for at in range(5)])
    assert [one.made_at for one in made] == [NOW + 4]
    old = [event(at + forged, arrives=at * HOUR) for at in range(50)]
    assert fed(engine(), old) == []


def test_a_line_that_is_a_little_late_counts_at_its_own_time() -> None:
    (made,) = fed(engine(), [event(at, arrives=at + CLOCK_SLACK_SECONDS - 1) for at in range(5)])
    assert made.made_at == NOW + 4


@pytest.mark.parametrize("method", ["feed", "tick", "forget"])
def test_a_detector_that_raises_is_switched_off_and_reported_and_the_others_go_on(method: str) -> None:
    class Broken:
        def __init__(self) -> None:
            self.heard = 0

        def feed(self, event: Event, subject: Subject | None, at: float) -> Sequence[Incident]:
            self.heard += 1
            self.maybe("feed")
            return ()

        def tick(self, now: float) -> Sequence[Incident]:
            self.maybe("tick")
            return ()

        def forget(self, subject: Subject) -> None:
            self.maybe("forget")

        def nearest(self, subject: Subject) -> tuple[int, int]:
            return 0, 5

        def maybe(self, called: str) -> None:
            if called == method:
                raise ZeroDivisionError("a mistake of ours")

    broken, good = Broken(), engine()
    policies = {"broken": policy(), "brute_force": policy()}
    guard = Engine(Policy(policies), {"broken": broken, **good._detectors})
    fed(guard, failures(1))
    guard.tick(NOW)
    guard.unblock(SUBJECT)
    assert guard.findings == [
        Finding("detector", "broken", "error", "switched off: ZeroDivisionError: a mistake of ours")
    ]
    assert len(fed(guard, failures(5, 10))) == 1
    assert broken.heard == 1
    guard.tick(NOW + 100)
    assert len(guard.findings) == 1


def test_one_event_that_is_too_much_for_two_detectors_lengthens_the_next_block_once() -> None:
    guard = engine({"brute_force": policy(), "site_own": policy(threshold(block=2 * HOUR))})
    first, second = fed(guard, failures(5))
    assert (first.until, second.until) == (NOW + 4 + HOUR, NOW + 4 + 2 * HOUR)
    assert fed(guard, [event(HOUR + 100)]) == [], "the longer of the two holds"
    after = 2 * HOUR + 100
    assert fed(guard, failures(5, after))[0].until == NOW + after + 4 + 2 * HOUR


def test_shadow_decides_and_blocks_nobody() -> None:
    guard = engine({"brute_force": policy(threshold(mode="shadow"))})
    made = fed(guard, failures(10) + failures(5, 2 * HOUR))
    assert [one.simulated for one in made] == [True, True]
    ends = [NOW + 4 + HOUR, NOW + 2 * HOUR + 4 + HOUR]
    assert [one.until for one in made] == ends, "once for the time of a block, and nothing grows that did not happen"


def test_off_does_not_even_look() -> None:
    guard = engine({"brute_force": policy(threshold(mode="off"))})
    assert fed(guard, failures(50)) == []
    assert guard.nearest(SUBJECT)[0] == 0


def test_the_mode_of_a_service_holds_for_that_one() -> None:
    services = {"sshd": threshold(mode="shadow"), "exim": threshold(mode="off"), "dovecot": threshold(count=0)}
    guard = engine({"brute_force": policy(services=services)})
    assert [one.simulated for one in fed(guard, failures(5))] == [True]
    for service in ("exim", "dovecot"):
        assert fed(guard, failures(50, 100, service=service)) == []
    assert [one.simulated for one in fed(guard, failures(5, 200, service="pureftpd"))] == [False]


def test_a_service_may_be_watched_alone() -> None:
    guard = engine({"brute_force": policy(threshold(mode="off"), {"sshd": threshold(mode="enforce")})})
    assert fed(guard, failures(50, service="dovecot")) == []
    assert len(fed(guard, failures(5))) == 1


def test_growth_and_memory_of_a_service_hold_for_that_one() -> None:
    services = {"sshd": threshold(escalate=1.0), "exim": threshold(remember_seconds=HOUR)}
    for service, expected in (("sshd", HOUR), ("exim", HOUR), ("dovecot", 2 * HOUR)):
        guard = engine({"brute_force": policy(services=services)})
        fed(guard, failures(5, service=service))
        (second,) = fed(guard, failures(5, 5 * HOUR, service=service))
        assert second.until == NOW + 5 * HOUR + 4 + expected


def test_a_lasting_block_never_ends() -> None:
    guard = engine({"brute_force": policy(threshold(block=FOREVER))})
    (made,) = fed(guard, failures(5))
    assert made.until is None
    guard.tick(NOW + 10**9)
    assert fed(guard, failures(50, 10**9)) == []


def test_sweeping_goes_on_after_the_clock_was_put_back() -> None:
    guard = engine()
    guard.tick(NOW + 10**8)
    guard.block(SUBJECT, NOW + 10)
    guard.tick(NOW + 100)
    assert guard._deciding._blocked == {}


def test_whose_lines_count_where_they_are_nearest_to_a_block() -> None:
    guard = engine({"brute_force": policy(services={"dovecot": threshold(count=10), "sshd": threshold(count=3)})})
    assert guard.nearest(SUBJECT) == (0, 5)
    fed(guard, failures(7, service="dovecot"))
    assert guard.nearest(SUBJECT) == (7, 10)
    fed(guard, failures(2, 10, service="sshd"))
    assert guard.nearest(SUBJECT) == (7, 10)
    fed(guard, failures(2, 20, service="exim"))
    assert guard.nearest(SUBJECT) == (7, 10)


def test_what_is_known_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "SUBJECTS_MAX", 10)
    guard = engine()
    for number in range(100):
        guard.feed(event(number, f"198.51.100.{number}"))
        assert len(guard._subjects) <= 10
    assert guard.nearest(Subject.parse("198.51.100.0")) == (1, 5)


@given(
    some.lists(
        some.tuples(some.sampled_from([HERE, "198.51.100.7", "2001:db8::1"]), some.floats(0, 7200), some.booleans()),
        max_size=60,
    )
)
def test_the_engine_never_decides_twice_about_one_that_is_blocked(lines: list[tuple[str, float, bool]]) -> None:
    guard = engine({"brute_force": policy(threshold(count=2, within=600.0))})
    blocked: dict[str, float] = {}
    for source_ip, at, late in lines:
        for made in guard.feed(event(at, source_ip, arrives=at + 300 * late)):
            assert made.made_at >= blocked.get(made.subject.value, 0.0)
            assert made.until is not None
            blocked[made.subject.value] = made.until
            assert made.incident is not None
            assert made.incident.count == 2
            assert made.incident.last_at - made.incident.first_at < 600.0
    assert guard.findings == []


def test_only_what_is_heard_is_in_the_policy() -> None:
    assert policy().hears == HEARS
    rules = policy(services={"sshd": threshold(within=7200.0), "exim": threshold(remember_seconds=365 * 86400.0)})
    assert (rules.longest_seconds, rules.remember_seconds) == (7200.0, 365 * 86400.0)
    assert rules.threshold("unknown") == rules.default
