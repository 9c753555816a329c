"""Which control panel is here, by real files."""

from pathlib import Path

from durward.catalog.panel_card import load_panels
from durward.catalog.shelf import directories_of
from durward.facts.panel import installed_panels, panel_of, panel_ports

PANELS = load_panels(directories_of("panels"))


def put(root: Path, path: str, text: str = "") -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_each_mark_shows_its_panel(tmp_path: Path) -> None:
    for panel in PANELS:
        for number, mark in enumerate(panel.marks):
            root = tmp_path / f"{panel.id}{number}"
            put(root, mark.lstrip("/"))
            assert installed_panels(PANELS, root) == (panel,), mark


def test_without_a_panel_it_is_the_generic_one(tmp_path: Path) -> None:
    found = panel_of(PANELS, tmp_path)
    assert found is not None
    assert (found.id, installed_panels(PANELS, tmp_path)) == ("generic", ())
    assert panel_of([], tmp_path) is None


def test_webmin_beside_another_panel_is_not_the_panel(tmp_path: Path) -> None:
    put(tmp_path, "etc/webmin/miniserv.conf", "port=12345\n")
    found = panel_of(PANELS, tmp_path)
    assert found is not None
    assert (found.id, panel_ports(found, tmp_path)) == ("webmin", (12345,))
    put(tmp_path, "usr/local/psa/version")
    found = panel_of(PANELS, tmp_path)
    assert found is not None
    assert found.id == "plesk"


def test_ports_that_are_none(tmp_path: Path) -> None:
    webmin = next(panel for panel in PANELS if panel.id == "webmin")
    put(tmp_path, "etc/webmin/miniserv.conf", "port=abc\nport = 20001 \nport=99999\nxport=5\n\xff\n")
    put(tmp_path, "etc/usermin/miniserv.conf", "port=20000")
    assert panel_ports(webmin, tmp_path) == (20000, 20001)
