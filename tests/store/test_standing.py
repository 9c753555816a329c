"""What stands is what the decisions say, in whatever order they come."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as some
from tests.store.samples import NOW, address, decision, kept, opened, recorded

from durward.model import Decision, Listing, Port, Scope, Standing, Subject, Verdict, parse_network
from durward.store import standing
from durward.store.store import Store

SSH = Scope((Port(22),))


def test_an_automatic_block_never_shortens_one_that_stands(store: Store) -> None:
    first, shorter = recorded(
        store, [decision("203.0.113.9", until=NOW + 600), decision("203.0.113.9", until=NOW + 60)]
    )
    assert standing.of(store, first.subject) == [Standing("block", first.subject, Scope(), NOW + 600, first.id)]
    longer, changes = kept(store, [decision("203.0.113.9", until=None)])
    assert [change.standing for change in changes] == standing.of(store, shorter.subject)
    assert [(one.until, one.decision) for one in standing.of(store, first.subject)] == [(None, longer[0].id)]
    assert kept(store, [decision("203.0.113.9", until=NOW + 600)])[1] == []


def test_a_person_may_shorten_a_block(store: Store) -> None:
    recorded(store, [decision("203.0.113.9", until=None)])
    (made,) = recorded(store, [decision("203.0.113.9", until=NOW + 60, origin="operator:root")])
    assert [(one.until, one.decision) for one in standing.of(store, made.subject)] == [(NOW + 60, made.id)]


def test_unblocking_takes_out_its_own_scope_and_only_blocks(store: Store) -> None:
    about = "203.0.113.9"
    made = recorded(
        store, [decision(about), decision(about, scope=SSH), decision(about, "allow"), decision(about, "ignore")]
    )
    assert len(standing.of(store, made[0].subject)) == 4
    for scope, taken_out in ((SSH, 2), (Scope(), 1)):
        changes = kept(store, [decision(about, "unblock", scope=scope)])[1]
        assert [(change.standing.decision, change.removed) for change in changes] == [(taken_out, True)]
    assert {one.listing for one in standing.of(store, made[0].subject)} == {"allow", "ignore"}
    recorded(store, [decision(about, "disallow"), decision(about, "unignore")])
    assert standing.of(store, made[0].subject) == []


def test_unblocking_lifts_a_throttle_too(store: Store) -> None:
    about = "203.0.113.9"
    (made,) = recorded(store, [decision(about, "throttle")])
    assert standing.of(store, made.subject)[0].listing == "throttle"
    assert standing.count(store, "throttle") == 1
    changes = kept(store, [decision(about, "unblock")])[1]
    assert [(change.standing.listing, change.removed) for change in changes] == [("throttle", True)]
    recorded(store, [decision("203.0.113.10"), decision("203.0.113.10", "unblock")])
    lifted = {(one.listing, one.subject.value) for one in standing.taken_off(store, 0.0)}
    assert lifted == {("block", about), ("throttle", about), ("block", "203.0.113.10")}
    recorded(store, [decision(about, "throttle")])
    assert ("throttle", about) not in {(one.listing, one.subject.value) for one in standing.taken_off(store, 0.0)}


def test_alerts_and_simulated_decisions_change_nothing(store: Store) -> None:
    recorded(store, [decision("203.0.113.9")])
    quiet = [
        decision("203.0.113.10", "alert"),
        decision("203.0.113.10", simulated=True),
        decision("203.0.113.9", "unblock", simulated=True),
    ]
    assert kept(store, quiet)[1] == []


def test_what_covers_an_address(store: Store) -> None:
    about = ["203.0.113.0/24", "203.0.113.9", "203.0.113.10", "0.0.0.0/0", "2001:db8::/64"]
    recorded(store, [*map(decision, about), decision("203.0.113.8/30", "allow", until=None)])
    found = standing.covering(store, parse_network("203.0.113.9"), NOW)
    assert [one.subject.value for one in found] == ["203.0.113.9", "203.0.113.8/30", "203.0.113.0/24", "0.0.0.0/0"]
    assert [one.listing for one in found] == ["block", "allow", "block", "block"]
    assert [one.decision for one in standing.covering(store, parse_network("2001:db8::5"), NOW)] == [5]
    ended = standing.covering(store, parse_network("203.0.113.9"), NOW + 3600)
    assert [one.listing for one in ended] == ["allow"]


def test_what_has_ended_is_taken_out_once(store: Store) -> None:
    recorded(store, [decision(f"203.0.113.{number}", until=NOW + number) for number in (3, 1, 2)])
    recorded(store, [decision("203.0.113.4", until=None)])
    with store.transaction():
        assert [one.until for one in standing.expire(store, NOW + 2)] == [NOW + 1, NOW + 2]
        assert standing.expire(store, NOW + 2) == []
    assert standing.count(store, "block") == 2


def test_a_long_list_comes_in_pages_while_it_is_being_changed(store: Store) -> None:
    number = 2 * standing.PAGE_ROWS + 10
    recorded(store, [decision(address(place)) for place in range(number)])
    recorded(store, [decision(address(0), scope=SSH), decision(address(0), "allow")])
    seen = []
    for one in standing.all_of(store, "block"):
        seen.append(one)
        if len(seen) == 5:
            recorded(store, [decision(address(3), "unblock")])
    assert len(seen) == number + 1
    assert all((a.subject.value, str(a.scope)) < (b.subject.value, str(b.scope)) for a, b in pairwise(seen))
    assert standing.count(store, "block") == number
    assert [one.listing for one in standing.all_of(store, "allow")] == ["allow"]


Key = tuple[str, str, frozenset[Port], str]  # list, subject, ports, direction
SUBJECTS = ("203.0.113.9", "203.0.113.0/24", "2001:db8::/64")
SCOPES = (Scope(), SSH, Scope((Port(22), Port(53, "udp"))), Scope((Port(53, "udp"), Port(22))), Scope((), "out"))
VERDICTS: tuple[Verdict, ...] = ("block", "block", "unblock", "allow", "disallow", "ignore", "unignore", "alert")
LISTS: tuple[Listing, ...] = ("block", "allow", "ignore")

some_decisions = some.builds(
    decision,
    some.sampled_from(SUBJECTS),
    some.sampled_from(VERDICTS),
    until=some.sampled_from([None, NOW + 1, NOW + 2, NOW + 3]),
    origin=some.sampled_from(["detector:brute_force", "operator:root", "feed:example"]),
    scope=some.sampled_from(SCOPES),
    simulated=some.sampled_from([False, False, False, True]),
)
some_batches = some.lists(
    some.tuples(some.lists(some_decisions, max_size=6), some.sampled_from([0.0, 1.5, 2.5])), max_size=5
)


def believe(model: dict[Key, tuple[float | None, int]], one: Decision) -> None:
    """The rules again, as plainly as they can be said."""
    if one.simulated or one.verdict == "alert":
        return
    listing = {"un": one.verdict[2:], "di": one.verdict[3:]}.get(one.verdict[:2], one.verdict)
    key = (listing, one.subject.value, frozenset(one.scope.ports), one.scope.direction)
    if listing != one.verdict:
        model.pop(key, None)
        return
    forever = float("inf")
    if key in model and not one.origin.startswith("operator:"):
        stands = model[key][0]
        if (forever if one.until is None else one.until) <= (forever if stands is None else stands):
            return
    model[key] = (one.until, one.id)


def key_of(one: Standing) -> Key:
    return (one.listing, one.subject.value, frozenset(one.scope.ports), one.scope.direction)


@given(some_batches)
def test_any_decisions_leave_standing_what_a_simple_model_says(batches: list[tuple[list[Decision], float]]) -> None:
    model: dict[Key, tuple[float | None, int]] = {}
    kernel: dict[Key, tuple[float | None, int]] = {}
    with TemporaryDirectory() as directory, opened(Path(directory)) as store:
        for made, elapsed in batches:
            numbered, changes = kept(store, made)
            for one in numbered:
                believe(model, one)
            for change in changes:
                if change.removed:
                    del kernel[key_of(change.standing)]
                else:
                    kernel[key_of(change.standing)] = (change.standing.until, change.standing.decision)
            with store.transaction():
                ended = {key_of(one) for one in standing.expire(store, NOW + elapsed)}
            assert ended == {key for key, (until, _) in model.items() if until is not None and until <= NOW + elapsed}
            model = {key: value for key, value in model.items() if key not in ended}
            kernel = {key: value for key, value in kernel.items() if key not in ended}
            stands = [one for listing in LISTS for one in standing.all_of(store, listing)]
            assert {key_of(one): (one.until, one.decision) for one in stands} == model == kernel


def test_subjects_that_never_stood_do_not_stand(store: Store) -> None:
    assert standing.of(store, Subject.parse("203.0.113.9")) == []
    assert standing.count(store, "block") == 0
    assert list(standing.all_of(store, "block")) == []
