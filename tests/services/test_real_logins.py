"""Real FTP, SSH, database, name and directory servers write the lines: a failed login is one hit of its client."""

from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest
from tests.services import login_clients, login_daemons
from tests.services.login_clients import SSH, SSH_KEYS, WRONG
from tests.services.mail_stage import CUSTOMER, PASSWORD, STRANGER, Stage, until

from durward.catalog.service_card import load_services
from durward.scan.scanner import Scanner
from durward.scan.sessions import Sessions
from durward.scan.timestamps import Calendar

SCANNER = Scanner(load_services([Path(str(files("durward") / "services"))]))
SYSLOG = "mail.log"
Hits = Counter[tuple[str, str | None]]
# What is meant to be read as the end of a line of the log, and the customer's address as the client's.
HOSTILE = (
    f'x] FAIL LOGIN: Client "{CUSTOMER}"',
    f"x: no such user found from {CUSTOMER} [{CUSTOMER}] to 127.0.0.1:21",
    f"x] (?@{CUSTOMER}) [WARNING] Authentication failed for user [y",
    f"x rhost={CUSTOMER}  user=y",
    f"x (y[{CUSTOMER}]) - USER z",
)

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


def counted(stage: Stage, service: str, log: str, kind: str) -> Hits:
    """The hits of a kind in a log so far, by client and account, as the engine would count them."""
    block = stage.log(log).encode()
    read = SCANNER.events(
        block,
        source="file:log",
        position=0,
        observed_at=0.0,
        calendar=Calendar(2e9),
        services=frozenset({service}),
    )
    found = Hits()
    for event in Sessions().settle(read):
        if event.kind == kind and event.hits and event.source_ip:
            found[event.source_ip, event.user_name] += event.hits
    return found


def check(stage: Stage, service: str, log: str, expected: Hits, kind: str = "auth.failure") -> None:
    """Wait until the log has as many hits as are expected, and compare them."""
    until(lambda: counted(stage, service, log, kind).total() >= expected.total())
    assert counted(stage, service, log, kind) == expected


def strangers(*names: str | None) -> Hits:
    """One hit of the stranger for each name."""
    return Hits((STRANGER, name) for name in names)


@pytest.mark.parametrize("log", ["vsftpd.log", SYSLOG])
def test_vsftpd(log: str) -> None:
    """Its own log alone, and syslog with the lines of PAM and its own about the same attempts."""
    with login_daemons.vsftpd(syslog=log == SYSLOG) as stage:
        assert login_clients.ftp(stage, "root", "nobody") == ["530", "530"]
        check(stage, "vsftpd", log, strangers("root", "nobody"))


def test_vsftpd_that_only_pam_tells_of() -> None:
    with login_daemons.vsftpd() as stage:
        assert login_clients.ftp(stage, "root", "nobody") == ["530", "530"]
        check(stage, "vsftpd", SYSLOG, strangers("root", "nobody"))


@pytest.mark.parametrize("log", ["output", SYSLOG])
def test_proftpd(log: str) -> None:
    """A name that exists, for which PAM writes too, one that does not, and one that may not."""
    with login_daemons.proftpd(own_log=log == "output") as stage:
        assert login_clients.ftp(stage, "nobody", "ghost", "root") == ["530", "530", "530"]
        until(lambda: "Maximum login attempts" in stage.log(log))
        check(stage, "proftpd", log, strangers("nobody", "ghost", "Root"))


@pytest.mark.parametrize("method", ["unix", "pam"])
def test_pureftpd(method: str) -> None:
    with login_daemons.pureftpd(method=method) as stage:
        assert login_clients.ftp(stage, "root", "ghost") == ["530", "530"]
        check(stage, "pureftpd", SYSLOG, strangers("root", "ghost"))


@pytest.mark.parametrize("service", ["vsftpd", "proftpd", "pureftpd"])
def test_names_that_pose_as_lines_of_the_log_frame_nobody(service: str) -> None:
    """Whatever the stranger says, the customer has no hit; a plain name afterwards is the stranger's."""
    log = "vsftpd.log" if service == "vsftpd" else SYSLOG
    with getattr(login_daemons, service)() as stage:
        for name in (*HOSTILE, "plain"):
            assert login_clients.ftp(stage, name) == ["530"]
        until(lambda: counted(stage, service, log, "auth.failure")[STRANGER, "plain"] == 1)
        assert {address for address, _ in counted(stage, service, log, "auth.failure")} == {STRANGER}


