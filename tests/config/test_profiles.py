"""Profiles: those of the package are right and differ, panels give their ports, the site has its own."""

from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.catalog.panel_card import load_panels
from durward.catalog.shelf import directories_of
from durward.config.changes import Ground, write_changes
from durward.config.home import Home
from durward.config.profiles import Profile, changes_for, load_profiles, panel_profile, values_of


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    home = Home.below(tmp_path)
    (home.etc / "profiles").mkdir(parents=True)
    return Ground.of(home)


def applied(ground: Ground, profile: Profile) -> Ground:
    write_changes(ground, changes_for(ground, profile))
    return Ground.of(ground.home)


def test_each_profile_can_be_applied_and_then_changes_nothing(ground: Ground) -> None:
    profiles = load_profiles(ground.home.etc, ground.schema)
    assert {"low", "medium", "high", "cpanel", "generic"} <= set(profiles)
    for profile in profiles.values():
        assert profile.title
        assert profile.values
        ground = applied(ground, profile)
        assert ground.written.problems == []
        assert changes_for(ground, profile) == [], profile.id


def test_higher_is_stricter(ground: Ground) -> None:
    profiles = load_profiles(ground.home.etc, ground.schema)
    count = ("detectors", "brute_force", "services", "sshd", "count")
    counts = [profiles[name].values[count] for name in ("low", "medium", "high")]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == 3
    keys = [set(profiles[name].values) for name in ("low", "medium", "high")]
    assert keys[0] == keys[1] == keys[2] - {("firewall", "bogons")}


def test_no_profile_touches_a_service_whose_count_is_off_on_purpose(ground: Ground) -> None:
    for profile in load_profiles(ground.home.etc, ground.schema).values():
        assert ("detectors", "brute_force", "count") not in profile.values
        assert not [path for path in profile.values if "named" in path]


def test_what_is_right_already_is_not_written(ground: Ground) -> None:
    (ground.home.etc / "durward.toml").write_text('[firewall]\nsyn_flood = "off" # mine\n')
    ground = Ground.of(ground.home)
    low = load_profiles(ground.home.etc, ground.schema)["low"]
    assert ("firewall", "syn_flood") not in {one.path for one in changes_for(ground, low)}
    assert 'syn_flood = "off" # mine\n' in (applied(ground, low).home.etc / "durward.toml").read_text()


def test_the_sites_own_profile(ground: Ground) -> None:
    folder = ground.home.etc / "profiles"
    (folder / "mine.toml").write_text(
        'title = "Mine"\n[set.firewall]\ntcp_in = "22,8443"\n[set.ipv6]\nblock_prefix = 56\n'
    )
    (folder / "low.toml").write_text('title = "My low"\n[set]\n')
    profiles = load_profiles(ground.home.etc, ground.schema)
    assert (profiles["mine"].origin, profiles["low"].title, profiles["high"].origin) == ("site", "My low", "package")
    assert values_of(profiles["mine"], ground.schema) == {
        ("firewall", "tcp_in"): "22,8443",
        ("ipv6", "block_prefix"): 56,
    }


def test_a_wrong_profile_names_its_lines(ground: Ground) -> None:
    path = ground.home.etc / "profiles" / "mine.toml"
    path.write_text('title = "Mine"\nsets = 1\n[set.firewall]\ntcp_in = "80-"\npingg = 1\n')
    with pytest.raises(ProblemsError) as raised:
        load_profiles(ground.home.etc, ground.schema)
    assert {problem.line for problem in raised.value.problems} == {2, 4, 5}


def test_ports_on_which_a_panel_really_listens_are_added() -> None:
    panels = {panel.id: panel for panel in load_panels(directories_of("panels"))}
    values = panel_profile(panels["webmin"], (12345, 80)).values
    assert str(values["firewall", "tcp_in"]).endswith(",20000,12345")
    assert values["firewall", "tcp_in_ipv6"] == "same"
    cpanel = panel_profile(panels["cpanel"], (12345,)).values
    assert "12345" in cpanel["firewall", "tcp_in_ipv6"]
    assert "12345" not in cpanel["firewall", "tcp_out"]
