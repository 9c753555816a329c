"""The ports of SSH, from sshd itself, from what systemd listens on for it, and from who really listens."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.facts import secluded

from durward.facts.listeners import Listener
from durward.facts.sshd import Places, SshPort, find_ssh, ports_of, ssh_ports


def in_namespace(directory: Path, ports: str, *, runs: bool) -> Any:
    """What `find_ssh` learns on a host of its own."""
    script = str(Path(secluded.__file__))
    words = ["unshare", "--mount", "--net", sys.executable, script, str(directory), ports, "yes" if runs else "no"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.kernel
def test_sshd_is_asked(tmp_path: Path) -> None:
    assert in_namespace(tmp_path, "2222,2022", runs=False) == {"2022": ["sshd -T"], "2222": ["sshd -T"]}


@pytest.mark.kernel
def test_what_really_listens_counts_beside_what_the_next_start_would_be(tmp_path: Path) -> None:
    found = in_namespace(tmp_path, "2222", runs=True)
    assert found["2299"] == ["sshd -T"]
    assert any("sshd listens on" in where for where in found["2222"])


@pytest.mark.parametrize(
    ("lines", "ports"),
    [
        (["port 22"], [22]),
        (["port 22", "port 2222"], [22, 2222]),
        (["port 22", "listenaddress 192.0.2.4:2222"], [2222]),
        (["port 22", "listenaddress [::]:22", "listenaddress 0.0.0.0:22"], [22]),
        (["listenaddress [2001:db8::1]:2022 rdomain blue"], [2022]),
        (["port 22", "listenaddress 127.0.0.1:2222"], [22]),
        (["port twenty", "permitrootlogin no"], []),
    ],
)
def test_what_sshd_says_of_itself(lines: list[str], ports: list[int]) -> None:
    assert ports_of(lines) == ports


def test_never_empty(tmp_path: Path) -> None:
    places = Places(tmp_path, list)
    assert find_ssh(places) == (SshPort(22, ("assumed: no sshd was found",)),)
    assert ssh_ports(places) == (22,)


def test_files_and_socket_are_read_where_sshd_is_not_to_be_asked(tmp_path: Path) -> None:
    (tmp_path / "etc/ssh").mkdir(parents=True)
    (tmp_path / "etc/ssh/sshd_config").write_text("Port 2022\n")
    wants = tmp_path / "etc/systemd/system/sockets.target.wants"
    wants.mkdir(parents=True)
    (wants / "ssh.socket").symlink_to("/lib/systemd/system/ssh.socket")
    (tmp_path / "etc/systemd/system/ssh.socket").write_text("[Socket]\nListenStream=2222\n")
    assert ssh_ports(Places(tmp_path, list[Listener])) == (2022, 2222)
