"""Socket activation: which ports systemd listens on for sshd."""

from pathlib import Path

import pytest

from durward.facts.sshd_socket import socket_ports

LIB, ETC, GENERATED = "lib/systemd/system", "etc/systemd/system", "run/systemd/generator"


def unit(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def wanted(root: Path, by: str = f"{ETC}/sockets.target.wants", name: str = "ssh.socket") -> None:
    (root / by).mkdir(parents=True)
    (root / by / name).symlink_to(f"/lib/systemd/system/{name}")


def test_a_socket_that_nothing_wants_does_not_listen(tmp_path: Path) -> None:
    unit(tmp_path, f"{LIB}/ssh.socket", "[Socket]\nListenStream=22\nAccept=no\n")
    assert socket_ports(tmp_path) == []
    wanted(tmp_path)
    assert socket_ports(tmp_path) == [(22, "ssh.socket (/lib/systemd/system/ssh.socket)")]


def test_drop_ins_add_and_an_empty_line_forgets(tmp_path: Path) -> None:
    wanted(tmp_path, f"{ETC}/ssh.service.requires")
    unit(tmp_path, f"{LIB}/ssh.socket", "[Socket]\nListenStream=22\n")
    unit(tmp_path, f"{ETC}/ssh.socket.d/a.conf", "[Socket]\nListenStream=2222\n")
    assert [port for port, _ in socket_ports(tmp_path)] == [22, 2222]
    unit(tmp_path, f"{ETC}/ssh.socket.d/b.conf", "[Socket]\nListenStream=\nListenStream=0.0.0.0:2022\n")
    unit(tmp_path, f"{GENERATED}/ssh.socket.d/c.conf", "[Socket]\nListenStream=[::]:2023\n")
    assert [port for port, _ in socket_ports(tmp_path)] == [2022, 2023]


def test_a_drop_in_of_the_administrator_replaces_one_of_the_same_name(tmp_path: Path) -> None:
    wanted(tmp_path, name="sshd.socket")
    unit(tmp_path, f"{LIB}/sshd.socket", "[Socket]\n")
    unit(tmp_path, f"{LIB}/sshd.socket.d/port.conf", "[Socket]\nListenStream=2001\n")
    unit(tmp_path, f"{ETC}/sshd.socket.d/port.conf", "[Socket]\nListenStream = 2002\n")
    assert [port for port, _ in socket_ports(tmp_path)] == [2002]


@pytest.mark.parametrize("value", ["/run/ssh.sock", "127.0.0.1:22", "[::1]:22", "vsock::22", "99999", "@name"])
def test_what_is_no_way_in(tmp_path: Path, value: str) -> None:
    wanted(tmp_path)
    unit(tmp_path, f"{ETC}/ssh.socket", f"[Socket]\nListenStream={value}\n")
    assert socket_ports(tmp_path) == []
