"""What `why` says of limits: a layer for each that is in force, and nobody is called refused for longer than he is."""

from pathlib import Path
from typing import cast

import pytest

from durward.catalog.traffic import PortFlood, Rate
from durward.config.settings import load_settings
from durward.daemons.door import Door, Reading
from durward.daemons.limiting import ACTIVE_SECONDS, Limiting, limits_of
from durward.model import Port, Subject
from durward.ruleset.limits import BEYOND_SECONDS, ping_flood, port_flood

NOW = 1_795_421_500.0
SSH, PING = port_flood(PortFlood(Port(22), 5, 300.0), 64), ping_flood(Rate(1, 1, 5), 64)
SOMEBODY = Subject.parse("203.0.113.9")


class Kernel:
    """A door as far as it is asked here: what the meters hold."""

    def __init__(self, **held: Reading | bool) -> None:
        self.held = held
        self.asked: list[str] = []

    def meters(self, names: list[str], _subject: Subject) -> list[Reading | bool]:
        self.asked = names
        return [self.held.get(name, name in self.held) for name in names]


def layers(kernel: Kernel, subject: Subject = SOMEBODY, *, allowed: bool = False) -> list[dict[str, object]]:
    return Limiting(cast("Door", kernel), [SSH, PING]).layers(subject, NOW, allowed=allowed)


def refused(seconds_ago: float) -> Reading:
    return Reading(3, 180, BEYOND_SECONDS - seconds_ago)


def test_what_is_not_in_force_has_no_layer() -> None:
    assert layers(Kernel()) == []
    (layer,) = layers(Kernel(**{SSH.counting[0]: True, SSH.beyond[0]: True}))
    assert (layer["layer"], layer["blocked"], layer["counted"], layer["packets"]) == (
        "rate:port_flood",
        False,
        False,
        0,
    )


@pytest.mark.parametrize(
    ("seconds_ago", "blocked"), [(0.0, True), (59.0, True), (61.0, False), (BEYOND_SECONDS - 1.0, False)]
)
def test_a_refusal_lasts_until_the_next_token_at_most(seconds_ago: float, blocked: bool) -> None:
    kernel = Kernel(**{SSH.counting[0]: Reading(0, 0, 10.0), SSH.beyond[0]: refused(seconds_ago)})
    (layer,) = layers(kernel)
    assert (layer["blocked"], layer["counted"], layer["packets"], layer["bytes"]) == (blocked, True, 3, 180)
    assert ("until" in layer) is blocked
    (allowed,) = layers(kernel, allowed=True)
    assert allowed["blocked"] is False


@pytest.mark.parametrize(("seconds_ago", "blocked"), [(ACTIVE_SECONDS - 1, True), (ACTIVE_SECONDS + 1, False)])
def test_a_fast_limit_refuses_as_long_as_it_did_just_now(seconds_ago: float, blocked: bool) -> None:
    (layer,) = layers(Kernel(**{PING.beyond[0]: refused(seconds_ago)}))
    assert (layer["layer"], layer["blocked"]) == ("rate:ping_flood", blocked)


def test_each_family_has_its_own_meters_and_wide_networks_none() -> None:
    kernel = Kernel()
    layers(kernel, Subject.parse("2001:db8:1::/64"))
    assert kernel.asked == [SSH.counting[1], SSH.beyond[1], PING.counting[1], PING.beyond[1]]
    kernel.asked = []
    assert layers(kernel, Subject.parse("203.0.113.0/24")) == []
    assert kernel.asked == []


def test_the_settings_say_which_limits_are_wanted(tmp_path: Path) -> None:
    (tmp_path / "durward.toml").write_text(
        '[firewall]\nport_flood = ["22/tcp 5/300s"]\nping = "off"\nsyn_flood = "off"\n'
    )
    assert limits_of(load_settings(tmp_path, [], [])) == (SSH,)
