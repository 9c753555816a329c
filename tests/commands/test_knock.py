"""durward knock: what is sent, to whom and for whom; and what people are told where it cannot be."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from tests.commands.typed import Typed, typed

from durward.control import ed25519
from durward.control.ssh_keys import read_key
from durward.model.knock import key_id_of, read_knock

FAMILIES = pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "alice@laptop", "-f", path], check=True)
    return path


@pytest.fixture(autouse=True)
def _nobody_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def listening(family: socket.AddressFamily, host: str) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_DGRAM)
    opened.bind((host, 0))
    opened.settimeout(5)
    return opened


@pytest.fixture
def heard() -> Iterator[socket.socket]:
    with listening(socket.AF_INET, "127.0.0.1") as opened:
        yield opened


def knocks(tmp_path: Path, *words: str | Path) -> Typed:
    return typed("knock", *words, home=tmp_path)


@FAMILIES
def test_one_signed_datagram_is_sent(tmp_path: Path, key: Path, family: socket.AddressFamily, host: str) -> None:
    with listening(family, host) as heard:
        port = heard.getsockname()[1]
        done = knocks(tmp_path, host, "--port", str(port), "--key", key, "--for", "90s", "--json")
        assert done.status == 0, done.errors
        datagram = heard.recv(1000)
        heard.setblocking(False)
        with pytest.raises(BlockingIOError):
            heard.recv(1000)
    (answer,) = done.answers
    knock, signature = read_knock(datagram)
    public = read_key(Path(f"{key}.pub").read_text(encoding="ascii")).public
    assert ed25519.verify(public, signature, knock.signed_for(host))
    assert (knock.key_id, knock.address, knock.minutes) == (key_id_of(public), ip_address(host), 2)
    assert abs(knock.sent_at / 1000 - time.time()) < 60
    assert (answer["name"], answer["opens_for"], answer["minutes"], answer["signed_by"]) == (host, host, 2, "file")
    assert answer["nonce"] == knock.nonce.hex()


def test_for_another_address_and_by_another_name(tmp_path: Path, key: Path, heard: socket.socket) -> None:
    words = ("--port", str(heard.getsockname()[1]), "--key", key, "--open-for", "2001:DB8::7", "--name", "Web1.")
    done = knocks(tmp_path, "127.0.0.1", *words)
    assert done.status == 0, done.errors
    knock, signature = read_knock(heard.recv(1000))
    public = read_key(Path(f"{key}.pub").read_text(encoding="ascii")).public
    assert knock.address == ip_address("2001:db8::7")
    assert ed25519.verify(public, signature, knock.signed_for("web1"))
    assert "SSH is to open for 2001:db8::7, for 10 min" in done.out
    assert "Signed for   web1" in done.out
    assert "ssh 127.0.0.1" in done.out.splitlines()[-1]


def test_two_knocks_are_never_the_same(tmp_path: Path, key: Path, heard: socket.socket) -> None:
    sent = []
    for _ in range(3):
        assert knocks(tmp_path, "127.0.0.1", "--port", str(heard.getsockname()[1]), "--key", key).status == 0
        sent.append(read_knock(heard.recv(1000))[0].nonce)
    assert len(set(sent)) == 3


def test_the_agent_signs_for_a_key_with_a_passphrase(
    tmp_path: Path, heard: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, agent = tmp_path / "key", str(tmp_path / "agent")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    process = subprocess.Popen(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL)
    try:
        while not Path(agent).exists():
            assert process.poll() is None
        subprocess.run(["ssh-add", "-q", path], env={**os.environ, "SSH_AUTH_SOCK": agent}, check=True)
        subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret", "-f", path], check=True, stdout=subprocess.DEVNULL)
        monkeypatch.setenv("SSH_AUTH_SOCK", agent)
        done = knocks(tmp_path, "127.0.0.1", "--port", str(heard.getsockname()[1]), "--key", path, "--json")
        assert (done.status, json.loads(done.out)["signed_by"]) == (0, "agent"), done.errors
        knock, signature = read_knock(heard.recv(1000))
        public = read_key(Path(f"{path}.pub").read_text(encoding="ascii")).public
        assert ed25519.verify(public, signature, knock.signed_for("127.0.0.1"))
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("127.0.0.1",), 2, "there is no key"),
        (("127.0.0.1", "--key", "/absent"), 2, "/absent: No such file"),
        (("127.0.0.1", "--key", "/"), 2, "Is a directory"),
        (("127.0.0.1", "--key", "KEY", "--for", "11m"), 2, "1m to 10m were expected"),
        (("127.0.0.1", "--key", "KEY", "--for", "soon"), 2, "soon"),
        (("127.0.0.1", "--key", "KEY", "--open-for", "home"), 2, "'home' is not an IPv4 or IPv6 address"),
        (("127.0.0.1", "--key", "KEY", "--open-for", "0.0.0.0"), 2, "not for an address"),
        (("127.0.0.1", "--key", "KEY", "-4", "-6"), 2, "either --4 or --6"),
        (("127.0.0.1", "--key", "KEY", "--6"), 1, "127.0.0.1 is not found"),
        (("wrong name", "--key", "KEY"), 2, "no name of a host"),
        (("host.invalid", "--key", "KEY"), 1, "host.invalid is not found"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, key: Path, words: tuple[str, ...], status: int, message: str) -> None:
    done = knocks(tmp_path, *[str(key) if word == "KEY" else word for word in words])
    assert (done.status, message in done.errors, done.out) == (status, True, ""), done.errors


def test_the_help_teaches_it(tmp_path: Path) -> None:
    done = knocks(tmp_path, "--help")
    assert "durward knock web1.example.com && ssh web1.example.com" in done.out
