"""Many addresses on one account: who is accused, of what, and who never is."""

from collections.abc import Sequence
from typing import Any

from tests.engine.samples import NOW, event, threshold

from durward.detectors.distributed import ACCOUNTS_MAX, BATCH_MAX, ONE_TRY_MAX, Detector
from durward.engine.policy import DetectorPolicy
from durward.engine.room import Room
from durward.model import Incident, Subject

HEARS = frozenset({"auth.failure"})


def detector(room: Room | None = None, **limits: Any) -> Detector:
    return Detector("distributed", DetectorPolicy(threshold(**limits), HEARS), room or Room())


def tried(
    to: Detector, sources: Sequence[str], user: str = "bob", *, step: float = 1.0, **fields: Any
) -> list[Incident]:
    found: list[Incident] = []
    for number, source in enumerate(sources):
        one = event(number * step, source, user_name=user, **fields)
        found += to.feed(one, Subject.parse(source), one.at)
    return found


def addresses(count: int) -> list[str]:
    return [f"203.0.113.{number}" for number in range(1, count + 1)]


def test_everybody_who_took_part_is_accused_with_his_own_lines() -> None:
    found = tried(detector(count=6, distinct=3), addresses(3) * 2)
    assert [one.subject.value for one in found] == addresses(3)
    assert {(one.account, one.count, one.threshold) for one in found} == {("bob", 6, 6)}
    assert found[0].reason == "one of 3 addresses with 6 sshd logins on one account in 5 s"
    for one in found:
        assert len(one.evidence) == 2
        assert all(one.subject.value in line.text for line in one.evidence)


def test_too_few_addresses_or_tries_are_nobody_s_business() -> None:
    assert tried(detector(count=6, distinct=3), addresses(2) * 20) == []
    assert tried(detector(count=6, distinct=3), addresses(5)) == []


def test_the_same_name_at_two_services_is_two_accounts() -> None:
    both = detector(count=6, distinct=3)
    assert tried(both, addresses(5), service="sshd") == []
    assert tried(both, addresses(5), service="dovecot") == []


def test_whoever_mistyped_and_came_in_was_the_owner() -> None:
    """He is on his way, and nobody knew his address when he mistyped."""
    room = Room()
    to = detector(room, count=6, distinct=3)
    assert tried(to, [*addresses(2), "203.0.113.9", *addresses(2)]) == []
    room.familiar.note(Subject.parse("203.0.113.9"), "bob", NOW + 5)
    assert tried(to, addresses(1)) == [], "without him they are two, and too few"
    assert [one.subject.value for one in tried(to, ["203.0.113.8"])] == [*addresses(2), "203.0.113.8"]


def test_the_owner_s_failures_are_not_part_of_it() -> None:
    room = Room()
    room.familiar.note(Subject.parse("203.0.113.1"), "bob", NOW - 60)
    found = tried(detector(room, count=6, distinct=3), addresses(4) * 2)
    assert [one.subject.value for one in found] == addresses(4)[1:]
    assert not any(one.familiar for one in found)


def test_who_is_blocked_for_it_already_makes_no_stranger_s_slip_one_too_many() -> None:
    room = Room()
    mine = detector(room, count=6, distinct=3)
    room.is_blocked = lambda subject, service, at: subject.value in addresses(3)
    assert tried(mine, addresses(3) * 5) == []
    assert tried(mine, ["198.51.100.7"] * 5) == []
    assert len(tried(mine, ["198.51.100.8", "198.51.100.9"])) == 3, "these three are free, and have seven tries"


def test_under_attack_a_try_leads_to_a_look_at_itself_and_seldom_at_all_others() -> None:
    """Else each try of a botnet would cost a walk through a thousand, and the lines behind it would wait."""
    room, asked = Room(), list[str]()
    mine = detector(room, count=6, distinct=3)
    room.is_blocked = lambda subject, *_: bool(asked.append(subject.value))
    once = [f"10.0.{number // 200}.{number % 200}" for number in range(ONE_TRY_MAX + 600)]
    found = tried(mine, once, step=0.0)
    assert [one.subject.value for one in found] == once[:ONE_TRY_MAX]
    asked.clear()
    again = once[-100:]
    assert [one.subject.value for one in tried(mine, again, step=0.0)] == again
    assert len(asked) <= 2 * 600 + len(again)


def test_who_is_let_in_again_begins_at_nothing() -> None:
    mine = detector(count=6, distinct=3)
    tried(mine, addresses(5))
    mine.forget(Subject.parse("203.0.113.1"))
    assert tried(mine, ["203.0.113.5"]) == []
    assert len(tried(mine, ["203.0.113.5"])) == 4


def test_very_many_addresses_are_accused_in_batches() -> None:
    many = [f"198.51.{number >> 8}.{number & 255}" for number in range(BATCH_MAX + 50)]
    found = tried(detector(count=len(many), distinct=3), many)
    assert [one.subject.value for one in found] == many[-BATCH_MAX:]


def test_of_a_botnet_that_comes_once_each_only_so_many_are_accused_in_a_minute() -> None:
    def wave(second: int) -> list[str]:
        return [f"198.{second}.{number >> 8}.{number & 255}" for number in range(2 * ONE_TRY_MAX)]

    def accused(sources: list[str], at: int) -> int:
        events = [(source, event(at, source, user_name="bob")) for source in sources]
        return sum(len(mine.feed(one, Subject.parse(source), one.at)) for source, one in events)

    mine = detector(count=6, distinct=3)
    first, second = wave(1), wave(2)
    assert ONE_TRY_MAX <= accused(first, 0) < ONE_TRY_MAX + 6
    assert accused(first[-50:], 1) == 50, "who tries again is accused"
    assert ONE_TRY_MAX <= accused(second, 60) < ONE_TRY_MAX + BATCH_MAX, "and a minute later it begins anew"


def test_accounts_are_bounded_and_let_go() -> None:
    mine = detector(count=6, distinct=3)
    one = event(0, user_name="x")
    for number in range(ACCOUNTS_MAX + 100):
        mine.feed(one._replace(user_name=f"u{number}"), Subject.parse("203.0.113.1"), one.at)
    assert len(mine._tries) <= ACCOUNTS_MAX
    mine.tick(NOW + 7200)
    assert mine._tries == {}
