"""Name servers from real files."""

from pathlib import Path

from durward.facts.resolvers import resolvers


def test_name_servers_in_order_each_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("# nameserver 192.0.2.1\nsearch x\nnameserver 192.0.2.53\nnameserver 127.0.0.53\n")
    (tmp_path / "b").write_bytes(
        b"nameserver fe80::1%eth0\nnameserver nonsense\nnameserver 192.0.2.53\n\xff\nnameserver"
    )
    assert list(map(str, resolvers((tmp_path / "a", tmp_path / "b", tmp_path / "c")))) == ["192.0.2.53", "fe80::1"]
