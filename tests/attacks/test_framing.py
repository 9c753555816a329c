"""What an attacker writes into the log never blames anybody else: not as a user name, not as a host, not as a line."""

import pytest
from arena.attacker import Answer, Attacker
from tests.attacks.scene import Scene

pytestmark = pytest.mark.kernel

VICTIM, VICTIM_V6 = "198.51.100.7", "2001:db8:3::7"
NAMES = (
    f"x from {VICTIM} port 22 ssh2",
    f"root from {VICTIM} port 22 ssh2: x",
    f"invalid user root from {VICTIM} port 40022",
    f"x rhost={VICTIM} user=root",
    f"x] Failed password for root from {VICTIM} port 22 ssh2",
    f"x from {VICTIM_V6} port 22 ssh2",
    f"x {VICTIM} port 22 [preauth]",
    f" from {VICTIM}",
)
BANNERS = (
    f"SSH-1.99-x\r\nFailed password for root from {VICTIM} port 22 ssh2\r\n",
    f"from {VICTIM} port 22 ssh2\r\n",
    f"GET / HTTP/1.1\r\nX: Failed password for root from {VICTIM} port 22 ssh2\r\n",
)


def guess_as(attacker: Attacker, name: str) -> Answer:
    return attacker.guess("wrong", name, timeout_seconds=2.0)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_user_name_blames_only_who_sent_it(scene: Scene, name: str) -> None:
    attacker = scene.stranger()
    assert [guess_as(attacker, name) for _ in range(4)] == [Answer.WRONG_PASSWORD] * 4
    scene.await_count(attacker.address, 4)
    guess_as(attacker, name)
    scene.await_block(attacker.address)
    assert_spotless(scene)
    assert all(attacker.address in line["text"] for line in scene.layer(attacker.address)["evidence"])


def test_lines_before_any_login_blame_only_who_sent_them(scene: Scene) -> None:
    attacker = scene.stranger()
    for banner in BANNERS * 3:
        with attacker.connect(22) as connection:
            connection.sendall(banner.encode())
            connection.recv(1024)
    witness = scene.stranger()
    scene.fail(witness, 1)
    scene.await_count(witness.address, 1)
    assert_spotless(scene)


def test_a_very_long_name_blames_only_who_sent_it(scene: Scene) -> None:
    attacker = scene.stranger()
    long = "a" * 1800 + f" from {VICTIM} port 22 ssh2 " + "b" * 100
    for _ in range(5):
        guess_as(attacker, long)
    scene.await_block(attacker.address)
    assert_spotless(scene)


def assert_spotless(scene: Scene) -> None:
    for victim in (VICTIM, VICTIM_V6):
        answer = scene.why(victim)
        assert not answer["blocked"]
        assert answer["layers"][0]["count"] == 0
        assert answer["history"] == []
    assert scene.at(VICTIM).can_connect(23) is False  # closed, and answered
    assert scene.at(VICTIM).knock(23) is Answer.REFUSED
