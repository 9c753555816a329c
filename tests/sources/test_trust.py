"""Which entries are believed, by their fields alone; test_journal.py has journald itself fill them in."""

import pytest

from durward.sources.posing import Writer
from durward.sources.trust import Trust, Want

SSHD = Want(frozenset({"ssh.service"}), frozenset({"sshd", "sshd-session"}))
APACHE = Want(frozenset({"apache2.service"}), frozenset({"apache2"}))
GIT = Want(frozenset({"git.service"}), uids=frozenset({1002}))
POSTFIX = Want(frozenset({"postfix@-.service"}), frozenset({"postfix*/smtpd"}))
SU = Want(programs=frozenset({"su"}))
KERNEL = Want(programs=frozenset({"kernel"}))
TRUST = Trust([SSHD, APACHE, GIT, POSTFIX, SU, KERNEL])


def fields(name: str, uid: int, **others: str) -> dict[str, bytes]:
    given = {"SYSLOG_IDENTIFIER": name, "_UID": str(uid), "_TRANSPORT": "syslog"}
    given |= {f"_{key.upper()}": value for key, value in others.items()}
    return {key: value.encode() for key, value in given.items()}


@pytest.mark.parametrize(
    "entry",
    [
        fields("sshd", 0, systemd_unit="ssh.service", exe="/usr/sbin/sshd", comm="sshd"),
        fields(
            "sshd-session", 0, systemd_unit="session-3.scope", exe="/usr/lib/openssh/sshd-session", comm="sshd-session"
        ),
        fields("sshd", 0, exe="/usr/sbin/sshd", comm="sshd"),
        fields("sshd", 0, exe="/usr/lib/openssh/sshd-session", comm="sshd-session"),
        fields("sshd", 0),
        fields("apache2", 33, systemd_unit="apache2.service"),
        fields("apache2", 61200, systemd_unit="apache2.service"),
        fields("anything", 1002, systemd_unit="git.service"),
        fields("postfix/smtpd", 108, systemd_unit="postfix@-.service", comm="smtpd"),
        fields("postfix/submission/smtpd", 108, systemd_unit="postfix@-.service", comm="smtpd"),
        fields("postfix/smtpd", 0, exe="/usr/lib/postfix/sbin/smtpd", comm="smtpd"),
        fields("su", 1000, exe="/usr/bin/su", comm="su", systemd_unit="session-3.scope"),
        {"SYSLOG_IDENTIFIER": b"kernel", "_TRANSPORT": b"kernel"},
    ],
)
def test_believed(entry: dict[str, bytes]) -> None:
    assert TRUST.admits(entry.get("SYSLOG_IDENTIFIER", b""), entry.get)


@pytest.mark.parametrize(
    "entry",
    [
        fields("sshd", 1000, exe="/usr/bin/logger", comm="logger"),
        fields("sshd", 1000, exe="/home/eve/sshd", comm="sshd"),
        fields("sshd", 1000),
        fields("sshd", 1000, systemd_unit="ssh.service", exe="/usr/bin/logger", comm="logger"),
        fields("sshd", 0, exe="/usr/bin/su", comm="sshd"),
        fields("sshd", 0, exe="/tmp/sshd", comm="sshd"),
        fields("sshd", 0, exe="/usr/sbin/apache2", comm="apache2"),
        fields("sshd", 0, comm="sshd"),
        fields("sshd", 0, systemd_unit="cron.service"),
        fields("sshd", 33, systemd_unit="apache2.service"),
        fields("sshd", 1002, systemd_unit="git.service"),
        fields("anything", 1003, systemd_unit="git.service"),
        fields("postfix/smtpd", 1000, systemd_unit="postfix@-.service"),
        fields("postfix/smtpd", 1000, exe="/usr/bin/logger"),
        fields("su", 1000, exe="/usr/bin/logger", comm="logger"),
        fields("su", 1000, comm="su"),
        fields("su", 1000, exe="/home/eve/su", comm="su"),
        fields("su", 1000, exe="/usr/bin/su", comm="su") | {"MESSAGE": b"pam_unix(su:auth): rhost=203.0.113.9"},
        fields("anything", 0, systemd_unit="apache2.service"),
        fields("sshd", 0, systemd_unit="ssh.service") | {"_UID": b"0x"},
        {"SYSLOG_IDENTIFIER": b"sshd"},
        {"SYSLOG_IDENTIFIER": b"kernel", "_TRANSPORT": b"syslog", "_UID": b"1000"},
        {"SYSLOG_IDENTIFIER": b"sshd", "_TRANSPORT": b"kernel"},
        {},
    ],
)
def test_not_believed(entry: dict[str, bytes]) -> None:
    assert not TRUST.admits(entry.get("SYSLOG_IDENTIFIER", b""), entry.get)


def test_what_libsystemd_is_asked_for() -> None:
    assert Trust([SSHD]).matches() == [
        [b"_SYSTEMD_UNIT=ssh.service"],
        [b"_UID=0", b"_COMM=sshd", b"_COMM=sshd-session"],
        [b"SYSLOG_IDENTIFIER=sshd", b"SYSLOG_IDENTIFIER=sshd-session"],
    ]
    assert Trust([SSHD]).matches(posing=False)[2] == [
        b"_UID=0",
        b"SYSLOG_IDENTIFIER=sshd",
        b"SYSLOG_IDENTIFIER=sshd-session",
    ]
    assert [b"_TRANSPORT=kernel"] in TRUST.matches()
    long = Trust([Want(programs=frozenset({"a-very-long-program"}))])
    assert [b"_UID=0", b"_COMM=a-very-long-pro"] in long.matches()
    assert Trust([]).matches() == []
    assert not Trust([]).admits(b"sshd", fields("sshd", 0).get)


def test_who_poses_is_known_and_who_has_a_name_of_his_own_is_not_accused() -> None:
    entry = fields("sshd", 1000, exe="/usr/bin/logger", comm="logger", systemd_unit="session-3.scope")
    assert TRUST.poser(b"sshd", entry.get) == Writer(1000, b"sshd", b"logger", b"session-3.scope", kindred=False)
    assert TRUST.poser(b"sshd", fields("sshd", 113, exe="/usr/sbin/sshd").get) == Writer(
        113, b"sshd", b"", b"", kindred=True
    )
    assert TRUST.poser(b"my-own-tool", entry.get) is None
