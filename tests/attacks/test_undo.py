"""`undo` takes one decision back, by its number or its receipt: a block, an allowance, and also an unblock."""

import pytest
from tests.attacks.scene import Scene, is_silent

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("name", ["decision", "receipt"])
def test_undo_of_a_block_lets_in(scene: Scene, name: str) -> None:
    stranger = scene.stranger()
    made = scene.durward.ask("block", stranger.address)
    assert is_silent(stranger)
    undone = scene.durward.ask("undo", str(made[name]))
    assert (undone["undone"], undone["verdict"], undone["subject"]) == (made["decision"], "unblock", stranger.address)
    assert undone["enforced"] is True
    assert stranger.can_connect()


def test_undo_of_an_automatic_block_clears_the_count(scene: Scene) -> None:
    attacker = scene.stranger()
    layer = scene.get_blocked(attacker)
    scene.durward.ask("undo", str(layer["decision"]))
    assert attacker.can_connect()
    scene.fail(attacker, 1)
    assert not scene.is_blocked(attacker.address)


def test_undo_of_an_unblock_blocks_for_the_rest_of_the_time(scene: Scene) -> None:
    stranger = scene.stranger()
    made = scene.durward.ask("block", stranger.address, "--for", "1h")
    lifted = scene.durward.ask("unblock", stranger.address)
    again = scene.durward.ask("undo", str(lifted["decision"]))
    assert (again["verdict"], again["enforced"]) == ("block", True)
    assert again["until"] == made["until"]
    assert is_silent(stranger)


def test_undo_of_an_unblock_keeps_the_evidence(scene: Scene) -> None:
    attacker = scene.stranger()
    first = scene.get_blocked(attacker)
    lifted = scene.durward.ask("unblock", attacker.address)
    scene.durward.ask("undo", str(lifted["decision"]))
    assert is_silent(attacker)
    layer = scene.layer(attacker.address)
    assert layer["evidence"] == first["evidence"]
    assert layer["until"] == first["until"]


def test_undo_of_an_allowance_lets_blocks_hold_again(scene: Scene) -> None:
    stranger = scene.stranger()
    allowed = scene.durward.ask("allow", stranger.address)
    scene.durward.ask("undo", str(allowed["decision"]))
    scene.get_blocked(stranger)
    assert is_silent(stranger)


def test_what_no_longer_stands_cannot_be_undone(scene: Scene) -> None:
    stranger = scene.stranger()
    made = scene.durward.ask("block", stranger.address)
    scene.durward.ask("unblock", stranger.address)
    for name in (str(made["decision"]), "4000000000", "ZZZZ-ZZZZ"):
        done = scene.durward.command("undo", name)
        assert (done.returncode, done.stdout) == (1, ""), name


def test_undo_of_a_block_of_ports_leaves_the_other_block(scene: Scene) -> None:
    stranger = scene.stranger()
    first = scene.durward.ask("block", stranger.address, "--port", "8080")
    other = scene.durward.ask("block", stranger.address, "--port", "2222")
    scene.durward.ask("undo", str(first["decision"]))
    assert not is_silent(stranger, 8080)
    assert is_silent(stranger, 2222), "the other decision was not undone"
    listed = [line["decision"] for line in scene.lines("list", "blocked") if line["subject"] == stranger.address]
    assert listed == [other["decision"]]