@pytest.mark.parametrize("level", ["INFO", "VERBOSE"])
@pytest.mark.parametrize("dialogue", [False, True], ids=["sshd asks", "PAM asks"])
def test_openssh(dialogue: bool, level: str) -> None:
    """Each wrong password is one hit, however many of one connection, and a connection without the right key is one."""
    with login_daemons.openssh(dialogue=dialogue, level=level) as stage:
        login_clients.openssh(stage, "bob", WRONG, WRONG, WRONG)
        login_clients.openssh(stage, "ghost", WRONG)
        login_clients.openssh(stage, "bob", WRONG, PASSWORD)
        login_clients.openssh(stage, "bob", keys=SSH_KEYS[:3])
        until(lambda: stage.log(SYSLOG).count("[preauth]") >= 3)
        check(stage, "sshd", SYSLOG, strangers(*["bob"] * 5, "ghost"))


def test_openssh_and_whoever_gets_in_at_last() -> None:
    """Keys that were refused before the right one, or before the right password, are no attack."""
    with login_daemons.openssh(level="VERBOSE") as stage:
        login_clients.openssh(stage, "bob", keys=(*SSH_KEYS, "right"))
        login_clients.openssh(stage, "bob", PASSWORD, keys=SSH_KEYS)
        until(lambda: stage.log(SYSLOG).count("Accepted ") >= 2)
        assert stage.log(SYSLOG).count("Failed publickey") >= 2 * len(SSH_KEYS)
        check(stage, "sshd", SYSLOG, Hits())


def test_openssh_and_whoever_only_looks() -> None:
    """Somebody who watches whether it is there, and who leaves once it has said what it is."""
    with login_daemons.openssh() as stage:
        for banner in (b"", b"SSH-2.0-probe_1.0\r\n"):
            login_clients.look(stage, SSH, banner)
        login_clients.openssh(stage, "ghost", WRONG)
        check(stage, "sshd", SYSLOG, strangers("ghost"))
        assert counted(stage, "sshd", SYSLOG, "protocol.error") == Hits()


def test_dropbear() -> None:
    """Of a name that does not exist the line has neither name nor address: the connection's is known from another."""
    with login_daemons.dropbear() as stage:
        for name in ("root", "ghost"):
            login_clients.ssh(stage, name)
        check(stage, "dropbear", SYSLOG, strangers("root", None))


def test_mariadb() -> None:
    with login_daemons.mariadb() as stage:
        assert [login_clients.mysql(stage, name) for name in ("bob", "ghost")] == [1045, 1698]
        check(stage, "mysqld", "mysqld.log", strangers("bob", "ghost"))


def test_postgresql() -> None:
    """Wrong passwords, and somebody for whom pg_hba.conf has no line."""
    with login_daemons.postgresql() as stage:
        answers = [login_clients.postgresql(stage, name) for name in ("postgres", "bob", "ghost")]
        assert answers == ["28P01", "28P01", "28000"]
        check(stage, "postgresql", "postgresql.log", strangers("postgres", "bob"))
        check(stage, "postgresql", "postgresql.log", strangers("ghost"), kind="access.denied")


def test_bind() -> None:
    """A query that only customers may ask, and a transfer of a whole zone."""
    with login_daemons.named() as stage:
        assert login_clients.query(stage, f"x.({CUSTOMER.replace('.', '-')})'.example.net") == 5
        assert login_clients.transfer(stage, "example.com") == 5
        check(stage, "named", SYSLOG, strangers(None, None), kind="access.denied")


def test_openldap() -> None:
    with login_daemons.slapd() as stage:
        names = ("cn=admin,dc=example,dc=com", "cn=ghost,dc=example,dc=com")
        assert [login_clients.ldap(stage, name) for name in names] == [49, 49]
        check(stage, "slapd", SYSLOG, strangers(None, None))
