"""Private keys of OpenSSH as its own programs write them; a damaged one is refused, whatever byte it is."""

import base64
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.control import ed25519, ssh_agent
from durward.control.knocking import find_signer
from durward.control.ssh_keys import BEGIN, END, SshKeyError, read_key


def make(path: Path, *words: str, passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "me", *words, "-f", path], check=True)
    return path


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("keys") / "id_ed25519")


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = str(tmp_path_factory.mktemp("agent") / "socket")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
    while not os.path.exists(path):  # noqa: PTH110
        assert process.poll() is None
    yield path
    process.terminate()
    process.wait()


def test_both_halves_are_read_and_belong_together(key: Path) -> None:
    read, public = read_key(key.read_text(encoding="ascii")), read_key(Path(f"{key}.pub").read_text(encoding="ascii"))
    assert read.private is not None
    assert read.public == public.public == ed25519.public_key_of(read.private)
    assert public.private is None
    assert read.private.hex() not in repr(read)


@pytest.mark.parametrize("cipher", ["aes256-ctr", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"])
def test_an_encrypted_key_gives_its_public_half(tmp_path: Path, cipher: str) -> None:
    path = make(tmp_path / "key", "-Z", cipher, passphrase="secret")
    read = read_key(path.read_text(encoding="ascii"))
    assert (read.private, read.encrypted) == (None, True)
    assert read.public == read_key(Path(f"{path}.pub").read_text(encoding="ascii")).public


@given(some.data())
def test_a_changed_byte_is_noticed_or_without_meaning(key: Path, data: some.DataObject) -> None:
    text = key.read_text(encoding="ascii").strip().splitlines()
    raw = bytearray(base64.b64decode("".join(text[1:-1])))
    place = data.draw(some.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(some.integers(1, 255))
    try:
        changed = read_key("\n".join([BEGIN, base64.b64encode(raw).decode(), END]))
    except SshKeyError:
        return
    whole = read_key("\n".join(text))
    # The comment and the derivation's name mean nothing; whoever changed a half is found out when it is used.
    assert changed.public == whole.public or changed.encrypted
    assert (
        changed.private == whole.private or changed.encrypted or ed25519.public_key_of(changed.private) != whole.public
    )


@given(some.binary(max_size=400))
def test_nothing_else_is_a_key(raw: bytes) -> None:
    with pytest.raises(SshKeyError):
        read_key("\n".join([BEGIN, base64.b64encode(b"openssh-key-v1\0" + raw).decode(), END]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "was expected"),
        ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", "OpenSSH's own form"),
        (f"{BEGIN}\nAAAA", "last line is missing"),
        (f"{BEGIN}\n*\n{END}", "no base64"),
        (f"{BEGIN}\n{'AAAA' * 9}\n{END}", "does not begin"),
    ],
)
def test_what_is_no_key_is_told(text: str, message: str) -> None:
    with pytest.raises(SshKeyError, match=message):
        read_key(text)


def test_a_key_of_another_kind_is_told(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", tmp_path / "key"], check=True)
    with pytest.raises(SshKeyError, match="ssh-keygen -t ed25519"):
        read_key((tmp_path / "key").read_text(encoding="ascii"))


def test_the_agent_signs_with_a_key_that_it_holds(tmp_path: Path, agent: str) -> None:
    path = make(tmp_path / "key")
    subprocess.run(["ssh-add", "-q", path], env={**os.environ, "SSH_AUTH_SOCK": agent}, check=True)
    public = read_key(Path(f"{path}.pub").read_text(encoding="ascii")).public
    assert ssh_agent.AgentKey(public, "me") in ssh_agent.keys_of(agent)
    assert ed25519.verify(public, ssh_agent.sign(agent, public, b"message"), b"message")
    signer = find_signer(f"{path}.pub", {"SSH_AUTH_SOCK": agent})
    assert ed25519.verify(public, signer.sign(b"another"), b"another")


def test_a_key_that_the_agent_does_not_hold_is_told_with_what_to_do(tmp_path: Path, agent: str) -> None:
    path = make(tmp_path / "key", passphrase="secret")
    with pytest.raises(SshKeyError, match=f"does not hold it yet: ssh-add {path}"):
        find_signer(str(path), {"SSH_AUTH_SOCK": agent})
    with pytest.raises(SshKeyError, match="is encrypted, and there is no ssh-agent"):
        find_signer(str(path), {})
    with pytest.raises(SshKeyError, match="refused"):
        ssh_agent.sign(agent, bytes(32), b"message")


def test_without_an_agent_or_a_key_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(SshKeyError, match="does not answer"):
        ssh_agent.keys_of(str(tmp_path / "absent"))
    with pytest.raises(SshKeyError, match="there is no key"):
        find_signer(None, {"HOME": str(tmp_path)})


def test_the_usual_key_is_found(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    make(tmp_path / ".ssh" / "id_ed25519")
    assert find_signer(None, {"HOME": str(tmp_path)}).named == str(tmp_path / ".ssh" / "id_ed25519")
