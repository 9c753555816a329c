"""The first configuration, from facts of all kinds: always right settings, with nothing closed that is needed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.catalog.panel_card import load_panels
from durward.catalog.shelf import directories_of, load_detectors
from durward.catalog.traffic import PORT_MAX, PortRange, parse_ports
from durward.config.beginning import Found, assertions_text, settings_text
from durward.config.settings import load_settings

DETECTORS = load_detectors(directories_of("detectors"))
PANELS = {panel.id: panel for panel in load_panels(directories_of("panels"))}
ports = some.dictionaries(some.integers(1, PORT_MAX), some.sampled_from(["", "sshd", 'x" # y']), max_size=30)


def is_open(text: str, port: int) -> bool:
    return any(one.first <= port <= one.last for one in parse_ports(text))


@given(ports, ports, some.sampled_from([None, *PANELS.values()]))
def test_everything_that_listens_stays_open(tcp: dict[int, str], udp: dict[int, str], panel: object) -> None:
    found = Found(tcp, udp, panel, (2222,))  # type: ignore[arg-type]
    assert all(is_open(found.tcp_in, port) for port in tcp)
    assert all(is_open(found.udp_in, port) for port in udp)
    assert is_open(found.tcp_in, 22 if not tcp else next(iter(tcp))), "the way in is never closed"


@pytest.mark.parametrize("panel", [None, *PANELS.values()], ids=["none", *PANELS])
def test_the_text_is_a_right_durward_toml(tmp_path: Path, panel: object) -> None:
    found = Found({22: "sshd", 3306: 'a"b'}, {53: ""}, panel, (), None, "", (22,), "203.0.113.9")  # type: ignore[arg-type]
    (tmp_path / "durward.toml").write_text(settings_text(found))
    settings = load_settings(tmp_path, [], DETECTORS)
    assert ",".join(map(str, settings.firewall.tcp_in)) == found.tcp_in
    assert "22 (sshd)" in settings_text(found)


def test_without_a_panel_only_what_listens_is_open() -> None:
    found = Found({22: "sshd"}, {}, PANELS["generic"])
    assert (found.tcp_in, found.udp_in, found.is_panel) == ("22", "", False)
    assert "is installed" not in settings_text(found)


@pytest.mark.parametrize(("panel", "ports"), [("cpanel", "49152:65534"), ("directadmin", "35000:35999"), ("plesk", "")])
def test_data_ports_of_ftp_as_the_panel_comes_or_as_its_server_says(panel: str, ports: str) -> None:
    assert ",".join(map(str, Found({21: ""}, panel=PANELS[panel]).data_ports)) == ports
    own = Found(
        {21: ""}, panel=PANELS[panel], passive_ftp=PortRange(12_000, 12_100), passive_ftp_file="/etc/vsftpd.conf"
    )
    assert own.data_ports == (PortRange(12_000, 12_100),)
    assert "12000:12100 are for the data of passive FTP, as /etc/vsftpd.conf says" in settings_text(own)


def test_what_nobody_outside_needs_is_pointed_out() -> None:
    assert Found({22: "", 6379: "redis-server"}, {11_211: ""}).exposed == {6379: "Redis", 11_211: "memcached"}


def test_the_template_names_this_host() -> None:
    text = assertions_text(Found(ssh_ports=(2200,), administrator="203.0.113.9"))
    assert "# 203.0.113.9 reaches 2200\n" in text
    assert all(line.startswith("#") for line in text.splitlines())
