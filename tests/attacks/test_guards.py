"""Nothing ever blocks this host itself, its way out, or where an administrator is logged in from."""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from arena.attacker import Answer
from arena.network import DOOR_IPV4, DOOR_IPV6, ROUTER_IPV4, ROUTER_IPV6
from tests.attacks.scene import Scene, is_silent

pytestmark = pytest.mark.kernel

RESOLVER = "198.51.100.53"


class Guarded(Scene):
    """A door whose resolv.conf names a name server of the street."""

    def before_start(self) -> None:
        private = self.durward.home / "resolv.conf"
        private.write_text(f"nameserver {RESOLVER}\n", encoding="utf-8")
        self.door.run(["mount", "--bind", private, "/etc/resolv.conf"], check=True)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    with Guarded() as scene:
        yield scene


PROTECTED = {
    DOOR_IPV4: "own address",
    DOOR_IPV6: "own address",
    "127.0.0.1": "this host",
    "::1": "this host",
    ROUTER_IPV4: "gateway",
    ROUTER_IPV6: "gateway",
    RESOLVER: "name server",
    "192.0.2.0/24": "192.0.2.",
    "198.51.100.0/24": "name server",
    "0.0.0.0/0": "0.0.0.0/0",
    "::/0": "::/0",
}


@pytest.mark.parametrize("subject", PROTECTED)
def test_what_this_host_lives_by_is_never_blocked(guarded: Guarded, subject: str) -> None:
    refused = guarded.durward.command("block", subject)
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert PROTECTED[subject] in refused.stderr
    assert not guarded.is_blocked(subject)
    assert all(entry["subject"] != subject for entry in guarded.lines("list", "blocked"))


def test_a_guard_refuses_with_json_too(guarded: Guarded) -> None:
    refused = guarded.durward.command("block", ROUTER_IPV4, "--json")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "gateway" in refused.stderr


@pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])
def test_an_administrators_address_is_safe_from_his_own_programs(guarded: Guarded, ipv6: bool) -> None:
    desk = guarded.stranger(ipv6=ipv6)
    with desk.open_session("root") as session:
        by_hand = guarded.durward.command("block", desk.address)
        assert by_hand.returncode == 3
        assert "administrator" in by_hand.stderr
        # At an account that is not his: his own may fail a hundred times, being a program with an old password.
        assert guarded.fail(desk, 8, user="backup") == [Answer.WRONG_PASSWORD] * 8
        guarded.wait(lambda: bool(refusals(guarded, desk.address)), "the refused block is in the history")
        assert session.is_live()
        assert not guarded.is_blocked(desk.address)
        (refused, *_) = refusals(guarded, desk.address)
        assert "administrator" in refused["refused"]
        assert refused["verdict"] == "block"
        assert "a guard refused it" in guarded.durward.command("why", desk.address).stdout
    guarded.wait(lambda: guarded.established(desk.address) == [], "he has logged out")
    guarded.get_blocked(desk, user="backup")
    assert is_silent(desk), "logged out, his address is like any other"


def refusals(scene: Scene, subject: str) -> list[dict[str, str]]:
    """The refused decisions about an address; one of IPv6 is decided about with its network."""
    own = (subject, str(ip_network(f"{subject}/64" if ":" in subject else subject, strict=False)))
    return [past for past in scene.why(subject)["history"] if "refused" in past and past["subject"] in own]


def test_a_connection_without_a_login_protects_nobody(guarded: Guarded) -> None:
    attacker = guarded.stranger()
    with attacker.connect(22):
        guarded.get_blocked(attacker)
        assert is_silent(attacker)
        assert refusals(guarded, attacker.address) == []


def test_a_refused_block_by_hand_is_remembered(guarded: Guarded) -> None:
    before = len(refusals(guarded, ROUTER_IPV6))
    assert guarded.durward.command("block", ROUTER_IPV6).returncode == 3
    assert len(refusals(guarded, ROUTER_IPV6)) == before + 1


def test_lines_that_blame_the_gateway_do_not_cut_it_off(guarded: Guarded) -> None:
    router = guarded.at(ROUTER_IPV4)
    assert guarded.fail(router, 6) == [Answer.WRONG_PASSWORD] * 6
    guarded.wait(lambda: bool(refusals(guarded, ROUTER_IPV4)), "the refused block is in the history")
    assert router.can_connect()
