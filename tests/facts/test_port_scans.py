"""What the settings of the detector leave to the kernel, and whom it never bans."""

from pathlib import Path

import pytest

from durward.catalog.shelf import directories_of, load_detectors
from durward.config.settings import Settings, load_settings
from durward.facts.host import Host
from durward.facts.port_scans import port_scans
from durward.model import parse_address

DETECTORS = [card for card in load_detectors(directories_of("detectors")) if card.id == "port_scan"]
HOST = Host(resolvers=(parse_address("192.0.2.53"),), gateways=(parse_address("2001:db8:1::1"),))


def settings(directory: Path, text: str = "") -> Settings:
    (directory / "durward.toml").write_text(text, encoding="ascii")
    return load_settings(directory, [], DETECTORS)


def test_the_kernel_counts_as_the_engine_does(tmp_path: Path) -> None:
    found = port_scans(settings(tmp_path), HOST)
    assert found is not None
    assert (found.count, found.flags, found.within_seconds, found.ban_seconds) == (10, 3, 86400.0, 600)
    assert found.spared == ("192.0.2.53", "2001:db8:1::1")
    assert found.probed.words == {"ICMP", "INVALID"}


def test_csfs_names_are_understood(tmp_path: Path) -> None:
    schema = settings(tmp_path).schema
    assert schema.lookup("PS_LIMIT") == ("detectors.port_scan.count",)
    assert schema.lookup("PS_DIVERSITY") == ("detectors.port_scan.distinct",)
    assert schema.lookup("PS_PORTS") == ("detectors.port_scan.ports",)
    assert schema.lookup("PS_BLOCK_TIME") == schema.lookup("PS_PERMANENT") == ("detectors.port_scan.block_for",)


def test_a_shorter_block_makes_a_shorter_ban_and_diversity_counts(tmp_path: Path) -> None:
    found = port_scans(settings(tmp_path, '[detectors.port_scan]\nblock_for = "5m"\ncount = 4\ndistinct = 20\n'), HOST)
    assert found is not None
    assert (found.count, found.ban_seconds) == (20, 300)


@pytest.mark.parametrize(
    "text", ['mode = "shadow"', 'mode = "off"', "reflex = false", 'remedy = "alert"', 'within = "0s"']
)
def test_where_nobody_is_to_be_blocked_the_kernel_bans_nobody(tmp_path: Path, text: str) -> None:
    found = port_scans(settings(tmp_path, f"[detectors.port_scan]\n{text}\n"), HOST)
    assert found is not None
    assert (found.count, found.flags) == (0, 0)


def test_without_the_detector_nothing_is_counted(tmp_path: Path) -> None:
    (tmp_path / "durward.toml").write_text("", encoding="ascii")
    assert port_scans(load_settings(tmp_path, [], []), HOST) is None
