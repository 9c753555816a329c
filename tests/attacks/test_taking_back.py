"""An unblock works at once and begins the count anew; whoever is blocked again after his time is blocked for longer."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from arena.attacker import Answer
from tests.attacks.scene import FROM_LOG, SETTINGS, Scene, is_silent

pytestmark = pytest.mark.kernel

FAMILIES = pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])
SHORT_BLOCKS = '\n[detectors.brute_force]\nblock_for = "10s"\nblock_for_max = "30s"\n'
SLACK_SECONDS = 2.0


@pytest.fixture(scope="module")
def short() -> Iterator[Scene]:
    with Scene(settings=SETTINGS + FROM_LOG + SHORT_BLOCKS) as scene:
        yield scene


def seconds_of(layer: dict[str, Any]) -> float:
    until, made_at = (datetime.fromisoformat(layer[name]) for name in ("until", "made_at"))
    return (until - made_at).total_seconds()


@FAMILIES
def test_an_unblock_lets_in_at_once_and_forgets_the_count(scene: Scene, ipv6: bool) -> None:
    attacker = scene.stranger(ipv6=ipv6)
    first = scene.get_blocked(attacker)
    reply = scene.durward.ask("unblock", attacker.address)
    assert reply["enforced"] is True
    assert attacker.can_connect()
    assert scene.count_of(attacker.address) <= 1, "only the knock just now may count"
    assert scene.fail(attacker, 1) == [Answer.WRONG_PASSWORD]
    assert not scene.is_blocked(attacker.address)
    second = scene.get_blocked(attacker)
    assert second["decision"] > first["decision"]
    assert second["receipt"] != first["receipt"]


def test_five_more_after_an_unblock_and_not_four(scene: Scene) -> None:
    attacker = scene.stranger()
    scene.get_blocked(attacker)
    scene.durward.ask("unblock", attacker.address)
    assert scene.fail(attacker, 4) == [Answer.WRONG_PASSWORD] * 4
    scene.await_count(attacker.address, 4)
    assert scene.fail(attacker, 1) == [Answer.REFUSED]
    scene.await_block(attacker.address)
    log = [entry for entry in scene.log() if entry["subject"] == attacker.address]
    assert [entry["verdict"] for entry in log] == ["block", "unblock", "block"]


def test_a_mistake_does_not_lengthen_the_next_block(scene: Scene) -> None:
    attacker = scene.stranger()
    first = scene.get_blocked(attacker)
    assert first["next_time"] == "2h"
    scene.durward.ask("unblock", attacker.address)
    second = scene.get_blocked(attacker)
    assert abs(seconds_of(second) - seconds_of(first)) < SLACK_SECONDS


@pytest.mark.slow
def test_each_block_that_ran_out_makes_the_next_one_longer(short: Scene) -> None:
    attacker = short.stranger()
    lengths = []
    for promised in ("20s", "30s"):
        layer = short.get_blocked(attacker)
        lengths.append(seconds_of(layer))
        assert layer["next_time"] == promised
        if promised == "20s":
            assert is_silent(attacker)
            short.wait(lambda: attacker.knock(23, 0.3) is Answer.REFUSED, "the first block runs out in the kernel", 15)
            assert not short.is_blocked(attacker.address)
    assert [round(length) for length in lengths] == [10, 20]
