"""Who counts as logged in."""

import os
import socket
import struct
from pathlib import Path

import pytest

from durward.model import parse_address
from durward.privileged import logins as module
from durward.privileged.logins import UTMP_32, UTMP_64, Login, logins

GONE = 4_194_303  # above what kernel.pid_max usually allows


def entry(
    user: str = "root",
    *,
    host: str = "",
    address: str = "",
    process: int | None = None,
    kind: int = 7,
    layout: struct.Struct = UTMP_32,
) -> bytes:
    packed = parse_address(address).packed if address else b""
    process = os.getpid() if process is None else process
    fields = (b"pts/0", b"ts/0", user.encode(), host.encode(), b"", 0, 1_795_000_000, 0, packed, b"")
    return layout.pack(kind, process, *fields)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setattr(module, "MACHINES_64", frozenset())
    (tmp_path / "sessions").mkdir()
    return tmp_path / "utmp", tmp_path / "sessions"


def found(places: tuple[Path, Path]) -> list[tuple[str, str]]:
    return [(login.user, str(login.address)) for login in logins(*places)]


def test_records_have_the_size_that_the_c_library_gives_them() -> None:
    assert (UTMP_32.size, UTMP_64.size) == (384, 400)


def test_sessions_from_elsewhere_are_found(places: tuple[Path, Path]) -> None:
    places[0].write_bytes(
        entry(address="203.0.113.9")
        + entry("eve", address="2001:db8::7", host="somewhere.example")
        + entry("ann", host="198.51.100.4")
        + entry("mapped", address="::ffff:192.0.2.7")
        + entry("local")
        + entry("display", host=":0")
        + entry("name", host="somewhere.example")
    )
    assert found(places) == [
        ("root", "203.0.113.9"),
        ("eve", "2001:db8::7"),
        ("ann", "198.51.100.4"),
        ("mapped", "192.0.2.7"),
    ]
    assert str(logins(*places)[0]) == f"root, pid {os.getpid()}"


def test_those_who_have_left_or_never_came_in_are_not(places: tuple[Path, Path]) -> None:
    places[0].write_bytes(
        entry(address="203.0.113.9", kind=8)  # dead
        + entry(address="203.0.113.9", kind=6)  # at the login prompt
        + entry(address="203.0.113.9", process=GONE)
        + entry(address="203.0.113.9", process=0)
        + entry(address="203.0.113.9", process=-1)
    )
    assert found(places) == []


def test_the_other_layout(places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MACHINES_64", frozenset({os.uname().machine}))
    places[0].write_bytes(entry(address="203.0.113.9", layout=UTMP_64) + entry("ann", host="192.0.2.1", layout=UTMP_64))
    assert found(places) == [("root", "203.0.113.9"), ("ann", "192.0.2.1")]


def test_sessions_of_logind_are_found(places: tuple[Path, Path]) -> None:
    def session(name: str, **fields: str) -> None:
        written = {"UID": "0", "USER": "root", "STATE": "active", "LEADER": str(os.getpid()), **fields}
        (places[1] / name).write_text("# private\n" + "".join(f"{key}={value}\n" for key, value in written.items()))

    session("1", REMOTE_HOST="203.0.113.9")
    session("2", USER="ann", REMOTE_HOST="2001:db8::9", STATE="online")
    session("3", USER="local")
    session("4", USER="left", REMOTE_HOST="203.0.113.10", STATE="closing")
    session("5", USER="dead", REMOTE_HOST="203.0.113.11", LEADER=str(GONE))
    session("6", USER="odd", REMOTE_HOST="203.0.113.12", LEADER="²")
    session("7.ref", USER="pipe", REMOTE_HOST="203.0.113.13")
    (places[1] / "8").write_bytes(b"\xff\xfe=\n\0")
    (places[1] / "9").symlink_to(places[1] / "1")
    os.mkfifo(places[1] / "10")
    assert sorted(found(places)) == [("ann", "2001:db8::9"), ("root", "203.0.113.9")]


def test_one_session_in_both_places_is_one(places: tuple[Path, Path]) -> None:
    places[0].write_bytes(entry(address="203.0.113.9"))
    (places[1] / "1").write_text(f"USER=root\nREMOTE_HOST=203.0.113.9\nLEADER={os.getpid()}\n")
    assert logins(*places) == [Login("root", parse_address("203.0.113.9"), os.getpid())]


def test_what_cannot_be_read_has_no_sessions(places: tuple[Path, Path], tmp_path: Path) -> None:
    assert found((tmp_path / "nowhere", tmp_path / "nothing")) == []
    os.mkfifo(places[0])
    assert found(places) == []
    assert found((tmp_path, places[0])) == []


def test_a_cut_or_broken_file_gives_what_is_whole(places: tuple[Path, Path]) -> None:
    places[0].write_bytes(entry(address="203.0.113.9") + os.urandom(10))
    assert found(places) == [("root", "203.0.113.9")]
    broken = entry("\x1b[31m\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), address="203.0.113.9")
    places[0].write_bytes(broken)
    assert logins(*places)[0].user.isprintable()


def test_somebody_elses_process_is_alive(places: tuple[Path, Path]) -> None:
    with socket.socket():
        places[0].write_bytes(entry(address="203.0.113.9", process=1))
    assert found(places) == [("root", "203.0.113.9")]
