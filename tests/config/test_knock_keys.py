"""The keys that may knock: OpenSSH's own lines, strictly; a wrong line is told with its number and gives no key."""

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from durward.config import knock_keys
from durward.config.knock_keys import KEYS_MAX, KnockKey, blob_of, parse_line, read_knock_keys
from durward.config.settings import load_settings


def line_of(public: bytes, comment: str = "alice@laptop") -> str:
    return f"ssh-ed25519 {base64.b64encode(blob_of(public)).decode()} {comment}"


def written(directory: Path, *lines: str, mode: int = 0o640) -> Path:
    path = directory / "knock_keys"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(mode)
    return path


@given(
    some.binary(min_size=32, max_size=32), some.text(some.characters(codec="ascii", categories=["L", "N"]), min_size=1)
)
def test_a_line_is_read_back(public: bytes, comment: str) -> None:
    assert parse_line(line_of(public, comment)) == KnockKey(public, comment[:100])
    assert parse_line(f"opens-for-others  {line_of(public, comment)}") == KnockKey(public, comment[:100], True)


def test_what_ssh_keygen_makes_is_read_and_its_fingerprint_agrees(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a b  c", "-f", key], check=True)
    shown = subprocess.run(["ssh-keygen", "-l", "-f", key], check=True, capture_output=True, text=True).stdout
    read = parse_line(Path(f"{key}.pub").read_text(encoding="ascii"))
    assert read.comment == "a b  c"
    assert read.fingerprint == shown.split()[1]


def test_comments_and_empty_lines_say_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "# administrators", "", "  ", line_of(bytes(32)), f"opens-for-others {line_of(b'1' * 32)}")
    found = read_knock_keys(path)
    assert [(key.comment, key.opens_for_others) for key in found.keys] == [
        ("alice@laptop", False),
        ("alice@laptop", True),
    ]
    assert found.problems == ()


def test_without_a_comment_the_fingerprint_names_it() -> None:
    assert parse_line(line_of(bytes(32), "")).comment.startswith("SHA256:")


GOOD = base64.b64encode(blob_of(bytes(32))).decode()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ssh-rsa AAAAB3Nz x", "kind 'ssh-rsa' cannot knock"),
        ("sk-ssh-ed25519@openssh.com AAAA x", "cannot knock"),
        ("ssh-ed25519", "was expected"),
        ("ssh-ed25519 AAAA!", "no base64"),
        ("ssh-ed25519 AAAA x", "no key of ssh-ed25519"),
        (f"ssh-ed25519 {base64.b64encode(blob_of(bytes(32)) + b'x').decode()} x", "no key of"),
        (f"ssh-ed25519 {base64.b64encode(blob_of(bytes(31))).decode()} x", "no key of"),
        (f"opens-for-other ssh-ed25519 {GOOD} x", "did you mean opens-for-others"),
        (f'from="192.0.2.1" ssh-ed25519 {GOOD} x', "no option"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "no option"),
    ],
)
def test_a_wrong_line_is_told_with_its_number_and_the_others_count(tmp_path: Path, line: str, message: str) -> None:
    path = written(tmp_path, "# one", line, line_of(bytes(32)))
    found = read_knock_keys(path)
    assert len(found.keys) == 1
    (problem,) = found.problems
    assert (problem.file, problem.line) == (str(path), 2)
    assert message in problem.message


def test_a_key_that_stands_twice_is_told(tmp_path: Path) -> None:
    found = read_knock_keys(written(tmp_path, line_of(bytes(32)), line_of(bytes(32), "again")))
    assert ([key.comment for key in found.keys], [one.line for one in found.problems]) == (["alice@laptop"], [2])


def test_beyond_so_many_the_rest_is_told(tmp_path: Path) -> None:
    lines = [line_of(number.to_bytes(32)) for number in range(KEYS_MAX + 2)]
    found = read_knock_keys(written(tmp_path, *lines))
    assert (len(found.keys), [one.line for one in found.problems]) == (KEYS_MAX, [KEYS_MAX + 1, KEYS_MAX + 2])


def test_no_file_is_no_key_and_no_problem(tmp_path: Path) -> None:
    assert read_knock_keys(tmp_path / "absent") == knock_keys.KnockKeys()


@pytest.mark.parametrize("mode", [0o660, 0o642])
def test_a_file_that_others_may_write_to_is_not_believed(tmp_path: Path, mode: int) -> None:
    found = read_knock_keys(written(tmp_path, line_of(bytes(32)), mode=mode))
    assert found.keys == ()
    assert "others than root may write" in found.problems[0].message


def test_what_is_no_small_regular_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "knock_keys").mkdir()
    assert "no regular file" in read_knock_keys(tmp_path / "knock_keys").problems[0].message
    large = tmp_path / "large"
    large.write_bytes(b"#" * (knock_keys.FILE_BYTES_MAX + 1))
    assert "larger than" in read_knock_keys(large).problems[0].message


def test_settings_that_cannot_be_are_told_with_their_lines(tmp_path: Path) -> None:
    lines = ["[firewall]", 'udp_in = "443,22000:22100"', "[firewall.authorised_knock]", "port = 22022"]
    lines += ['names = ["web1", "web 2"]']
    (tmp_path / "durward.toml").write_text("\n".join(lines), encoding="utf-8")
    settings = load_settings(tmp_path, [], [])
    assert settings.firewall.authorised_knock.port == 22022
    found = {(problem.line, problem.key): problem.message for problem in knock_keys.problems_of(settings)}
    assert "'web 2' is no name" in found[5, "firewall.authorised_knock.names"]
    assert "udp_in opens port 22022" in found[4, "firewall.authorised_knock.port"]


def test_without_a_port_the_settings_ask_for_nothing(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, [], [])
    assert settings.firewall.authorised_knock.port == 0
    assert knock_keys.problems_of(settings) == []
