"""Real tools that guess passwords, at real servers: each is blocked within the stated tries, and nobody else is."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from arena.attacker import Answer, Attacker
from arena.errors import require_programs
from arena.host import COMMON_AUTH
from arena.network import DOOR_IPV4, FRIEND_IPV4, ROUTER_IPV4
from arena.processes import end
from tests.attacks.scene import Scene, is_silent
from tests.services.login_daemons import VSFTPD
from tests.services.mail_servers import DOVECOT, EXIM
from tests.services.mail_stage import PASSWORD, unpacked

SSH, FTP, POP3, IMAP, SUBMISSION = 22, 21, 110, 143, 587
TASKS = 4  # tries of a tool that are under way at the same time, and so may still arrive
WORDS = [f"wrong-{number}" for number in range(400)]
NAMES = ["admin", "test", "info", "office", "backup", "oracle", "git", "sales"]
SETTINGS = """\
[firewall]
tcp_in = "21,22,110,143,587"

[services.sshd]
files = ["/var/log/auth.log"]
journal = []
[services.dovecot]
files = ["/var/log/syslog"]
journal = []
[services.exim]
files = ["{work}/exim/mainlog"]
journal = []
[services.vsftpd]
files = ["{work}/vsftpd.log"]
journal = []
"""

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


class Servers(Scene):
    """A door with sshd, Dovecot, Exim and vsftpd, whose logs durward reads."""

    def __init__(self) -> None:
        super().__init__(settings="")

    def before_start(self) -> None:
        """Start the servers."""
        work = self.door.work
        self.lists = work / "lists"
        self.lists.mkdir()
        (self.lists / "passwords").write_text("".join(f"{word}\n" for word in WORDS))
        (self.lists / "names").write_text("".join(f"{name}\n" for name in NAMES))
        # Failures take as long as on every host, where the arena otherwise hurries.
        (work / "etc/pam.d/common-auth").write_text(COMMON_AUTH.read_text())
        self._dovecot(work / "dovecot")
        self._exim(work / "exim")
        self._vsftpd(work)
        friend = self.at(FRIEND_IPV4)
        for port in (FTP, POP3, IMAP, SUBMISSION):
            self.wait(lambda port=port: friend.can_connect(port), f"something listens on port {port}")
        self.etc("durward.toml").write_text(SETTINGS.format(work=work))

    def runs(self, attacker: Attacker, *argv: str) -> subprocess.Popen[Any]:
        """Start a tool that knows nothing of addresses, so that it comes from that of `attacker`."""
        route = ["ip", "route", "replace", f"{DOOR_IPV4}/32", "dev", "eth0", "src", attacker.address]
        self.network.run_in(self.network.street, route, check=True)
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return self.network.popen_in(self.network.street, argv, cwd=self.lists, **quiet)

    def lines_of(self, log: str) -> list[str]:
        """What is written in a log so far."""
        own = self.door.work / log
        path = own if own.exists() else self.door.outside(Path("/var/log", log))
        return path.read_text(encoding="utf-8", errors="replace").splitlines()

    def _dovecot(self, directory: Path) -> None:
        for name in ("run", "mail"):
            (directory / name).mkdir(parents=True)
        (directory / "mail").chmod(0o777)
        text = DOVECOT.format(directory=directory, protocols="imap pop3", verbose="yes", log="syslog")
        (directory / "dovecot.conf").write_text(_outside(text.replace("delay = 0", "delay = 2 secs")))
        (directory / "users").write_text(f"bob:{{PLAIN}}{PASSWORD}\n")
        self._starts("dovecot", "-F", "-c", f"{directory}/dovecot.conf")

    def _exim(self, directory: Path) -> None:
        for name in ("spool", "run", "logs"):
            (directory / name).mkdir(parents=True)
        text = EXIM.format(directory=directory, password=PASSWORD, selector="+incoming_port")
        (directory / "exim.conf").write_text(_outside(text.replace(f"{directory}/logs/", f"{directory}/")))
        self.door.run(["chown", "-R", "Debian-exim", directory], check=True)
        self.door.run(["chown", "root", directory / "exim.conf"], check=True)
        self._starts("exim4", "-bdf", "-C", f"{directory}/exim.conf")

    def _vsftpd(self, work: Path) -> None:
        (work / "empty").mkdir()
        (work / "etc/pam.d/vsftpd").write_text("@include common-auth\n@include common-account\n")
        text = VSFTPD.format(directory=work, syslog="NO").replace(f"{work}/logs/", f"{work}/")
        (work / "vsftpd.conf").write_text(_outside(text.replace("delay_failed_login=0", "delay_failed_login=1")))
        self._starts(str(unpacked("vsftpd") / "usr/sbin/vsftpd"), f"{work}/vsftpd.conf")

    def _starts(self, *argv: str) -> None:
        with (self.door.work / "servers.output").open("ab") as output:
            self.door.popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    require_programs(["hydra", "ncrack", "medusa", "dovecot", "exim4"])
    with Servers() as servers:
        yield servers


def _outside(text: str) -> str:
    return text.replace("127.0.0.1", DOOR_IPV4)


def hydra(service: str, *options: str, tasks: int = TASKS, passwords: str = "passwords") -> Sequence[str]:
    named = () if "-L" in options else ("-l", "bob")
    return ("hydra", "-I", "-t", str(tasks), *named, "-P", passwords, *options, f"{service}://{DOOR_IPV4}")


def ncrack(service: str, port: int, *options: str) -> Sequence[str]:
    limits = f"{service}://{DOOR_IPV4}:{port},cl=1,CL={TASKS},at=1,to=60s"
    return ("ncrack", "--user", "bob", "-P", "passwords", *options, limits)


def medusa(service: str) -> Sequence[str]:
    return ("medusa", "-h", DOOR_IPV4, "-u", "bob", "-P", "passwords", "-M", service, "-t", str(TASKS))


@dataclass(frozen=True, slots=True)
class Case:
    """A tool at a service: `count` failures are too many, and each of them is a line that `pattern` finds."""

    argv: Sequence[str]
    port: int
    count: int
    pattern: str
    log: str
    more: int = TASKS  # that are on their way when the one too many is seen


SSH_LINE, SSH_LOG = r"Failed password for (?:invalid user )?\S+ from {ip} port", "auth.log"
FTP_LINE, FTP_LOG = r'FAIL LOGIN: Client "{ip}"', "vsftpd.log"
MAIL_LINE, MAIL_LOG = r"auth: passwd-file\(\S+,{ip}", "syslog"
SMTP_LINE, SMTP_LOG = r"authenticator failed for .* \[{ip}\]", "exim/mainlog"
CASES = {
    "hydra, SSH": Case(hydra("ssh"), SSH, 5, SSH_LINE, SSH_LOG),
    "hydra, SSH, slowly": Case(hydra("ssh", "-c", "1", tasks=1), SSH, 5, SSH_LINE, SSH_LOG, 1),
    "hydra, names at SSH": Case(hydra("ssh", "-L", "names", "-u"), SSH, 5, SSH_LINE, SSH_LOG),
    "hydra, IMAP": Case(hydra("imap"), IMAP, 10, MAIL_LINE, MAIL_LOG),
    "hydra, names at IMAP": Case(hydra("imap", "-L", "names", "-u"), IMAP, 5, MAIL_LINE, MAIL_LOG),
    "hydra, SMTP": Case(hydra("smtp", "-s", str(SUBMISSION)), SUBMISSION, 5, SMTP_LINE, SMTP_LOG),
    "ncrack, SSH": Case(ncrack("ssh", SSH), SSH, 5, SSH_LINE, SSH_LOG),
    "ncrack, POP3": Case(ncrack("pop3", POP3), POP3, 10, MAIL_LINE, MAIL_LOG),
    "ncrack, FTP": Case(ncrack("ftp", FTP), FTP, 10, FTP_LINE, FTP_LOG),
    "medusa, SSH": Case(medusa("ssh"), SSH, 5, SSH_LINE, SSH_LOG),
}


@pytest.mark.parametrize("name", CASES)
def test_a_tool_is_blocked_within_the_stated_tries_and_an_honest_client_goes_on(servers: Servers, name: str) -> None:
    case, attacker, honest = CASES[name], servers.stranger(), servers.stranger()
    with honest.open_session() as session:
        tool = servers.runs(attacker, *case.argv)
        try:
            servers.wait(lambda: servers.is_blocked(attacker.address), f"{name} is blocked", 25.0)
            assert is_silent(attacker, case.port)
        finally:
            end(tool)
        assert session.is_live()
    assert honest.can_connect(case.port)
    assert not servers.is_blocked(honest.address)
    assert [one["subject"] for one in servers.log() if one["verdict"] == "block"].count(attacker.address) == 1
    written = servers.lines_of(case.log)
    wrong = re.compile(case.pattern.format(ip=re.escape(attacker.address)))
    assert sum(1 for line in written if wrong.search(line)) <= case.count + case.more
    layer = servers.layer(attacker.address)
    evidence = [line["text"] for line in layer["evidence"]]
    assert 1 <= len(evidence) <= case.count + case.more
    assert all(attacker.address in line and line in written for line in evidence)
    assert re.match(r"\d+ failed (?:SSH|Dovecot|SMTP|FTP) logins in ", layer["reason"])


def test_whoever_stays_in_one_connection_is_blocked_in_its_middle(servers: Servers) -> None:
    """All passwords are tried over one connection of POP3: Dovecot tells of each, and sums them up at its end."""
    attacker = servers.stranger()
    tool = servers.runs(attacker, *hydra("pop3", tasks=1))
    try:
        servers.wait(lambda: servers.is_blocked(attacker.address), "hydra is blocked", 40.0)
        assert tool.poll() is None
    finally:
        end(tool)
    assert is_silent(attacker, POP3)
    wrong = re.compile(MAIL_LINE.format(ip=re.escape(attacker.address)))
    assert sum(1 for line in servers.lines_of(MAIL_LOG) if wrong.search(line)) <= 10 + 1


def test_a_person_who_mistypes_is_let_in_after_all(servers: Servers) -> None:
    person = servers.stranger()
    assert person.guess("mistyped", "alice") is not Answer.LET_IN
    assert person.guess(PASSWORD, "alice") is Answer.LET_IN
    assert not servers.is_blocked(person.address)


def test_whoever_is_nobody_of_these_was_let_be(servers: Servers) -> None:
    """Of all that the tools did, nothing was counted against the street's own address or the friend's."""
    for address in (FRIEND_IPV4, ROUTER_IPV4):
        assert not servers.is_blocked(address)
    assert all(one["subject"].startswith("203.0.113.") for one in servers.log() if one["verdict"] == "block")
