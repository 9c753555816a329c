"""Somebody holds too many connections: he is blocked and it is explained; who holds fewer, or goes out, is let be."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from arena.attacker import Attacker
from arena.namespace import open_socket
from arena.network import YARD_IPV4
from tests.attacks.scene import FROM_LOG, Scene, is_silent

pytestmark = [pytest.mark.kernel, pytest.mark.alone]

PORT, OTHER_PORT = 8080, 8081
LIMIT, NETWORK_LIMIT = 60, 90
SETTINGS = f"""\
[firewall]
enabled = false

[detectors.connections]
count = {LIMIT}
network_count = {NETWORK_LIMIT}
every = "1s"
ports = "{PORT}"
"""
TRACKED = """\
table inet tracked {
    chain forward { type filter hook forward priority 0; ct state new accept; }
}
"""


class Crowded(Scene):
    """A door with a server, a yard with another one, and connections that stay open until the scene ends."""

    def __init__(self) -> None:
        super().__init__(settings=SETTINGS + FROM_LOG, yard=True)
        self.open = ExitStack()

    def before_start(self) -> None:
        network = self.network
        network.run_in(network.door, ["nft", "-f", "-"], input=TRACKED, check=True)
        assert network.yard is not None
        for place, address in ((network.door, "::"), (network.yard, YARD_IPV4)):
            for port in (PORT, OTHER_PORT):
                listen(self.open, place, (address, port))
        self._places.callback(self.open.close)

    def hold(self, attacker: Attacker, times: int, port: int = PORT) -> None:
        """Open connections and keep them."""
        for _ in range(times):
            self.open.enter_context(attacker.connect(port, 2.0))


def listen(places: ExitStack, namespace: str, address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    listening = places.enter_context(open_socket(namespace, family, socket.SOCK_STREAM))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(address)
    listening.listen(1000)


@pytest.fixture(scope="module")
def crowded() -> Iterator[Crowded]:
    with Crowded() as scene:
        yield scene


def beyond(scene: Scene, attacker: Attacker) -> Attacker:
    """Give the same somebody, who now aims at the machine in the yard."""
    return Attacker(scene.network, attacker.address, target=YARD_IPV4)


def test_a_flood_is_blocked_and_explained_and_nobody_else_is_touched(crowded: Crowded) -> None:
    attacker, other = crowded.stranger(), crowded.stranger()
    crowded.hold(other, 20)
    crowded.hold(attacker, LIMIT)
    crowded.hold(attacker, LIMIT, OTHER_PORT)  # a port that does not count
    passes(crowded)
    assert not crowded.is_blocked(attacker.address)
    crowded.hold(attacker, 1)
    crowded.await_block(attacker.address)
    layer = crowded.layer(attacker.address)
    assert (layer["reason"], layer["count"], layer["threshold"]) == (
        f"{LIMIT + 1} connections at once",
        LIMIT + 1,
        LIMIT,
    )
    lines = [line["text"] for line in layer["evidence"]]
    assert lines[0].startswith(f"{attacker.address}:")
    assert all(line.endswith(f" → port {PORT}, established") for line in lines[:-1])
    assert lines[-1] == f"and {LIMIT + 1 - 10} more"
    assert is_silent(attacker, PORT)
    crowded.wait(lambda: not crowded.established(attacker.address), "his connections are ended")
    assert not crowded.is_blocked(other.address)
    assert other.can_connect(PORT)
    assert len(crowded.established(other.address)) >= 20
    shown = crowded.durward.command("why", attacker.address).stdout
    assert f"{LIMIT + 1} connections at once" in shown


def test_connections_through_the_door_count_as_well(crowded: Crowded) -> None:
    attacker, other = crowded.stranger(), crowded.stranger()
    crowded.hold(beyond(crowded, other), 20)
    crowded.hold(attacker, 5)
    crowded.hold(beyond(crowded, attacker), LIMIT - 4)
    crowded.await_block(attacker.address)
    layer = crowded.layer(attacker.address)
    assert layer["count"] == LIMIT + 1
    assert any(f"→ {YARD_IPV4} port {PORT}, established, forwarded" in line["text"] for line in layer["evidence"])
    assert not crowded.is_blocked(other.address)
    assert beyond(crowded, other).can_connect(PORT)


def test_an_exempt_address_may_hold_as_many_as_it_likes(crowded: Crowded) -> None:
    friend, stranger = crowded.stranger(), crowded.stranger()
    assert crowded.durward.command("ignore", friend.address).returncode == 0
    crowded.hold(friend, LIMIT + 5)
    crowded.hold(stranger, LIMIT + 1)
    crowded.await_block(stranger.address)
    assert not crowded.is_blocked(friend.address)


def test_what_goes_out_is_no_flood(crowded: Crowded) -> None:
    """Neither of the door's own connections to one server, nor of those of a machine behind it."""
    server = crowded.stranger()
    assert crowded.network.yard is not None
    listen(crowded.open, crowded.network.street, (server.address, PORT))
    for namespace in (crowded.network.door, crowded.network.yard):
        for _ in range(LIMIT + 5):
            opened = crowded.open.enter_context(open_socket(namespace, socket.AF_INET, socket.SOCK_STREAM))
            opened.settimeout(2.0)
            opened.connect((server.address, PORT))
    passes(crowded)
    assert not crowded.is_blocked(server.address)
    assert not crowded.is_blocked(YARD_IPV4)


def test_an_ipv6_source_is_its_network(crowded: Crowded) -> None:
    attacker, other = crowded.stranger(ipv6=True), crowded.stranger(ipv6=True)
    neighbour = crowded.at(attacker.address[:-1] + "8")
    for one in (attacker, neighbour):
        crowded.hold(one, LIMIT // 2 + 1)
    crowded.hold(other, 20)
    crowded.await_block(attacker.address)
    assert is_silent(neighbour, PORT)
    assert other.can_connect(PORT)


def test_a_network_that_shares_the_work_is_blocked_as_one(crowded: Crowded) -> None:
    """The last test: it is everybody's network here."""
    friend = crowded.stranger()
    assert crowded.durward.command("allow", friend.address).returncode == 0
    for _ in range(5):
        crowded.hold(crowded.stranger(), NETWORK_LIMIT // 4)
    crowded.hold(friend, NETWORK_LIMIT // 4)
    crowded.await_block("203.0.113.0/24")
    assert "from the network" in crowded.layer("203.0.113.0/24")["reason"]
    assert is_silent(crowded.stranger(), PORT)
    assert friend.can_connect(PORT)
    # Those who were too many by themselves were blocked by themselves.
    assert [one["subject"] for one in crowded.log() if "/24" in one["subject"]] == ["203.0.113.0/24"]


def passes(scene: Scene) -> None:
    """Wait until a pass has begun and ended after now."""
    seen: set[str] = set()

    def another() -> bool:
        seen.add(json.dumps(scene.durward.ask("status")["connections"]["last_at"]))
        return len(seen) > 2

    scene.wait(another, "two passes")
