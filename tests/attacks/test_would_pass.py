"""would-pass beside a running durward: it knows what the engine decided, and whether its rules are in force."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.attacks.firewalled import CLOSED, OPEN, Firewalled

pytestmark = pytest.mark.kernel
REFUSED = 3


@pytest.fixture(scope="module")
def scene() -> Iterator[Firewalled]:
    with Firewalled() as scene:
        yield scene


def ask(scene: Firewalled, source: str, port: int) -> dict[str, Any]:
    return scene.durward.ask("would-pass", "--from", source, "--port", str(port))


def test_it_says_what_attackers_meet(scene: Firewalled) -> None:
    attacker = scene.stranger()
    for port in (OPEN, CLOSED):
        answer = ask(scene, attacker.address, port)
        assert (answer["passes"], answer["notes"]) == (scene.reaches(attacker, port), [])


def test_a_block_is_known_with_its_undo(scene: Firewalled) -> None:
    attacker = scene.stranger()
    scene.does("block", attacker.address)
    refused = ask(scene, attacker.address, OPEN)
    assert (refused["passes"], refused["undo"]) == (False, f"durward unblock {attacker.address}")
    assert scene.durward.type(refused["undo"]).returncode == 0
    assert ask(scene, attacker.address, OPEN)["passes"]


def test_settings_that_are_not_in_force_are_said_to_be(scene: Firewalled) -> None:
    attacker = scene.stranger()
    scene.set_ports(f"22,{OPEN},{CLOSED}")
    answer = ask(scene, attacker.address, CLOSED)
    assert answer["passes"]
    assert not scene.reaches(attacker, CLOSED)
    (note,) = answer["notes"]
    assert "differs" in note
    scene.set_ports(f"22,{OPEN}")


def test_a_policy_that_breaks_an_assertion_is_not_applied(scene: Firewalled) -> None:
    scene.etc("policy.assert").write_text(f"nobody reaches {CLOSED}\nanyone reaches {OPEN}\n", encoding="utf-8")
    before = scene.table()
    scene.set_ports(f"22,{CLOSED}")
    done = scene.types("apply")
    assert done.returncode == REFUSED
    assert f"policy.assert:1: nobody reaches {CLOSED}" in done.stderr
    assert f"policy.assert:2: anyone reaches {OPEN}" in done.stderr
    assert scene.table() == before
    scene.set_ports(f"22,{OPEN}")
    scene.does("apply")
    scene.does("rollback")
