"""sshd's files, read as sshd reads them as far as ports go."""

from pathlib import Path

import pytest

from durward.facts.sshd_config import configured_ports


def ports(root: Path, text: str, **included: str) -> list[tuple[int, str]]:
    (root / "etc/ssh/sshd_config.d").mkdir(parents=True, exist_ok=True)
    (root / "etc/ssh/sshd_config").write_text(text)
    for name, more in included.items():
        (root / f"etc/ssh/sshd_config.d/{name}.conf").write_text(more)
    return configured_ports(root)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [22]),
        ("#Port 2222\n", [22]),
        ("Port 2222\n", [2222]),
        ("port=2222\nPort = 2022 # both\n", [2222, 2022]),
        ('Port "2222"\n', [2222]),
        ("ListenAddress 0.0.0.0\n", [22]),
        ("ListenAddress 0.0.0.0:2222\n", [2222]),
        ("ListenAddress [2001:db8::1]:2222\nPort 22\n", [2222]),
        ("ListenAddress 2001:db8::1\nPort 2022\n", [2022]),
        ("ListenAddress 192.0.2.4:2222\nListenAddress 192.0.2.5\nPort 2022\n", [2222, 2022]),
        ("Match User bob\nPort 2222\n", [22]),
        ("Port 99999\n", []),
        ("Port 'unbalanced\n", [22]),
    ],
)
def test_ports(tmp_path: Path, text: str, numbers: list[int]) -> None:
    assert [port for port, _ in ports(tmp_path, text)] == numbers


def test_included_files(tmp_path: Path) -> None:
    found = ports(tmp_path, "Include sshd_config.d/*.conf\n", a="Port 2001\n", b="Port 2002\n")
    assert found == [(2001, "/etc/ssh/sshd_config.d/a.conf"), (2002, "/etc/ssh/sshd_config.d/b.conf")]


def test_a_match_in_an_included_file_ends_with_it(tmp_path: Path) -> None:
    found = ports(tmp_path, "Include /etc/ssh/sshd_config.d/*.conf\nPort 2003\n", a="Match all\nPort 2001\n")
    assert [port for port, _ in found] == [2003]


def test_a_file_that_includes_itself_ends(tmp_path: Path) -> None:
    found = ports(tmp_path, "Include sshd_config.d/*.conf\n", a="Include sshd_config.d/*.conf\nPort 2001\n")
    assert {port for port, _ in found} == {2001}
    assert configured_ports(tmp_path / "nothing") == []
