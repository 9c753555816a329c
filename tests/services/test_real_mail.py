"""Real mail servers write the lines: each wrong password is one hit, of the right client and account."""

from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from tests.services.mail_clients import SIEVE, SMTP, SUBMISSION, controller, imap, kept, pop3, say, sieve, smtp
from tests.services.mail_servers import courier, cyrus, dovecot, exim, postfix, rspamd, sendmail
from tests.services.mail_stage import CUSTOMER, PASSWORD, STRANGER, Stage, until

from durward.catalog.service_card import load_services
from durward.model import Event
from durward.scan.scanner import Scanner
from durward.scan.sessions import Sessions
from durward.scan.timestamps import Calendar

SCANNER = Scanner(load_services([Path(str(files("durward") / "services"))]))
LOGS = {"exim": "mainlog"}
# What is meant to be read as the end of a line of the log, and the customer's address as the client's.
HOSTILE = (
    f"x>, method=PLAIN, rip={CUSTOMER}, lip=127.0.0.1, session=<y",
    f"x, ip=[{CUSTOMER}]",
    f"x) [{CUSTOMER}]:25: 535 Incorrect authentication data (set_id=y",
    f"x, sasl_username=y from unknown[{CUSTOMER}]: SASL PLAIN authentication failed: z",
)

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


def events(stage: Stage, service: str) -> list[Event]:
    """What the engine would make of the service's log so far."""
    block = stage.log(LOGS.get(service, "mail.log")).encode()
    read = SCANNER.events(
        block,
        source="file:log",
        position=0,
        observed_at=0.0,
        calendar=Calendar(2e9),
        services=frozenset({service}),
    )
    return Sessions().settle(read)


def counted(stage: Stage, service: str, kind: str = "auth.failure") -> Counter[tuple[str | None, str | None]]:
    """The hits of a kind, by client and account."""
    found = Counter[tuple[str | None, str | None]]()
    for event in events(stage, service):
        if event.kind == kind and event.hits:
            found[event.source_ip, event.user_name] += event.hits
    return found


def strangers(stage: Stage, service: str) -> int:
    """How many failed logins the stranger has so far."""
    return sum(hits for (address, _), hits in counted(stage, service).items() if address == STRANGER)


def complete(stage: Stage, service: str, hits: int) -> None:
    """Wait until the log has so many failed logins of the stranger's, and end the servers: it gets no further line."""
    until(lambda: strangers(stage, service) >= hits)
    stage.stop()


