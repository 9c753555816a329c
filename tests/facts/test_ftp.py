"""The data ports of FTP, by real files of its servers."""

from pathlib import Path

import pytest

from durward.catalog.traffic import PortRange
from durward.facts.ftp import passive_ports


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("etc/pure-ftpd.conf", "#PassivePortRange 1 2\nPassivePortRange   49152  65534\n"),
        ("etc/pure-ftpd/conf/PassivePortRange", "49152 65534\n"),
        ("etc/proftpd/proftpd.conf", "<Global>\n  PassivePorts 49152 65534\n</Global>\n"),
        ("etc/vsftpd.conf", "pasv_enable=YES\npasv_min_port=49152\npasv_max_port=65534\n"),
    ],
)
def test_each_server_says_them_in_its_way(tmp_path: Path, path: str, text: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text)
    found = passive_ports(tmp_path)
    assert found is not None
    assert (found.ports, found.file) == (PortRange(49_152, 65_534), f"/{path}")


@pytest.mark.parametrize(
    "text", ["", "PassivePortRange 5 4\n", "PassivePortRange 0 99999\n", "# PassivePortRange 1 2\n"]
)
def test_what_is_no_range_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/pure-ftpd.conf").write_text(text)
    (tmp_path / "etc/vsftpd.conf").write_text("pasv_min_port=1000\n")
    assert passive_ports(tmp_path) is None
