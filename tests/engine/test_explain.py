"""Explanations have the shape that programs rely on, for a block, for none, and for what exempts."""

import json

from tests.engine.samples import HERE, NOW, SUBJECT, engine, failures, fed

from durward.engine.explain import Case, Held, Past, explanation, history_entry, moment, ports_of, undo_of
from durward.model import EVERYTHING, Decision, Port, Scope, Standing, Subject

PROMISED = {
    *("layer", "blocked", "decision", "receipt", "origin", "reason", "count", "threshold", "made_at", "until"),
    *("packets", "bytes", "evidence", "undo", "next_time"),
}


def block() -> Decision:
    (made,) = fed(engine(), failures(5))
    return made


def held(made: Decision, *, in_kernel: bool = True, next_seconds: float | None = 7200.0) -> Held:
    stands = Standing("block", made.subject, made.scope, made.until, 17)
    return Held(stands, made, packets=12, bytes=720, in_kernel=in_kernel, next_seconds=next_seconds)


def case(*blocks: Held, allowed: str | None = None, ignored: str | None = None, past: tuple[Past, ...] = ()) -> Case:
    return Case(SUBJECT, blocks, past, allowed, ignored, hits=3, threshold=5)


def test_a_block_is_explained_with_everything_that_was_promised() -> None:
    answer = json.loads(json.dumps(explanation(case(held(block())))))
    assert (answer["subject"], answer["blocked"], answer["allowed"]) == (HERE, True, False)
    (layer,) = answer["layers"]
    assert layer.keys() >= PROMISED
    assert (layer["layer"], layer["origin"], layer["blocked"]) == ("block", "detector:brute_force", True)
    assert (layer["count"], layer["threshold"], layer["packets"], layer["bytes"]) == (5, 5, 12, 720)
    assert (layer["undo"], layer["next_time"], layer["within"]) == (f"durward unblock {HERE}", "2h", "1h")
    assert layer["made_at"] == "2026-11-23T08:10:04.000+00:00"
    assert layer["until"] == "2026-11-23T09:10:04.000+00:00"
    assert len(layer["evidence"]) == 5
    assert layer["evidence"][0] == {
        "source": "file:auth.log",
        "position": 0,
        "at": "2026-11-23T08:10:00.000+00:00",
        "text": f"failure of {HERE} at 0",
    }


def test_a_block_by_a_person_has_no_evidence_and_no_next_time() -> None:
    made = Decision("block", SUBJECT, NOW, None, "abuse", "operator:root", Scope((Port(22), Port(53, "udp"))))
    (layer,) = explanation(case(held(made, next_seconds=None)))["layers"]
    assert (layer["until"], layer["next_time"], layer["evidence"], layer["ports"]) == (None, None, [], "22,53/udp")
    assert undo_of(made) == f"durward unblock {HERE}"


def test_nobody_is_blocked_by_what_the_kernel_does_not_have() -> None:
    answer = explanation(case(held(block(), in_kernel=False)))
    assert (answer["blocked"], answer["layers"][0]["blocked"]) == (False, False)


def test_who_is_allowed_is_not_blocked() -> None:
    answer = explanation(case(held(block()), allowed="allow.list:3"))
    assert (answer["blocked"], answer["allowed"], answer["allowed_by"]) == (False, True, "allow.list:3")


def test_who_is_not_blocked_gets_an_answer_too() -> None:
    answer = explanation(case(ignored="ignore.list:1"))
    assert answer["layers"] == [{"layer": "block", "blocked": False, "count": 3, "threshold": 5}]
    assert (answer["blocked"], answer["ignored"], answer["ignored_by"]) == (False, True, "ignore.list:1")


def test_several_blocks_are_several_layers() -> None:
    around = Decision("block", Subject.parse("203.0.113.0/24"), NOW, None, "abuse", "operator:root")
    answer = explanation(case(held(block(), in_kernel=False), held(around, next_seconds=None)))
    assert [layer["subject"] for layer in answer["layers"]] == [HERE, "203.0.113.0/24"]
    assert answer["blocked"]


def test_history_says_what_a_guard_refused() -> None:
    entry = history_entry(block(), "it is the gateway")
    assert (entry["refused"], entry["verdict"], entry["simulated"]) == ("it is the gateway", "block", False)
    assert "refused" not in history_entry(block(), None)
    answer = explanation(case(past=(Past(block(), None), Past(block(), "it is the gateway"))))
    assert ["refused" in past for past in answer["history"]] == [False, True]


def test_times_and_ports_are_written_for_programs() -> None:
    assert moment(None) is None
    assert moment(0.25) == "1970-01-01T00:00:00.250+00:00"
    assert ports_of(EVERYTHING) == ""
