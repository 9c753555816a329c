"""Four wrong passwords leave somebody free, the fifth blocks: IPv4 by address, IPv6 by the whole /64."""

import pytest
from arena.attacker import Answer
from arena.network import FRIEND_IPV4, FRIEND_IPV6
from tests.attacks.scene import CUT_OFF, Scene, is_silent

pytestmark = pytest.mark.kernel

FAMILIES = pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])


@FAMILIES
def test_four_wrong_passwords_leave_him_free_and_the_fifth_does_not(scene: Scene, ipv6: bool) -> None:
    attacker = scene.stranger(ipv6=ipv6)
    assert scene.fail(attacker, 4) == [Answer.WRONG_PASSWORD] * 4
    scene.await_count(attacker.address, 4)
    assert not scene.is_blocked(attacker.address)
    assert attacker.can_connect()
    scene.fail(attacker, 1)
    scene.await_block(attacker.address)
    assert attacker.guess(timeout_seconds=1.0) is Answer.NO_ANSWER
    assert is_silent(attacker, 23), "a closed port shall give no answer either"


@FAMILIES
def test_who_logs_in_well_and_guesses_as_well_loses_ssh_alone(scene: Scene, ipv6: bool) -> None:
    insider = scene.stranger(ipv6=ipv6)
    assert insider.guess("correct-horse-9", "alice") is Answer.LET_IN
    scene.fail(insider, 5)
    scene.await_block(insider.address)
    assert is_silent(insider)
    assert not is_silent(insider, 23), "what else this host offers is open to an office with one guesser in it"
    assert scene.layer(insider.address)["ports"] == "22"


@FAMILIES
def test_a_forgetful_friend_who_logs_in_in_the_end_stays_free(scene: Scene, ipv6: bool) -> None:
    friend = scene.stranger(ipv6=ipv6)
    scene.fail(friend, 3, user="alice")
    assert friend.guess("correct-horse-9", "alice") is Answer.LET_IN
    assert friend.can_connect()


def test_wrong_passwords_on_one_connection_count_each(scene: Scene) -> None:
    attacker = scene.stranger()
    answer, tried = attacker.guess_many([f"wrong-{number}" for number in range(6)], timeout_seconds=10.0)
    scene.await_block(attacker.address)
    assert tried >= 5
    assert answer in {*CUT_OFF, Answer.WRONG_PASSWORD}
    assert is_silent(attacker)


def test_names_that_do_not_exist_count_like_any_other(scene: Scene) -> None:
    attacker = scene.stranger()
    for number in range(4):
        assert attacker.guess("x", f"nobody{number}") is Answer.WRONG_PASSWORD
    scene.await_count(attacker.address, 4)
    assert not scene.is_blocked(attacker.address)
    attacker.guess("x", "nobody4", timeout_seconds=2.0)
    scene.await_block(attacker.address)


def test_the_whole_64_is_refused_and_no_other_one(scene: Scene) -> None:
    attacker, neighbour = scene.at("2001:db8:70:1::9"), scene.at("2001:db8:70:1:ffff::1")
    other = scene.at("2001:db8:70:2::9")
    scene.get_blocked(attacker)
    assert is_silent(neighbour)
    assert scene.is_blocked(neighbour.address)
    assert other.can_connect()
    assert not scene.is_blocked(other.address)


def test_guesses_from_all_over_one_64_count_together(scene: Scene) -> None:
    guessers = [scene.at(f"2001:db8:71:1::{number}") for number in range(1, 6)]
    for guesser in guessers[:4]:
        assert guesser.guess() is Answer.WRONG_PASSWORD
    scene.await_count(guessers[0].address, 4)
    assert guessers[0].can_connect()
    guessers[4].guess(timeout_seconds=2.0)
    scene.await_block(guessers[4].address)
    assert is_silent(guessers[0])
    assert scene.layer(guessers[0].address)["subject"] == "2001:db8:71:1::/64"


def test_nobody_else_is_touched(scene: Scene) -> None:
    scene.get_blocked(scene.stranger())
    assert all(scene.at(address).can_connect() for address in (FRIEND_IPV4, FRIEND_IPV6, "198.51.100.7"))
    blocked = {entry["subject"] for entry in scene.lines("list", "blocked")}
    assert FRIEND_IPV4 not in blocked
