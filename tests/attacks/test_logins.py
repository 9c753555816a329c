"""Logins by a real sshd, su and sudo, told to a real mail server: who, how, with which key, from where, and once."""

import shutil
import subprocess
from collections.abc import Iterator
from email.header import decode_header, make_header
from pathlib import Path

import pytest
from arena.accounts import PASSWORD
from arena.attacker import Attacker
from arena.namespace import inside
from arena.processes import Completed
from tests.alerts.receivers import HOST, MailServer, Received
from tests.attacks.scene import Scene

pytestmark = [pytest.mark.kernel, pytest.mark.slow]
MAIL_PORT = 2525
AUTH_LOG = 'files = ["/var/log/auth.log"]\njournal = []\n'
SETTINGS = f"""\
[firewall]
tcp_in = "22"
[services.sshd]
{AUTH_LOG}
[services.su]
{AUTH_LOG}
[services.sudo]
{AUTH_LOG}
[alerts.mail]
enabled = true
server = "{HOST}:{MAIL_PORT}"
gather = "0s"
budget = "off"
"""
WITH_KEY = ("-o", "PubkeyAuthentication=yes", "-o", "PreferredAuthentications=publickey", "-o", "IdentitiesOnly=yes")
AT_HOME = "198.51.100.0/24"
IGNORED = "198.51.100.77"


class Office(Scene):
    """A scene whose mail server is on the door, at loopback; it keeps what it got."""

    def before_start(self) -> None:
        self.server = MailServer(port=MAIL_PORT)
        inside(self.network.door, self.server.__enter__)
        self._places.callback(self.server.__exit__)

    def logs_in(self, attacker: Attacker, key: Path) -> Completed:
        """Log in as alice with a key, by a client of OpenSSH, and do nothing."""
        program, *words = attacker._ssh("alice", 5.0, prompts=0)
        argv = [program, "-i", str(key), *WITH_KEY, *words, "true"]
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = self.network.popen_in(self.network.street, argv, **options)
        said, complaint = process.communicate(timeout=20)
        return Completed(argv, process.returncode, said, complaint)

    def as_alice(self, *argv: str, typed: str = "") -> int:
        """Run a program on the door as alice, who types one line."""
        words = ["setpriv", "--reuid=64201", "--regid=64201", "--clear-groups", *argv]
        return self.door.run(words, input=f"{typed}\n", timeout_seconds=20.0).returncode

    def told(self, what: str) -> list[Received]:
        """The mails so far whose subject has this in it."""
        return [mail for mail in self.server.mails if what in subject_of(mail)]

    def await_mail(self, what: str) -> Received:
        self.wait(lambda: bool(self.told(what)), f"a mail about {what!r}")
        return self.told(what)[0]


def subject_of(mail: Received) -> str:
    return str(make_header(decode_header(mail.mail["Subject"])))


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with Office(settings=SETTINGS, lists={"ignore.list": f"{IGNORED}\n"}) as made:
        yield made


@pytest.fixture
def key(office: Office, tmp_path: Path) -> Path:
    """A key that alice may come with."""
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    folder = office.door.work / "run/home/alice/.ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(path.with_suffix(".pub"), folder / "authorized_keys")
    for made in (folder, folder / "authorized_keys"):
        shutil.chown(made, 64201, 64201)
    return path


def fingerprint(key: Path) -> str:
    done = subprocess.run(["ssh-keygen", "-l", "-f", key], check=True, capture_output=True, text=True)
    return done.stdout.split()[1]


def test_a_login_by_key_is_one_mail_with_its_fingerprint_and_its_network(office: Office, key: Path) -> None:
    alice = office.at("198.51.100.21")
    assert office.logs_in(alice, key).returncode == 0
    mail = office.await_mail("alice logged in by SSH from 198.51.100.21")
    assert f"for the first time from this network ({AT_HOME}), with the key {fingerprint(key)}" in mail.text.replace(
        "\n", " "
    )
    assert "Accepted publickey for alice from 198.51.100.21" in mail.text
    assert "nothing was blocked" in mail.text
    assert mail.mail["X-Durward-Severity"] == "warning"
    assert office.logs_in(alice, key).returncode == 0
    neighbour = office.at("198.51.100.22")
    assert office.logs_in(neighbour, key).returncode == 0  # what came before it has been read by then
    known = office.await_mail("alice logged in by SSH from 198.51.100.22")
    assert "not for the first time from this network" in known.text
    assert known.mail["X-Durward-Severity"] == "notice"
    assert len(office.told("alice logged in by SSH from 198.51.100.21")) == 1
    for subject in ("alice", "198.51.100.21"):
        assert any("alice logged in" in one["reason"] for one in office.why(subject)["history"]), subject
    assert not office.is_blocked("198.51.100.21")


def test_a_login_by_password_says_so(office: Office) -> None:
    stranger = office.stranger()
    with stranger.open_session():
        mail = office.await_mail(f"alice logged in by SSH from {stranger.address}")
    assert ", by password" in mail.text
    (help_line,) = [line for line in mail.text.splitlines() if line.startswith("Help")]
    assert help_line.split(maxsplit=1)[1] == f"durward block {stranger.address}"


def test_whose_address_is_ignored_is_written_down_and_told_to_nobody(office: Office, key: Path) -> None:
    assert office.logs_in(office.at(IGNORED), key).returncode == 0
    office.wait(lambda: any(one["subject"] == IGNORED for one in office.log()), "the login is in the log")
    after = office.stranger()
    assert office.logs_in(after, key).returncode == 0
    office.await_mail(after.address)
    assert office.told(IGNORED) == []


def test_su_is_told_and_so_is_who_fails(office: Office) -> None:
    assert office.as_alice("su", "root", "-c", "true", typed="wrong") != 0
    failed = office.await_mail("alice failed to become root by su")
    assert "authentication failure" in failed.text
    assert office.as_alice("su", "root", "-c", "true", typed=PASSWORD) == 0
    assert office.await_mail("alice became root by su").mail["X-Durward-Severity"] == "notice"
    assert office.door.run(["su", "alice", "-c", "true"]).returncode == 0
    assert office.as_alice("su", "root", "-c", "true", typed="wrong") != 0
    office.stranger().guess()
    assert len(office.told("alice failed to become root by su")) == 1
    assert office.told("root became") == []
    assert any("became root by su" in one["reason"] for one in office.why("alice")["history"])


@pytest.mark.skipif(shutil.which("sudo") is None, reason="sudo is not installed")
def test_who_may_not_use_sudo_and_tries_is_told(office: Office) -> None:
    assert office.as_alice("sudo", "-S", "id", typed=PASSWORD) != 0
    mail = office.await_mail("alice was refused when trying to become")
    assert "NOT in sudoers" in mail.text or "not allowed" in mail.text