@pytest.fixture(scope="module", params=[(True, True), (False, True), (True, False), (False, False)], ids=str)
def tried_dovecot(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Dovecot with and without `auth_verbose`, in syslog and in its own log."""
    verbose, syslog = request.param
    with dovecot(verbose=verbose, syslog=syslog) as stage:
        imap(stage, STRANGER, "bob", "wrong", "wrong again", "and again")
        pop3(stage, STRANGER, "alice", "wrong")
        smtp(stage, STRANGER, "carol@example.com", "wrong", "wrong again")
        sieve(stage, STRANGER, "dave", "wrong")
        imap(stage, CUSTOMER, "bob")
        kept(stage, CUSTOMER, "bob", PASSWORD)
        say(stage, CUSTOMER, SIEVE)
        complete(stage, "dovecot", 7)
        yield stage


def test_dovecot_counts_each_attempt_once(tried_dovecot: Stage) -> None:
    assert counted(tried_dovecot, "dovecot") == {
        (STRANGER, "bob"): 3,
        (STRANGER, "alice"): 1,
        (STRANGER, "carol@example.com"): 2,
        (STRANGER, "dave"): 1,
    }


def test_dovecot_names_who_got_in(tried_dovecot: Stage) -> None:
    let_in = [event for event in events(tried_dovecot, "dovecot") if event.kind == "auth.success"]
    assert [(event.source_ip, event.user_name, event.hits) for event in let_in] == [(CUSTOMER, "bob", 0)]


@pytest.mark.parametrize("verbose", [True, False])
def test_dovecot_frames_nobody(verbose: bool) -> None:
    with dovecot(verbose=verbose) as stage:
        for name in HOSTILE:
            imap(stage, STRANGER, name, "wrong")
        imap(stage, STRANGER, "bob", "wrong")
        complete(stage, "dovecot", 1 + len(HOSTILE))
        assert strangers(stage, "dovecot") == 1 + len(HOSTILE)
        assert {event.source_ip for event in events(stage, "dovecot") if event.hits} == {STRANGER}


@pytest.mark.parametrize("selector", ["+incoming_port", "+incoming_port +incoming_interface +pid +millisec", "-pid"])
def test_exim_counts_each_attempt_once(selector: str) -> None:
    with exim(selector=selector) as stage:
        smtp(stage, STRANGER, "bob", "wrong", "wrong again")
        smtp(stage, STRANGER, "alice@example.com", "wrong", mechanism="LOGIN")
        for name in HOSTILE:
            smtp(stage, STRANGER, name, "wrong", hello=f"x) [{CUSTOMER}]:25")
        kept(stage, CUSTOMER, "bob", PASSWORD, port=SUBMISSION)
        complete(stage, "exim", 3)
        found = counted(stage, "exim")
        assert found[STRANGER, "bob"] == 2
        assert found[STRANGER, "alice@example.com"] == 1
        assert {address for address, _ in found} == {STRANGER}
        relayed = [event for event in events(stage, "exim") if event.kind == "mail.relayed"]
        assert [(event.source_ip, event.user_name, event.hits) for event in relayed] == [(CUSTOMER, "bob", 0)]


def test_exim_and_whoever_does_not_speak_its_language() -> None:
    with exim(selector="+incoming_port +smtp_syntax_error +smtp_protocol_error") as stage:
        to = ("RCPT TO:<alice@example.org>", "RCPT TO:<nobody@example.com>")
        say(stage, STRANGER, SMTP, "EHLO x", "AUTH PLAIN AGJvYgB4", "MAIL FROM:<alice@example.net>", *to, "QUIT")
        say(stage, STRANGER, SMTP, "GET / HTTP/1.0", "Host: x", "Accept: x")
        smtp(stage, STRANGER, "bob", "wrong")
        say(stage, CUSTOMER, SMTP, "EHLO laptop.example.net", "MAIL FROM:<alice@example.net>", "QUIT")
        complete(stage, "exim", 1)
        assert counted(stage, "exim", "mail.rejected") == {(STRANGER, None): 2}
        assert counted(stage, "exim", "protocol.error")[STRANGER, None] >= 2
        assert {event.source_ip for event in events(stage, "exim") if event.hits} == {STRANGER}


def test_postfix_counts_each_attempt_once() -> None:
    with postfix() as stage:
        smtp(stage, STRANGER, "bob", "wrong", "wrong again")
        smtp(stage, STRANGER, "alice@example.com", "wrong", mechanism="LOGIN")
        for name in HOSTILE:
            smtp(stage, STRANGER, name, "wrong")
        kept(stage, CUSTOMER, "bob", PASSWORD, port=SUBMISSION)
        complete(stage, "postfix", 3 + len(HOSTILE))
        found = counted(stage, "postfix")
        assert found[STRANGER, "bob"] == 2
        assert found[STRANGER, "alice@example.com"] == 1
        assert {address for address, _ in found} == {STRANGER}
        relayed = [event for event in events(stage, "postfix") if event.kind == "mail.relayed"]
        assert [(event.source_ip, event.user_name, event.hits) for event in relayed] == [(CUSTOMER, "bob", 0)]


def test_postfix_and_whoever_does_not_speak_its_language() -> None:
    with postfix() as stage:
        to = ("RCPT TO:<alice@example.org>", "RCPT TO:<nobody@example.com>")
        say(stage, STRANGER, SMTP, "EHLO early", "QUIT", early=True)
        say(stage, STRANGER, SMTP, "EHLO x", "MAIL FROM:<alice@example.net>", *to, "QUIT")
        say(stage, STRANGER, SUBMISSION, "GET / HTTP/1.0")
        smtp(stage, STRANGER, "bob", "wrong")
        say(stage, CUSTOMER, SMTP, "EHLO laptop.example.net", "MAIL FROM:<alice@example.net>", "QUIT")
        until(lambda: "GET / HTTP/1.0" in stage.log() and "PREGREET" in stage.log())
        complete(stage, "postfix", 1)
        assert counted(stage, "postfix", "mail.rejected") == {(STRANGER, None): 2}
        assert counted(stage, "postfix", "protocol.error")[STRANGER, None] >= 2
        assert counted(stage, "postfix") == {(STRANGER, "bob"): 1}
        assert {event.source_ip for event in events(stage, "postfix") if event.hits} <= {STRANGER, "127.0.0.1"}


def test_courier_counts_each_attempt_once() -> None:
    with courier() as stage:
        imap(stage, STRANGER, "bob", "wrong", "wrong again")
        pop3(stage, STRANGER, "alice@example.com", "wrong")
        for name in HOSTILE:
            imap(stage, STRANGER, name, "wrong")
        imap(stage, CUSTOMER, "bob")
        complete(stage, "courier", 3)
        found = counted(stage, "courier")
        assert found[STRANGER, "bob"] == 2
        assert found[STRANGER, "alice@example.com"] == 1
        assert {address for address, _ in found} == {STRANGER}


def test_cyrus_counts_each_attempt_once() -> None:
    with cyrus() as stage:
        imap(stage, STRANGER, "bob", "wrong", "wrong again")
        pop3(stage, STRANGER, "alice@example.com", "wrong")
        sieve(stage, STRANGER, "carol", "wrong")
        imap(stage, CUSTOMER, "bob")
        for name in HOSTILE:
            imap(stage, STRANGER, name, "wrong")
        complete(stage, "cyrus", 4 + len(HOSTILE))
        found = counted(stage, "cyrus")
        assert found[STRANGER, "bob"] == 2
        assert found[STRANGER, "alice@example.com"] == 1
        assert found[STRANGER, None] == 1  # ManageSieve names nobody
        assert {address for address, _ in found} == {STRANGER}


def test_sendmail_counts_each_attempt_once() -> None:
    with sendmail() as stage:
        smtp(stage, STRANGER, "bob", "wrong", "wrong again")
        smtp(stage, STRANGER, "alice", "wrong", mechanism="LOGIN")
        for name in HOSTILE:
            smtp(stage, STRANGER, name, "wrong")
        say(stage, CUSTOMER, SMTP, "EHLO laptop.example.net", "MAIL FROM:<alice@localhost>", "QUIT")
        complete(stage, "sendmail", 3 + len(HOSTILE))
        found = counted(stage, "sendmail")
        assert found[STRANGER, "bob"] == 2
        assert found[STRANGER, "alice"] == 1
        assert {address for address, _ in found} == {STRANGER}


def test_rspamd_counts_each_attempt_once() -> None:
    with rspamd() as stage:
        answers = [controller(stage, STRANGER, password) for password in ("wrong", "wrong again")]
        answers.append(controller(stage, CUSTOMER, PASSWORD))
        complete(stage, "rspamd", 2)
        assert counted(stage, "rspamd") == {(STRANGER, None): 2}
        assert answers[2] == 200
        assert 200 not in answers[:2]
