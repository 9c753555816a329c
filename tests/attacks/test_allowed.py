"""Whoever is allowed or ignored is never blocked, however he came on the list; and what is not on one still is."""

import time
from collections.abc import Iterator

import pytest
from arena.attacker import Answer, Attacker
from tests.attacks.scene import Scene, is_silent

pytestmark = pytest.mark.kernel

ALLOWED, ALLOWED_NETWORK, IGNORED = "198.51.100.41", "198.51.100.44/31", "198.51.100.42"
ALLOWED_V6 = "2001:db8:40::9"
LISTS = {
    "allow.list": f"# office\n{ALLOWED} # the office - Mon Nov 23 08:00:00 2026\n{ALLOWED_NETWORK}\n{ALLOWED_V6}\n",
    "ignore.list": f"{IGNORED}\n",
}
MANY = 20


@pytest.fixture(scope="module")
def listed() -> Iterator[Scene]:
    with Scene(lists=LISTS) as scene:
        yield scene


def assert_free_after_many(scene: Scene, attacker: Attacker) -> None:
    assert scene.fail(attacker, MANY) == [Answer.WRONG_PASSWORD] * MANY
    assert_read(scene)
    assert not scene.is_blocked(attacker.address)
    assert attacker.can_connect()
    assert [
        entry for entry in scene.log() if entry["subject"] == attacker.address and entry["verdict"] == "block"
    ] == []


def assert_read(scene: Scene) -> None:
    """Wait until a later line of somebody else was read: then all earlier ones were."""
    witness = scene.stranger()
    scene.fail(witness, 1)
    scene.await_count(witness.address, 1)


@pytest.mark.parametrize("address", [ALLOWED, "198.51.100.45", IGNORED, ALLOWED_V6])
def test_who_was_listed_before_the_start_is_never_blocked(listed: Scene, address: str) -> None:
    assert_free_after_many(listed, listed.at(address))


def test_why_names_what_allows_and_what_ignores(listed: Scene) -> None:
    allowed, ignored = listed.why(ALLOWED), listed.why(IGNORED)
    assert allowed["allowed"] is True
    assert "allow.list" in allowed["allowed_by"] or "decision" in allowed["allowed_by"]
    assert (ignored["allowed"], ignored["ignored"]) == (False, True)
    assert "ignore.list" in ignored["ignored_by"]


def test_the_neighbour_of_an_allowed_address_is_blocked(listed: Scene) -> None:
    neighbour = listed.at("198.51.100.43")
    listed.get_blocked(neighbour)
    assert is_silent(neighbour)


def test_an_allowed_address_passes_a_block_of_its_network(listed: Scene) -> None:
    inside, allowed = listed.at("198.51.100.50"), listed.at(ALLOWED)
    assert listed.durward.command("block", "198.51.100.0/24").returncode == 0
    try:
        assert is_silent(inside)
        assert allowed.guess("correct-horse-9", "alice") is Answer.LET_IN
        assert not listed.is_blocked(ALLOWED)
    finally:
        assert listed.durward.command("unblock", "198.51.100.0/24").returncode == 0
    assert inside.can_connect()


def test_allowed_at_run_time_and_taken_back(listed: Scene) -> None:
    attacker = listed.stranger()
    assert listed.durward.ask("allow", attacker.address)["enforced"] is True
    assert_free_after_many(listed, attacker)
    assert [entry["subject"] for entry in listed.lines("list", "allowed")].count(attacker.address) == 1
    assert listed.durward.command("disallow", attacker.address).returncode == 0
    listed.get_blocked(attacker)
    assert is_silent(attacker)


def test_ignored_at_run_time_and_taken_back(listed: Scene) -> None:
    attacker = listed.stranger()
    assert listed.durward.command("ignore", attacker.address).returncode == 0
    assert_free_after_many(listed, attacker)
    assert listed.durward.command("unignore", attacker.address).returncode == 0
    listed.get_blocked(attacker)


def test_allowed_for_a_while_only(listed: Scene) -> None:
    attacker = listed.stranger()
    assert listed.durward.command("allow", attacker.address, "--for", "3s").returncode == 0
    assert listed.why(attacker.address)["allowed"] is True
    listed.wait(lambda: listed.why(attacker.address)["allowed"] is False, "the time of the allowance is over")
    listed.get_blocked(attacker)
    assert is_silent(attacker)


def test_an_edited_allow_list_is_followed_while_running(listed: Scene) -> None:
    attacker = listed.stranger()
    before = listed.etc("allow.list").read_text(encoding="utf-8")
    listed.etc("allow.list").write_text(f"{before}{attacker.address}\n", encoding="utf-8")
    listed.wait(lambda: bool(listed.why(attacker.address)["allowed"]), "the new line of allow.list is read")
    assert_free_after_many(listed, attacker)
    time.sleep(0.01)  # another time stamp than the first edit
    listed.etc("allow.list").write_text(before, encoding="utf-8")
    listed.wait(lambda: not listed.why(attacker.address)["allowed"], "the line is gone again")
    listed.get_blocked(attacker)
    assert is_silent(attacker)


def test_a_line_in_allow_list_frees_whoever_is_blocked(listed: Scene) -> None:
    attacker = listed.stranger()
    listed.get_blocked(attacker)
    before = listed.etc("allow.list").read_text(encoding="utf-8")
    listed.etc("allow.list").write_text(f"{before}{attacker.address}\n", encoding="utf-8")
    listed.wait(attacker.can_connect, "the allowed address can connect")
    assert not listed.is_blocked(attacker.address)
    listed.etc("allow.list").write_text(before, encoding="utf-8")
    listed.wait(lambda: is_silent(attacker), "the block holds again without the line")


def test_a_line_in_deny_list_blocks_and_its_removal_frees(listed: Scene) -> None:
    attacker = listed.stranger()
    listed.etc("deny.list").write_text(f"{attacker.address} # unwanted\n", encoding="utf-8")
    listed.await_block(attacker.address)
    assert is_silent(attacker)
    assert listed.layer(attacker.address)["origin"] == "list:deny.list"
    listed.etc("deny.list").write_text("", encoding="utf-8")
    listed.wait(attacker.can_connect, "the line is gone and so is the block")
