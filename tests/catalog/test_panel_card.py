"""The cards of the control panels: those of the package are right, and wrong ones are told what is wrong."""

from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.catalog.panel_card import PanelCard, PortSource, load_panels, read_panel
from durward.catalog.shelf import directories_of
from durward.catalog.traffic import parse_ports

PANELS = {panel.id: panel for panel in load_panels(directories_of("panels"))}
RIGHT = """
title = "Some panel"
marks = ["/opt/some"]
tcp_in = "22,8083"
tcp_in_ipv6 = "22"
tcp_out = "80"
udp_in = ""
udp_out = "53"
listens = [{ file = "/opt/some/conf", key = "port" }]
"""


def card(tmp_path: Path, text: str, name: str = "some") -> PanelCard:
    path = tmp_path / name / "panel.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return read_panel(path)


def test_every_panel_that_is_promised_has_a_card() -> None:
    promised = "cpanel directadmin webmin cyberpanel interworx cwp vestacp hestiacp plesk generic"
    assert set(PANELS) == set(promised.split())


@pytest.mark.parametrize("panel", PANELS.values(), ids=lambda panel: panel.id)
def test_no_panel_closes_what_its_server_is_for(panel: PanelCard) -> None:
    for ports in (panel.tcp_in.ipv4, panel.tcp_in.ipv6):
        opened = {port for one in ports or () for port in range(one.first, one.last + 1)}
        assert ports is None or {22, 25, 80, 443, 993} <= opened
    assert panel.why


def test_the_panels_own_ports_are_open() -> None:
    own = {
        "cpanel": "2087",
        "directadmin": "2222",
        "webmin": "10000",
        "cyberpanel": "8090",
        "interworx": "2443",
        "cwp": "2031",
        "vestacp": "8083",
        "hestiacp": "8083",
        "plesk": "8443",
    }
    for name, port in own.items():
        wanted = parse_ports(port)[0]
        assert any(one.first <= wanted.first <= one.last for one in PANELS[name].tcp_in.ipv4), name


def test_a_right_card_is_read(tmp_path: Path) -> None:
    panel = card(tmp_path, RIGHT)
    assert (panel.id, panel.title, panel.marks) == ("some", "Some panel", ("/opt/some",))
    assert (panel.tcp_in.ipv4, panel.tcp_in.ipv6) == (parse_ports("22,8083"), parse_ports("22"))
    assert panel.udp_out.ipv6 is None
    assert panel.listens == (PortSource("/opt/some/conf", "port"),)


@pytest.mark.parametrize(
    ("was", "now", "complaint"),
    [
        ('tcp_out = "80"', 'tcp_out = "80-"', "panel.toml:6: tcp_out"),
        ('tcp_out = "80"', "", "tcp_out is missing"),
        ('marks = ["/opt/some"]', "", "marks: paths that show"),
        ('"/opt/some"]', '"opt/some"]', "is no full path"),
        ("/opt/some/conf", "/opt/../etc/shadow", "is no full path"),
        ('udp_in = ""', 'udp_inn = ""', "did you mean udp_in"),
        ('title = "Some panel"', "", "title is missing"),
    ],
)
def test_wrong_cards(tmp_path: Path, was: str, now: str, complaint: str) -> None:
    assert was in RIGHT
    with pytest.raises(ProblemsError, match=complaint):
        card(tmp_path, RIGHT.replace(was, now))


def test_a_panel_of_the_site_stands_for_one_of_the_package(tmp_path: Path) -> None:
    card(tmp_path, RIGHT, "cpanel")
    card(tmp_path, RIGHT, "my_panel")
    panels = {panel.id: panel for panel in load_panels((*directories_of("panels"), tmp_path))}
    assert panels["cpanel"].title == panels["my_panel"].title == "Some panel"
    with pytest.raises(ProblemsError, match="no id"):
        card(tmp_path, RIGHT, "My Panel")
