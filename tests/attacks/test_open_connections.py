"""Whoever is blocked loses the connections that he has, within a second; nobody else loses any."""

import time

import pytest
from arena.network import FRIEND_IPV4, FRIEND_IPV6
from tests.attacks.scene import Scene, is_silent

pytestmark = pytest.mark.kernel

FAMILIES = pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])
DYING_SECONDS = 1.0


@FAMILIES
def test_his_session_dies_with_the_block_and_a_friends_lives_on(scene: Scene, ipv6: bool) -> None:
    attacker = scene.stranger(ipv6=ipv6)
    friend = scene.at(FRIEND_IPV6 if ipv6 else FRIEND_IPV4)
    # Without a terminal he is no administrator, whom a guard would protect.
    with friend.open_session() as kept, attacker.open_session(terminal=False) as lost:
        assert lost.is_live()
        scene.fail(attacker, 5)
        scene.await_block(attacker.address)
        time.sleep(DYING_SECONDS)
        assert scene.established(attacker.address) == [], "the door still has a socket for him"
        assert not lost.is_live(0.5)
        assert kept.is_live()
        assert len(scene.established(friend.address)) == 1


def test_a_block_by_hand_ends_connections_too(scene: Scene) -> None:
    attacker = scene.stranger()
    with attacker.open_session(terminal=False) as lost:
        assert scene.durward.command("block", attacker.address).returncode == 0
        time.sleep(DYING_SECONDS)
        assert scene.established(attacker.address) == []
        assert not lost.is_live(0.5)


def test_a_block_of_a_network_ends_the_connections_of_all_in_it(scene: Scene) -> None:
    inside, outside = scene.at("198.51.100.33"), scene.at("198.51.100.97")
    with inside.open_session(terminal=False) as lost, outside.open_session(terminal=False) as kept:
        assert scene.durward.command("block", "198.51.100.32/27").returncode == 0
        time.sleep(DYING_SECONDS)
        assert scene.established(inside.address) == []
        assert not lost.is_live(0.5)
        assert kept.is_live()


def test_no_half_open_connection_stays_either(scene: Scene) -> None:
    attacker = scene.stranger()
    waiting = [attacker.connect(22) for _ in range(5)]  # nobody logs in on these
    try:
        assert len(scene.established(attacker.address)) == 5
        scene.get_blocked(attacker)
        scene.wait(lambda: scene.established(attacker.address) == [], "his waiting connections are ended")
        assert is_silent(attacker)
    finally:
        for connection in waiting:
            connection.close()
