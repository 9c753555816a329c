"""Whoever fetches mail too often loses that alone; who sends too much, and a full queue, are told of."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from arena.attacker import Answer, Attacker
from tests.attacks.scene import Scene, is_silent

POP3, POP3S, IMAP = 110, 995, 143  # nobody listens there, so whatever gets through is refused
HOUR, MARGIN = 3600, 40  # such blocks end with the hour: shortly before its end the test waits for the next one
WAITING = 2001
SETTINGS = """\
[firewall]
tcp_in = "22,110,143,995"

[services.sshd]
files = ["/var/log/auth.log"]
journal = []
[services.dovecot]
files = ["{log}"]
journal = []
[services.postfix]
files = ["{log}"]
journal = []
[services.exim]
files = ["{work}/mainlog"]
journal = []

[detectors.pop3_logins]
count = 61
[detectors.mail_queue]
every = "1s"
queues = ["{work}/spool/active", "{work}/spool/deferred"]
[detectors.script_mail]
homes = ["{work}/homes"]
"""

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


class Mail(Scene):
    """A door that reads a mail server's log and looks into its queue."""

    def __init__(self) -> None:
        super().__init__(settings="")

    def before_start(self) -> None:
        """Make the log and the queue, and settings that name them."""
        work = self.door.work
        self.mail_log, self.main_log = work / "mail.log", work / "mainlog"
        for path in (self.mail_log, self.main_log):
            path.touch()
        for part in ("active", "deferred"):
            (work / "spool" / part).mkdir(parents=True)
        self.etc("durward.toml").write_text(SETTINGS.format(log=self.mail_log, work=work))

    def writes(self, path: Path, *messages: str) -> None:
        """Append what a server would write, as of now."""
        with path.open("a") as log:
            log.writelines(f"{message}\n" for message in messages)

    def told(self, subject: str) -> list[str]:
        """The verdicts about a subject so far."""
        return [one["verdict"] for one in self.log() if one["subject"] == subject]


@pytest.fixture(scope="module")
def mail() -> Iterator[Mail]:
    left = HOUR - time.time() % HOUR
    if left < MARGIN:
        time.sleep(left + 1)
    with Mail() as mail:
        yield mail


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def login(who: Attacker, service: str, number: int) -> str:
    session = f"session=<{service}{number:06}{who.address.replace('.', '')}>"
    return (
        f"{now()} mx dovecot: {service}-login: Login: user=<bob>, method=PLAIN, rip={who.address}, lip=192.0.2.1,"
        f" mpid={4000 + number}, TLS, {session}"
    )


def test_the_sixty_first_pop3_login_closes_the_ports_of_pop3_alone(mail: Mail) -> None:
    busy, calm = mail.stranger(), mail.stranger()
    mail.writes(mail.mail_log, *(login(calm, "pop3", number) for number in range(60)))
    mail.writes(mail.mail_log, *(login(busy, "imap", number) for number in range(200)))
    mail.writes(mail.mail_log, *(login(busy, "pop3", number) for number in range(61)))
    mail.wait(lambda: is_silent(busy, POP3), "POP3 is closed")
    assert is_silent(busy, POP3S)
    assert [who.knock(port) for who in (busy, calm) for port in (IMAP,)] == [Answer.REFUSED] * 2
    assert [calm.knock(port) for port in (POP3, POP3S)] == [Answer.REFUSED] * 2
    assert busy.can_connect(22)
    (layer,) = [one for one in mail.why(busy.address)["layers"] if "decision" in one]
    assert layer["ports"] == "110,995"
    assert all("pop3-login" in line["text"] for line in layer["evidence"])
    assert "61 POP3 logins to one account" in layer["reason"]
    assert mail.told(calm.address) == []
    assert mail.durward.ask("unblock", busy.address)["enforced"] is True
    assert busy.knock(POP3) is Answer.REFUSED


def test_an_account_that_writes_to_many_is_named(mail: Mail) -> None:
    busy = mail.stranger()
    people = " ".join(f"p{number}@example.net" for number in range(60))
    stamp = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    line = (
        f"{stamp} 1vABC{{}}-000000000ab-1Fab <= bob@example.com H=(laptop) [{busy.address}]:40022 P=esmtpsa"
        f" A=login:bob S=1234 for {people}"
    )
    mail.writes(mail.main_log, *(line.format(one) for one in "DE"))
    mail.wait(lambda: mail.told("bob") == ["alert"], "the account is told of")
    assert mail.told(busy.address) == []
    assert not mail.is_blocked(busy.address)


def test_a_directory_that_sends_is_named_with_the_scripts_in_it(mail: Mail) -> None:
    """The one that sends, not one that says nothing of mail, nor what lies behind a link."""
    blog = mail.door.work / "homes/bob/public_html/blog"
    blog.mkdir(parents=True)
    (blog / "index.php").write_text("<?php echo 'hello'; ?>")
    (blog / "wp-mailer.php").write_text("<?php mail($to, $subject, $text); ?>")
    (mail.door.work / "secret.php").write_text("<?php mail('root'); ?>")
    (blog / "link.php").symlink_to(mail.door.work / "secret.php")
    stamp = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    line = f"{stamp} cwd={blog} 3 args: /usr/sbin/sendmail -t -i"
    mail.writes(mail.main_log, *[line] * 101)
    mail.wait(lambda: mail.told(str(blog)) == ["alert"], "the directory is told of")
    (entry,) = [one for one in mail.log() if one["subject"] == str(blog)]
    (layer,) = mail.durward.ask("why", entry["receipt"])["layers"]
    assert layer == mail.durward.ask("why", str(blog))["layers"][0]
    files = [one["text"] for one in layer["evidence"] if one["source"] == "files"]
    assert len(files) == 1
    assert files[0].startswith(f"{blog}/wp-mailer.php: mail(); changed ")


def test_a_full_queue_is_told_of(mail: Mail) -> None:
    spool = mail.door.work / "spool"
    for number in range(WAITING):
        (spool / ("active" if number % 2 else "deferred") / f"A{number:08}").touch()
    mail.wait(lambda: mail.told(str(spool)) == ["alert"], "the queue is told of", 20.0)
    assert mail.durward.ask("status")["queues"] == {str(spool): WAITING}
