"""Blocks that people make: for a while, of ports, outwards, of networks; each holds for what it says and no more."""

import socket
import time
from datetime import datetime

import pytest
from arena.attacker import Answer, Attacker
from arena.namespace import open_socket
from tests.attacks.scene import SILENCE_SECONDS, Scene, is_silent

pytestmark = pytest.mark.kernel

FAMILIES = pytest.mark.parametrize("ipv6", [False, True], ids=["IPv4", "IPv6"])


@FAMILIES
def test_a_block_for_a_while_ends_by_itself(scene: Scene, ipv6: bool) -> None:
    stranger = scene.stranger(ipv6=ipv6)
    reply = scene.durward.ask("block", stranger.address, "--for", "3s", "--reason", "a try")
    assert reply["enforced"] is True
    assert reply["subject"] == stranger.address
    until = datetime.fromisoformat(reply["until"]).timestamp()
    assert 0 < until - time.time() <= 3.0
    assert is_silent(stranger)
    layer = scene.layer(stranger.address)
    assert (layer["reason"], layer["origin"], layer["receipt"]) == ("a try", "operator:root", reply["receipt"])
    scene.wait(lambda: stranger.knock(23, 0.3) is Answer.REFUSED, "the block has run out")
    assert not scene.is_blocked(stranger.address)
    scene.wait(lambda: all(line["subject"] != stranger.address for line in scene.lines("list")), "the list forgets it")


@FAMILIES
def test_a_block_of_one_address_is_not_one_of_its_neighbours(scene: Scene, ipv6: bool) -> None:
    one, neighbour = ("2001:db8:81::1", "2001:db8:81::2") if ipv6 else ("198.51.100.161", "198.51.100.162")
    assert scene.durward.ask("block", one)["until"] is None
    assert is_silent(scene.at(one))
    assert scene.at(neighbour).can_connect()
    assert not scene.is_blocked(neighbour)


@FAMILIES
def test_a_block_of_a_port_leaves_the_others_open(scene: Scene, ipv6: bool) -> None:
    stranger = scene.stranger(ipv6=ipv6)
    assert scene.durward.ask("block", stranger.address, "--port", "2222,8080")["enforced"] is True
    assert stranger.can_connect(22)
    assert stranger.knock(23) is Answer.REFUSED
    assert is_silent(stranger, 2222)
    assert is_silent(stranger, 8080)
    layers = [layer for layer in scene.why(stranger.address)["layers"] if layer["blocked"]]
    assert [layer["ports"] for layer in layers] == ["2222,8080"]
    assert scene.durward.command("unblock", stranger.address).returncode == 0
    assert stranger.knock(2222) is Answer.REFUSED


def test_a_block_of_a_udp_port_leaves_tcp_open(scene: Scene) -> None:
    stranger = scene.stranger()
    assert scene.durward.ask("block", stranger.address, "--port", "22/udp")["enforced"] is True
    assert stranger.can_connect(22)


@FAMILIES
def test_a_block_outwards_stops_what_this_host_sends(scene: Scene, ipv6: bool) -> None:
    server = scene.stranger(ipv6=ipv6)
    assert reaches(scene, server)
    assert scene.durward.ask("block", server.address, "--out")["enforced"] is True
    assert not reaches(scene, server)
    assert scene.durward.command("unblock", server.address).returncode == 0
    assert reaches(scene, server)


def reaches(scene: Scene, server: Attacker) -> bool:
    """Say whether the door gets any answer from a server: nobody listens there, so the answer is a refusal."""
    with open_socket(scene.network.door, server.family, socket.SOCK_STREAM) as caller:
        caller.settimeout(SILENCE_SECONDS)
        try:
            caller.connect((server.address, 9))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return True


@FAMILIES
def test_a_block_of_a_network_holds_for_all_of_it(scene: Scene, ipv6: bool) -> None:
    network, inside, outside = (
        ("2001:db8:8200::/40", "2001:db8:82ff:1::9", "2001:db8:8300::9")
        if ipv6
        else ("198.51.100.176/28", "198.51.100.191", "198.51.100.192")
    )
    within, without = scene.at(inside), scene.at(outside)
    assert scene.durward.ask("block", network)["enforced"] is True
    assert is_silent(within)
    assert without.can_connect()
    assert scene.layer(inside)["subject"] == network
    refused = scene.durward.command("unblock", inside)
    assert refused.returncode == 1
    assert network in refused.stderr, "it is said what to unblock instead"
    assert scene.durward.command("unblock", network).returncode == 0
    assert within.can_connect()


def test_an_inner_block_survives_the_outer_ones_end(scene: Scene) -> None:
    inner, other = scene.at("198.51.100.209"), scene.at("198.51.100.210")
    for subject in (inner.address, "198.51.100.208/29"):
        assert scene.durward.command("block", subject).returncode == 0
    assert scene.durward.command("unblock", "198.51.100.208/29").returncode == 0
    assert other.can_connect()
    assert inner.knock(22, SILENCE_SECONDS) is Answer.NO_ANSWER


def test_blocking_twice_keeps_the_later_order(scene: Scene) -> None:
    stranger = scene.stranger()
    scene.durward.ask("block", stranger.address)
    scene.durward.ask("block", stranger.address, "--for", "1h")
    listed = [line for line in scene.lines("list") if line["subject"] == stranger.address]
    assert len(listed) == 1
    assert listed[0]["until"] is not None
    assert is_silent(stranger)


def test_an_ipv4_address_in_ipv6_clothes_is_the_ipv4_address(scene: Scene) -> None:
    stranger = scene.stranger()
    assert scene.durward.ask("block", f"::ffff:{stranger.address}")["subject"] == stranger.address
    assert is_silent(stranger)
