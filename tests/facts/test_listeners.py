"""What listens here and whose it is, asked of the real kernel."""

import socket
from pathlib import Path

from durward.facts.listeners import connected_addresses, listeners, owners


def test_a_socket_of_ours_is_seen_with_its_owner() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        found = next(one for one in listeners() if (one.protocol, one.port) == ("tcp", port))
        assert str(found.address) == "0.0.0.0"
        name = Path("/proc/self/comm").read_text().strip()
        assert owners([found.inode]) == {found.inode: frozenset({name})}
        assert f"socket:[{found.inode}]" == str(Path(f"/proc/self/fd/{server.fileno()}").readlink())


def test_loopback_is_nobodys_business() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert server.getsockname()[1] not in {one.port for one in listeners()}


def test_nobody_owns_what_does_not_exist() -> None:
    assert owners([]) == {}
    assert owners([2**40]) == {}


def test_addresses_with_a_connection(tmp_path: Path) -> None:
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    rest = "00000000:00000000 00:00000000 00000000     0        0 77 1\n"
    (tmp_path / "tcp").write_text(
        head + f"   0: 070200C0:0016 080200C0:8000 01 {rest}   1: 090200C0:0016 0:0 0A {rest}"
    )
    mapped = "0000000000000000FFFF00000A0200C0:0016"
    (tmp_path / "tcp6").write_text(head + f"   0: {mapped} {mapped} 01 {rest}")
    assert sorted(map(str, connected_addresses(tmp_path))) == ["192.0.2.10", "192.0.2.7"]
    assert connected_addresses(tmp_path / "nothing") == frozenset()
