"""Countries, feeds and a long deny.list as a person meets them: by settings, files and verbs, with a real durward."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from arena.attacker import Attacker
from tests.attacks.firewalled import OPEN, SETTINGS, Firewalled
from tests.crash.processes import pid_of

from durward.config.lists import SYNCED_MAX

pytestmark = pytest.mark.kernel
WRONG = 2
LISTED, LISTED6, OTHER = "203.0.113.9", "2001:db8:2::9", "203.0.113.77"


@pytest.fixture
def scene() -> Iterator[Firewalled]:
    with Firewalled(begin="off", settings=SETTINGS) as made:
        yield made


def lists_of(scene: Firewalled) -> Path:
    return Path(scene.durward.home, "lib", "lists")


def ask(scene: Firewalled, *countries: str) -> None:
    """Write the settings about countries."""
    with scene.etc("durward.toml").open("a") as file:
        file.write("\n".join(["[countries]", *countries, ""]))


def why(scene: Firewalled, address: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(scene.types("why", address, "--json").stdout)
    return found


def gets_in(scene: Firewalled, *addresses: str) -> list[bool]:
    return [scene.reaches(Attacker(scene.network, address), OPEN) for address in addresses]


def test_a_country_without_its_file_is_a_mistake_with_file_and_line(scene: Firewalled) -> None:
    ask(scene, 'deny = ["NL"]')
    for verb in ("check", "apply"):
        done = scene.types(verb)
        assert done.returncode == WRONG
        said = done.stdout + done.stderr
        assert "durward.toml:" in said
        assert "countries.deny" in said
        assert f"{lists_of(scene)}/country-nl.txt is not there" in said
    assert scene.firewall() == "off"


def test_a_country_is_kept_out_and_every_verb_knows_why(scene: Firewalled) -> None:
    ask(scene, 'deny = ["NL"]')
    file = lists_of(scene) / "country-nl.txt"
    file.write_text("# as registered\n203.0.113.0/28\n2001:db8:2::/64\n")
    (lists_of(scene) / "as64500.txt").write_text("203.0.113.0/24\n")
    scene.confirmed()
    assert gets_in(scene, LISTED, LISTED6, OTHER) == [False, False, True]
    found = why(scene, LISTED)
    (layer,) = (one for one in found["layers"] if one["layer"] == "country")
    assert layer == {
        "layer": "country",
        "blocked": True,
        "setting": "countries.deny",
        "reason": "countries.deny refuses NL",
        "network": "203.0.113.0/28",
        "file": str(file),
        "line": 2,
    }
    assert (found["blocked"], found["country"], found["asn"]) == (True, "NL", 64500)
    assert f"countries.deny refuses NL ({file}:2)" in scene.types("why", LISTED).stdout
    other = why(scene, OTHER)
    assert (other["blocked"], other.get("country"), other["asn"]) == (False, None, 64500)
    asked = scene.types("would-pass", "--from", LISTED, "--port", str(OPEN), "--json")
    assert json.loads(asked.stdout)["step"] == "what networks from feeds and denied countries begin is dropped"
    assert scene.types("would-pass", "--from", OTHER, "--port", str(OPEN)).returncode == 0
    # Whoever is allowed passes, wherever he is.
    scene.does("allow", LISTED)
    assert gets_in(scene, LISTED) == [True]
    assert not why(scene, LISTED)["blocked"]


def test_only_some_are_let_in_and_the_others_are_told_why(scene: Firewalled) -> None:
    ask(scene, 'allow_only = ["NL"]')
    (lists_of(scene) / "country-nl.txt").write_text("203.0.113.0/28\n192.0.2.0/24\n")
    scene.confirmed()
    assert gets_in(scene, LISTED, OTHER) == [True, False]
    assert scene.types("would-pass", "--from", LISTED, "--port", str(OPEN)).returncode == 0
    assert scene.types("would-pass", "--from", OTHER, "--port", str(OPEN)).returncode == 1
    (layer,) = (one for one in why(scene, OTHER)["layers"] if one["layer"] == "country")
    assert (layer["blocked"], layer["setting"]) == (True, "countries.allow_only")
    (layer,) = (one for one in why(scene, LISTED)["layers"] if one["layer"] == "country")
    assert (layer["blocked"], layer["line"]) == (False, 1)


def test_a_feed_names_itself_and_outlives_its_keeper(scene: Firewalled) -> None:
    (lists_of(scene) / "feed-example.txt").write_text(f"{LISTED}\n")
    scene.confirmed()
    assert gets_in(scene, LISTED, OTHER) == [False, True]
    (layer,) = (one for one in why(scene, LISTED)["layers"] if one["layer"].startswith("feed:"))
    assert (layer["layer"], layer["blocked"], layer["line"]) == ("feed:example", True, 1)
    before = pid_of(scene, "enforcer")
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert gets_in(scene, LISTED, OTHER) == [False, True]
    scene.wait(lambda: pid_of(scene, "enforcer") not in {None, before}, "the enforcer is there again")
    scene.wait(lambda: "merged_feeds_2_" in scene.table(), "it has filled the list anew")
    scene.wait(lambda: "merged_feeds_1_" not in scene.table(), "and taken the old sets away")
    assert gets_in(scene, LISTED, OTHER) == [False, True]


@pytest.mark.slow
def test_deny_list_is_as_long_as_it_has_to_be(scene: Firewalled) -> None:
    numbers = range(SYNCED_MAX)
    first = [f"10.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}" for number in numbers]
    scene.etc("deny.list").write_text("\n".join([*first, f"{LISTED} # by hand"]))
    scene.confirmed()
    assert gets_in(scene, LISTED, OTHER) == [False, True]
    scene.wait(lambda: scene.types("why", LISTED).returncode == 1, "the engine has time to answer", 30.0)
    (layer,) = (one for one in why(scene, LISTED)["layers"] if one["layer"] == "lists")
    assert (layer["blocked"], layer["line"]) == (True, SYNCED_MAX + 1)
    assert layer["file"].endswith("deny.list")


@pytest.mark.slow
def test_a_deny_list_that_is_far_too_large_changes_nothing(scene: Firewalled) -> None:
    scene.etc("deny.list").write_text(f"{LISTED}\n")
    scene.confirmed()
    scene.wait(lambda: why(scene, LISTED)["blocked"], "the line is heeded")
    rules = scene.table()
    with scene.etc("deny.list").open("w") as file:
        for _ in range(200):
            file.write("198.51.100.77\n" * (1 << 20 >> 4) + " " * (1 << 20 >> 3))
    assert scene.etc("deny.list").stat().st_size > 200_000_000
    done = scene.types("apply")
    assert done.returncode == WRONG
    assert "deny.list" in done.stderr
    assert "larger than" in done.stderr
    assert scene.firewall() == "confirmed"
    assert scene.table().count("accept") == rules.count("accept")
    assert gets_in(scene, LISTED) == [False], "what cannot be read is not gone"
