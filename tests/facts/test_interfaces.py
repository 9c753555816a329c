"""The interfaces of a namespace that the test makes, as the real kernel and `ip` tell of them."""

import json
import subprocess
import sys
from typing import Any

import pytest

from durward.facts.interfaces import interfaces

ASKING = """
import json, sys
from durward.facts.interfaces import has_one_way_out, interfaces
def told(own):
    return [str(own.address), str(own.network), own.first, own.lasts]
found = {one.name: [told(own) for own in one.addresses] for one in interfaces()}
sys.stdout.write(json.dumps([found, has_one_way_out()]))
"""
HOST = """
ip link set lo up
ip link add eth0 type veth peer name peer0
ip link set peer0 up
ip link set eth0 up
ip address add 192.0.2.4/24 dev eth0
ip address add 192.0.2.5/24 dev eth0
ip address add 2001:db8::4/64 dev eth0 nodad
ip address add 198.51.100.9/32 dev eth0 valid_lft 3600 preferred_lft 3600
ip route add default via 192.0.2.1
"""


def asked(*more: str) -> Any:
    """What is found on a host of its own, after these commands."""
    script = "set -e" + HOST + "\n".join(more) + '\nexec "$0" -c "$1"'
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", script, sys.executable, ASKING], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_loopback_interface_is_there() -> None:
    assert "lo" in {one.name for one in interfaces()}


@pytest.mark.kernel
def test_addresses_and_networks() -> None:
    found, one_way = asked()
    assert set(found) == {"lo", "eth0", "peer0"}
    own = {address: rest for address, *rest in found["eth0"]}
    assert own["192.0.2.4"] == ["192.0.2.0/24", True, True]
    assert own["192.0.2.5"] == ["192.0.2.0/24", False, True]
    assert own["198.51.100.9"] == ["198.51.100.9/32", False, False]
    assert own["2001:db8::4"] == ["2001:db8::/64", True, True]
    assert one_way


@pytest.mark.kernel
@pytest.mark.parametrize(
    "more",
    [
        ("ip -6 route add default dev peer0",),
        ("ip rule add fwmark 7 table 100",),
        ("ip -6 rule add from 2001:db8::/64 table 100",),
        ("ip route del default",),
    ],
)
def test_more_than_one_way_out_or_none(more: tuple[str, ...]) -> None:
    assert asked(*more)[1] is False
