"""A blocked address does not get through the door to a machine behind it either."""

from collections.abc import Iterator

import pytest
from arena.attacker import Answer, Attacker
from arena.network import YARD_IPV4, YARD_IPV6
from tests.attacks.scene import SILENCE_SECONDS, Scene, is_silent

pytestmark = pytest.mark.kernel

FAMILIES = pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])
CLOSED_PORT = 8080  # nobody listens in the yard: its own refusal shows that a packet came through


@pytest.fixture(scope="module")
def passage() -> Iterator[Scene]:
    with Scene(yard=True) as scene:
        yield scene


def beyond(scene: Scene, attacker: Attacker) -> Attacker:
    """Give the same somebody, who now aims at the machine in the yard."""
    target = YARD_IPV6 if ":" in attacker.address else YARD_IPV4
    return Attacker(scene.network, attacker.address, target=target)


@FAMILIES
def test_what_is_forwarded_for_a_blocked_address_is_dropped(passage: Scene, ipv6: bool) -> None:
    attacker, other = passage.stranger(ipv6=ipv6), passage.stranger(ipv6=ipv6)
    assert beyond(passage, attacker).knock(CLOSED_PORT) is Answer.REFUSED
    passage.get_blocked(attacker)
    before = passage.layer(attacker.address)["packets"]
    assert beyond(passage, attacker).knock(CLOSED_PORT, SILENCE_SECONDS) is Answer.NO_ANSWER
    assert passage.layer(attacker.address)["packets"] > before
    assert beyond(passage, other).knock(CLOSED_PORT) is Answer.REFUSED
    assert passage.durward.command("unblock", attacker.address).returncode == 0
    assert beyond(passage, attacker).knock(CLOSED_PORT) is Answer.REFUSED


@FAMILIES
def test_a_block_of_a_port_holds_for_what_is_forwarded_too(passage: Scene, ipv6: bool) -> None:
    attacker = passage.stranger(ipv6=ipv6)
    assert passage.durward.command("block", attacker.address, "--port", str(CLOSED_PORT)).returncode == 0
    assert beyond(passage, attacker).knock(CLOSED_PORT, SILENCE_SECONDS) is Answer.NO_ANSWER
    assert beyond(passage, attacker).knock(CLOSED_PORT + 1) is Answer.REFUSED


@FAMILIES
def test_a_block_outwards_stops_the_yard_as_well(passage: Scene, ipv6: bool) -> None:
    server = passage.stranger(ipv6=ipv6)
    assert passage.durward.command("block", server.address, "--out").returncode == 0
    # Its packets come in, but no answer reaches it: neither from the door nor from the yard.
    assert is_silent(server)
    assert beyond(passage, server).knock(CLOSED_PORT, SILENCE_SECONDS) is Answer.NO_ANSWER
