"""Changes of settings on real files: where they are written, what is checked before, and what is left alone."""

from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.config.changes import Ground, changes_of, native_value, paths_for, write_changes
from durward.config.home import Home

MAIN = '# mine\n[firewall]\ntcp_in = "22"  # ssh\n'


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.below(tmp_path)
    (home.etc / "conf.d").mkdir(parents=True)
    (home.etc / "durward.toml").write_text(MAIN)
    return home


def change(home: Home, **assignments: str) -> None:
    ground = Ground.of(home)
    named = {name.replace("__", "."): text for name, text in assignments.items()}
    write_changes(ground, changes_of(ground, named))


def main(home: Home) -> str:
    return (home.etc / "durward.toml").read_text()


def test_a_value_is_written_and_comments_stay(home: Home) -> None:
    change(home, firewall__tcp_in="22,443", LF_SSHD="7")
    assert main(home).startswith('# mine\n[firewall]\ntcp_in = "22,443"  # ssh\n')
    assert Ground.of(home).value(("detectors", "brute_force", "services", "sshd", "count")) == 7


def test_a_first_setting_makes_the_file(tmp_path: Path) -> None:
    home = Home.below(tmp_path)
    change(home, firewall__ping="off")
    assert main(home) == '[firewall]\nping = "off"\n'
    assert (home.etc / "durward.toml").stat().st_mode & 0o777 == 0o640


def test_the_file_that_sets_it_already_is_changed(home: Home) -> None:
    more = home.etc / "conf.d" / "web.toml"
    more.write_text('firewall.tcp_in = "80"\n')
    change(home, TCP_IN="80,443")
    assert (main(home), more.read_text()) == (MAIN, 'firewall.tcp_in = "80,443"\n')


def test_nothing_is_written_unless_all_is_right(home: Home) -> None:
    for wrong in ({"firewall__tcp_in": "80-"}, {"LF_SSHD": "7", "no_such": "1"}, {"firewall__ping": "fast"}):
        with pytest.raises(ProblemsError):
            change(home, **wrong)
    other = home.etc / "conf.d" / "broken.toml"
    other.write_text("[firewall]\npingg = 1\n")
    with pytest.raises(ProblemsError, match=r"broken\.toml:2: firewall\.pingg"):
        change(home, firewall__tcp_in="80")
    assert main(home) == MAIN


def test_a_file_that_is_no_toml_is_not_touched(home: Home) -> None:
    for broken in (b"[firewall]\ntcp_in = \n", b"# \xff\n", b"\n[[firewall]\n"):
        (home.etc / "durward.toml").write_bytes(broken)
        with pytest.raises(ProblemsError, match=r"durward\.toml:[12]: "):
            change(home, firewall__tcp_in="80")
        assert (home.etc / "durward.toml").read_bytes() == broken


def test_a_wrong_setting_can_be_mended(home: Home) -> None:
    (home.etc / "durward.toml").write_text('[firewall]\ntcp_in = "80-"\n')
    change(home, firewall__tcp_in="80")
    assert main(home) == '[firewall]\ntcp_in = "80"\n'


def test_a_link_stays_a_link(home: Home, tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    (home.etc / "durward.toml").rename(real)
    (home.etc / "durward.toml").symlink_to(real)
    change(home, firewall__tcp_in="80")
    assert (home.etc / "durward.toml").is_symlink()
    assert 'tcp_in = "80"' in real.read_text()


def test_a_dry_run_checks_and_writes_nothing(home: Home, tmp_path: Path) -> None:
    ground = Ground.of(home)
    settings = write_changes(ground, changes_of(ground, {"firewall.tcp_in": "80"}), dry_run=True)
    assert [str(one) for one in settings.firewall.tcp_in] == ["80"]
    assert main(home) == MAIN
    nowhere = Home.below(tmp_path / "nowhere")
    ground = Ground.of(nowhere)
    write_changes(ground, changes_of(ground, {"firewall.tcp_in": "80"}), dry_run=True)
    assert not nowhere.etc.exists()


def test_interfaces_of_csf_become_trusted(home: Home) -> None:
    change(home, ETH_DEVICE_SKIP="eth1,eth0.5")
    ground = Ground.of(home)
    assert ground.value(("firewall", "interfaces", "eth1")) == "trusted"
    assert ground.value(("firewall", "interfaces", "eth0.5")) == "trusted"


def test_assignments_know_of_those_before_them(home: Home) -> None:
    change(home, UDPFLOOD="1", UDPFLOOD_LIMIT="9/s", UDPFLOOD_BURST="20")
    assert str(Ground.of(home).value(("firewall", "udp_flood"))) == "9/s burst 20 per source"


def test_a_name_of_csf_may_stand_for_several_settings(home: Home) -> None:
    ground = Ground.of(home)
    paths = paths_for(ground, "LF_POP3D")
    assert len(paths) >= 3
    change(home, lf_pop3d="33")
    ground = Ground.of(home)
    assert {ground.value(path) for path in paths} == {33}


def test_defaults_of_services_count(home: Home) -> None:
    ground = Ground.of(home)
    count = ("detectors", "brute_force", "services", "named", "count")
    assert (ground.value(count), ground.default(count), ground.origin(count)) == (0, 0, None)
    change(home, detectors__brute_force__count="9")
    ground = Ground.of(home)
    assert (ground.value(count), ground.default(count)) == (9, 0)
    assert str(ground.origin(count)).endswith("durward.toml:6")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("firewall.tcp_im", "firewall.tcp_in"), ("LF_SSHDD", "detectors.brute_force.services.sshd.count"), ("x", "")],
)
def test_unknown_names(home: Home, name: str, nearest: str) -> None:
    with pytest.raises(ProblemsError) as raised:
        paths_for(Ground.of(home), name)
    assert raised.value.problems[0].nearest == nearest


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("firewall.tcp_in", "22", "22"),
        ("firewall.tcp_in", "", ""),
        ("firewall.enabled", "false", False),
        ("firewall.smtp_users", "root,bob", ["root", "bob"]),
        ("firewall.smtp_users", '["a,b"]', ["a,b"]),
        ("firewall.smtp_users", "", []),
        ("ipv6.block_prefix", "56", 56),
        ("detectors.brute_force.escalate", "1.5", 1.5),
        ("detectors.brute_force.block_for", "1h", "1h"),
        ("firewall.port_flood", '["22/tcp 5/300s"]', ["22/tcp 5/300s"]),
        ("firewall.redirects", "true", "true"),
        ("services.sshd.files", "/var/log/a", ["/var/log/a"]),
    ],
)
def test_what_was_typed(home: Home, key: str, text: str, value: object) -> None:
    setting = Ground.of(home).schema.setting(key)
    assert setting is not None
    found = native_value(text, setting)
    assert (found, type(found)) == (value, type(value))


def test_what_cannot_be_written_is_a_problem(home: Home, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ProblemsError, match="director"):
        change(Home(blocked / "etc", home.lib, home.run), firewall__tcp_in="80")
