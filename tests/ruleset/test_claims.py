"""Whoever claims an element, and what is left when one of several does no more."""

from hypothesis import example, given
from hypothesis import strategies as st

from durward.model import EVERYTHING, Scope, Standing, Subject
from durward.ruleset.claims import Claims
from durward.ruleset.elements import Element, ElementKey, desired

NOW = 1_795_000_000.0
SUBJECTS = ["203.0.113.8", "203.0.113.9", "203.0.113.8/31", "203.0.113.8/30", "203.0.113.8/29"]


def standing(subject: str, until: float | None = NOW + 60, decision: int = 1, scope: Scope = EVERYTHING) -> Standing:
    return Standing("block", Subject.parse(subject), scope, until, decision)


def test_lifting_one_of_two_restores_the_other() -> None:
    claims = Claims()
    around, within = standing("203.0.113.8/31", NOW + 60, 1), standing("203.0.113.9", NOW + 600, 2)
    assert len(claims.add(around, NOW)) == 2
    assert [element.comment for element in claims.add(within, NOW)] == ["decision 2"]
    assert claims.add(around, NOW) == [Element("block4_32", bytes((203, 0, 113, 8)), 60.0, "decision 1")]
    change = claims.drop(within, NOW + 10)
    assert (change.take, [(one.timeout_seconds, one.comment) for one in change.put]) == ([], [(50.0, "decision 1")])
    assert len(claims.drop(around, NOW + 10).take) == 2
    assert len(claims) == 0


def test_what_has_run_out_claims_nothing() -> None:
    claims = Claims()
    claims.add(standing("203.0.113.9", NOW + 60), NOW)
    claims.expire(NOW + 59)
    assert len(claims) == 1
    claims.expire(NOW + 60)
    assert len(claims) == 0


def test_only_what_is_kept_stays() -> None:
    claims = Claims()
    first = [element.identity for element in claims.add(standing("203.0.113.9"), NOW)]
    (second,) = [element.identity for element in claims.add(standing("203.0.113.7"), NOW)]
    assert claims.keep_only("allow", set()) == []
    assert claims.keep_only("block", {(first[0], "203.0.113.9")}) == [second]
    assert claims.keys([standing("203.0.113.9")]) == [first]


def test_a_block_and_a_throttle_of_one_network_need_each_other_for_nothing() -> None:
    claims = Claims()
    block = standing("203.0.113.0/24", None, 1)
    throttle = Standing("throttle", block.subject, EVERYTHING, NOW + 60, 2)
    near = {element.set_name for one in (block, throttle) for element in claims.add(one, NOW)} - {"block4_24"}
    assert near == {"block_near4_16", "throttle_near4_16", "throttle4_24"}
    assert {key.set_name for key in claims.drop(throttle, NOW).take} == {"throttle4_24", "throttle_near4_16"}
    claims.add(throttle, NOW)
    assert claims.keep_only("throttle", set()) != []
    assert {element.set_name for element in claims.elements(NOW)} == {"block4_24", "block_near4_16"}


ACTS = st.lists(
    st.tuples(st.booleans(), st.sampled_from(SUBJECTS), st.one_of(st.none(), st.integers(1, 100))), max_size=25
)


@given(ACTS)
@example([(True, "203.0.113.9", 50), (True, "203.0.113.8/31", 100), (True, "203.0.113.8/31", 10)])
def test_the_kernel_has_what_is_desired_after_any_acts(acts: list[tuple[bool, str, int | None]]) -> None:
    claims, kernel, standings = Claims(), {}, {}
    for number, (is_added, subject, seconds) in enumerate(acts):
        one = standing(subject, None if seconds is None else NOW + seconds, number)
        if is_added:
            standings[subject] = one
            kernel.update({element.identity: element for element in claims.add(one, NOW)})
        else:
            standings.pop(subject, None)
            change = claims.drop(one, NOW)
            for key in change.take:
                kernel.pop(key, None)
            kernel.update({element.identity: element for element in change.put})
    wanted = desired(standings.values(), NOW)
    assert ends(kernel) == ends(wanted)


def ends(elements: dict[ElementKey, Element]) -> dict[ElementKey, float]:
    return {key: element.timeout_seconds for key, element in elements.items()}


def test_all_that_is_claimed_is_given_as_the_longest_claim_wants_it() -> None:
    claims = Claims()
    now = 1000.0
    short = Standing("block", Subject.parse("203.0.113.9"), EVERYTHING, now + 60, 1)
    wide = Standing("block", Subject.parse("203.0.113.8/31"), EVERYTHING, now + 600, 2)
    for one in (short, wide):
        claims.add(one, now)
    found = claims.elements(now)
    assert [(one.timeout_seconds, one.comment) for one in found] == [(600.0, "decision 2")] * 2
    assert claims.elements(now, [found[0].identity]) == found[:1]
    assert claims.elements(now + 601) == []
    assert claims.elements(now, [found[0].identity._replace(set_name="nowhere")]) == []
