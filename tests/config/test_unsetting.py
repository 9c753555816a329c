"""Settings are taken out of every file that has them, and only where all is right afterwards."""

from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.config.changes import Ground
from durward.config.home import Home
from durward.config.unsetting import removals_of, write_removals

MAIN = """\
# mine
[firewall]
tcp_in = "22"  # ssh
interfaces = { eth1 = "trusted", eth2 = "ignored" }
[detectors.brute_force]
count = 7
[detectors.brute_force.services.sshd]
count = 3
"""
MORE = '[firewall]\ntcp_in = "80"\n'


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.below(tmp_path)
    (home.etc / "conf.d").mkdir(parents=True)
    (home.etc / "durward.toml").write_text(MAIN)
    (home.etc / "conf.d" / "50.toml").write_text(MORE)
    return home


def unset(home: Home, *names: str) -> list[tuple[str, object, object]]:
    ground = Ground.of(home)
    removals = removals_of(ground, names)
    write_removals(ground, removals)
    return [(one.file.name, one.before, one.after) for one in removals]


def test_it_goes_from_every_file_and_the_default_holds(home: Home) -> None:
    default = Ground.of(home).default(("firewall", "tcp_in"))
    gone = unset(home, "firewall.tcp_in")
    assert [(name, before) for name, before, _ in gone] == [("durward.toml", "80"), ("50.toml", "80")]
    ground = Ground.of(home)
    assert ground.value(("firewall", "tcp_in")) == default
    assert (home.etc / "durward.toml").read_text() == MAIN.replace('tcp_in = "22"  # ssh', "# ssh")
    assert (home.etc / "conf.d" / "50.toml").read_text() == "[firewall]\n"


def test_by_csfs_name_and_what_holds_then(home: Home) -> None:
    assert unset(home, "LF_SSHD") == [("durward.toml", 3, 7)], "what is set for all services holds then"
    assert Ground.of(home).value(("detectors", "brute_force", "services", "sshd", "count")) == 7
    assert [name for name, _, _ in unset(home, "TCP_IN")] == ["durward.toml", "50.toml"]


def test_names_that_the_administrator_gave(home: Home) -> None:
    unset(home, "firewall.interfaces.eth1")
    assert dict(Ground.of(home).written.values)["firewall", "interfaces", "eth2"] == "ignored"
    unset(home, "ETH_DEVICE_SKIP")
    assert not [path for path in Ground.of(home).written.values if path[1] == "interfaces"]


def test_what_nobody_set_changes_nothing(home: Home) -> None:
    assert unset(home, "firewall.ping", "SYNFLOOD") == []
    assert (home.etc / "durward.toml").read_text() == MAIN


def test_what_is_not_known_is_said_and_nothing_goes(home: Home) -> None:
    with pytest.raises(ProblemsError) as caught:
        unset(home, "firewall.tcp_in", "firewall.tcp_inn")
    assert caught.value.problems[0].nearest == "firewall.tcp_in"
    assert (home.etc / "durward.toml").read_text() == MAIN


def test_a_dry_run_writes_nothing(home: Home) -> None:
    ground = Ground.of(home)
    write_removals(ground, removals_of(ground, ["TCP_IN"]), dry_run=True)
    assert (home.etc / "durward.toml").read_text() == MAIN
