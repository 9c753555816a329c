"""Clients that fail to log in: each says a name and a wrong password, and gives the server's answer."""

import socket
import struct
from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.services.mail_stage import OWN, STRANGER, Stage

FTP, SSH, DNS, LDAP, MYSQL, POSTGRESQL = 21, 22, 53, 389, 3306, 5432
TIMEOUT_SECONDS = 30.0
WRONG = "correct-horse-8"
SSH_KEYS = ("wrong1", "wrong2", "wrong3", "wrong4")  # files of keys that open nothing
SSH_ASK = """#!/bin/sh
sed -n 1p {directory}/run/answers
sed -i 1d {directory}/run/answers
"""
Answer = TypeVar("Answer")


def ask(stage: Stage, port: int, talk: Callable[[socket.socket], Answer], source: str = STRANGER) -> Answer:
    """Connect from `source`, and give what `talk` finds out."""
    with stage.network.inside():
        peer = socket.create_connection((OWN, port), TIMEOUT_SECONDS, source_address=(source, 0))
    with peer:
        return talk(peer)


def ftp(stage: Stage, *names: str) -> list[str]:
    """Try each name with a wrong password over one connection: the codes of the answers."""

    def talk(peer: socket.socket) -> list[str]:
        with peer.makefile("rwb") as stream:
            _reply(stream.readline)
            answers = []
            for name in names:
                for command in (f"USER {name}", f"PASS {WRONG}"):
                    stream.write(command.encode() + b"\r\n")
                    stream.flush()
                    answers.append(_reply(stream.readline))
            return answers[1::2]

    return ask(stage, FTP, talk)


def _reply(readline: Callable[[], bytes]) -> str:
    """The code of an answer, which may have several lines."""
    while (line := readline()) and (line[3:4] == b"-" or not line[:3].isdigit()):
        pass
    return line[:3].decode()


def look(stage: Stage, port: int, says: bytes) -> None:
    """Wait for the server's greeting, say something, and hang up."""

    def talk(peer: socket.socket) -> None:
        assert peer.recv(1024)
        peer.sendall(says)

    ask(stage, port, talk)


def ssh(stage: Stage, name: str) -> None:
    """Try a password once."""
    options = ("PreferredAuthentications=password", "NumberOfPasswordPrompts=1", "StrictHostKeyChecking=no")
    others = ("UserKnownHostsFile=/dev/null", f"BindAddress={STRANGER}", "LogLevel=ERROR")
    words = [word for option in (*options, *others) for word in ("-o", option)]
    stage.network.run("sh", "-c", '"$@" || true', "sh", "sshpass", "-p", WRONG, "ssh", *words, "-l", name, OWN, "true")


def openssh(stage: Stage, name: str, *answers: str, keys: Sequence[str] = ()) -> None:
    """Log in over one connection: offer the keys of these files, then give these answers to what is asked."""
    (stage.directory / "run/answers").write_text("".join(f"{answer}\n" for answer in answers))
    ask = stage.directory / "ask"
    ask.write_text(SSH_ASK.format(directory=stage.directory))
    ask.chmod(0o755)
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", f"BindAddress={STRANGER}", "LogLevel=ERROR"]
    options += [f"IdentityFile={stage.directory}/{key}" for key in keys] or ["PubkeyAuthentication=no"]
    options += ["IdentitiesOnly=yes", f"NumberOfPasswordPrompts={len(answers)}"]
    words = [word for option in options for word in ("-o", option)]
    asking = (f"SSH_ASKPASS={ask}", "SSH_ASKPASS_REQUIRE=force")
    command = '"$@" </dev/null || true'
    stage.run("sh", "-c", command, "sh", "env", *asking, "setsid", "-w", "ssh", *words, "-l", name, OWN, "true")


def mysql(stage: Stage, name: str) -> int:
    """Try a password once: the number of the error."""

    def talk(peer: socket.socket) -> int:
        with peer.makefile("rwb") as stream:
            _packet(stream.read)
            login = struct.pack("<IIB23x", 0x000A_A205, 1 << 24, 45) + name.encode() + b"\0" + bytes([20]) + b"x" * 20
            stream.write(struct.pack("<I", len(login))[:3] + b"\1" + login + b"mysql_native_password\0")
            stream.flush()
            answer = _packet(stream.read)
            if answer[:1] == b"\xfe":  # the server wants it said again in the way of that account
                stream.write(b"\x14\0\0\3" + b"x" * 20)
                stream.flush()
                answer = _packet(stream.read)
            return int(struct.unpack("<H", answer[1:3])[0]) if answer[:1] == b"\xff" else 0

    return ask(stage, MYSQL, talk)


def _packet(read: Callable[[int], bytes]) -> bytes:
    return read(int.from_bytes(read(4)[:3], "little"))


def postgresql(stage: Stage, name: str) -> str:
    """Try a password once: the code of the error."""

    def talk(peer: socket.socket) -> str:
        with peer.makefile("rwb") as stream:
            words = b"user\0" + name.encode() + b"\0database\0postgres\0\0"
            stream.write(struct.pack(">II", len(words) + 8, 3 << 16) + words)
            stream.flush()
            kind, text = _message(stream.read)
            if kind == b"R":
                stream.write(b"p" + struct.pack(">I", len(WRONG) + 5) + WRONG.encode() + b"\0")
                stream.flush()
                kind, text = _message(stream.read)
            fields = {field[:1]: field[1:].decode() for field in text.split(b"\0") if field}
            return fields[b"C"] if kind == b"E" else ""

    return ask(stage, POSTGRESQL, talk)


def _message(read: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    kind, size = struct.unpack(">cI", read(5))
    return kind, read(size - 4)


def ldap(stage: Stage, name: str) -> int:
    """Try a password once: the result code."""

    def talk(peer: socket.socket) -> int:
        bind = b"\x02\x01\x03" + _element(0x04, name.encode()) + _element(0x80, WRONG.encode())
        peer.sendall(_element(0x30, b"\x02\x01\x01" + _element(0x60, bind)))
        answer = peer.recv(4096)
        return answer[answer.index(b"\x0a\x01") + 2]

    return ask(stage, LDAP, talk)


def _element(tag: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes([tag, len(content)]) + content


def transfer(stage: Stage, zone: str) -> int:
    """Ask for a whole zone: the server's answer, 5 for refused."""

    def talk(peer: socket.socket) -> int:
        peer.sendall(struct.pack(">H", len(_question(zone, 252))) + _question(zone, 252))
        return peer.recv(4096)[5] & 15

    return ask(stage, DNS, talk)


def query(stage: Stage, name: str) -> int:
    """Ask for the address of a name by UDP: the server's answer, 5 for refused."""
    with stage.network.inside(), socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.settimeout(TIMEOUT_SECONDS)
        asking.bind((STRANGER, 0))
        asking.sendto(_question(name, 1), (OWN, DNS))
        return asking.recv(4096)[3] & 15


def _question(name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)
