"""Ten attackers at the same time: each is blocked with lines of his own, and nobody else is."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from arena.network import FRIEND_IPV4
from tests.attacks.scene import Scene, is_silent

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

ATTACKERS = 10


def test_ten_at_once_are_each_blocked_once_and_nobody_else_is(scene: Scene) -> None:
    attackers = [scene.stranger(ipv6=number % 3 == 0) for number in range(ATTACKERS)]
    cautious = scene.stranger()
    with scene.at(FRIEND_IPV4).open_session() as session, ThreadPoolExecutor(ATTACKERS + 1) as threads:
        working = [threads.submit(scene.fail, one, 8, user=f"admin{number}") for number, one in enumerate(attackers)]
        careful = threads.submit(scene.fail, cautious, 4, user="operator")
        for work in working:
            work.result()
        assert len(careful.result()) == 4
        assert session.is_live()
    for attacker in attackers:
        scene.await_block(attacker.address)
    assert all(is_silent(attacker) for attacker in attackers)
    assert cautious.can_connect()
    assert not scene.is_blocked(cautious.address)
    blocks = Counter(entry["subject"] for entry in scene.log() if entry["verdict"] == "block")
    own = {scene.layer(attacker.address)["subject"] for attacker in attackers}
    assert blocks == dict.fromkeys(own, 1), "one decision each"
    for attacker in attackers:
        evidence = scene.layer(attacker.address)["evidence"]
        assert len(evidence) == 5
        assert all(attacker.address in line["text"] for line in evidence)
