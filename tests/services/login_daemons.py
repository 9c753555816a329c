"""Real daemons that let people log in: how each is set up and started on a stage."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from tests.services.login_clients import DNS, FTP, LDAP, MYSQL, POSTGRESQL, SSH, SSH_KEYS
from tests.services.mail_stage import PASSWORD, Stage, staged, until

VSFTPD = """\
listen=YES
listen_address=127.0.0.1
background=NO
anonymous_enable=NO
local_enable=YES
seccomp_sandbox=NO
pam_service_name=vsftpd
secure_chroot_dir={directory}/empty
delay_failed_login=0
xferlog_enable=YES
syslog_enable={syslog}
vsftpd_log_file={directory}/logs/vsftpd.log
"""
PROFTPD = """\
ServerType standalone
DefaultServer on
DefaultAddress 127.0.0.1
UseIPv6 off
User nobody
Group nogroup
RootLogin off
MaxLoginAttempts 3
PidFile {directory}/run/proftpd.pid
ScoreboardFile {directory}/run/proftpd.scoreboard
DelayEngine off
"""
OPENSSH = """\
ListenAddress 127.0.0.1
HostKey {directory}/host
AuthorizedKeysFile {directory}/right.pub
StrictModes no
PidFile none
LogLevel {level}
UsePAM yes
PasswordAuthentication {password}
KbdInteractiveAuthentication {dialogue}
"""
NAMED = """\
options {{
    directory "{directory}/run";
    listen-on {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile none;
    recursion yes;
    allow-query-cache {{ none; }};
    allow-transfer {{ none; }};
    dnssec-validation no;
}};
controls {{ }};
zone "example.com" {{ type master; file "{directory}/example.com"; }};
"""
ZONE = "$TTL 60\n@ IN SOA ns.example.com. root.example.com. 1 60 60 60 60\n@ IN NS ns.example.com.\nns IN A 127.0.0.1\n"
SLAPD = """\
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
loglevel stats
pidfile {directory}/run/slapd.pid
database mdb
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw {password}
directory {directory}/data
"""
PROFTPD_PACKAGES = ("proftpd-core", "libpcre2-posix3", "libhiredis0.14", "libmemcached11", "libmemcachedutil2")
MARIADB = ("--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve", "--user=nobody")
AS_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
POSTGRESQL_BIN = "/usr/lib/postgresql/15/bin"
POSTGRESQL_CONF = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
logging_collector = on
log_directory = '{directory}/logs'
log_filename = 'postgresql.log'
log_file_mode = 0644
log_connections = on
log_line_prefix = '%m [%p] %q%u@%d '
log_timezone = 'UTC'
shared_buffers = '1MB'
max_connections = 10
"""


@contextmanager
def vsftpd(*, syslog: bool = False) -> Iterator[Stage]:
    """Very secure FTP with PAM, which writes to syslog; its own log is vsftpd.log, or syslog too."""
    with staged(packages=["vsftpd"]) as stage:
        conf = stage.directory / "vsftpd.conf"
        conf.write_text(VSFTPD.format(directory=stage.directory, syslog="YES" if syslog else "NO"))
        stage.start("vsftpd", str(conf))
        stage.await_port(FTP)
        yield stage


@contextmanager
def proftpd(*, own_log: bool = False) -> Iterator[Stage]:
    """ProFTPD with PAM and the system's accounts; it writes to syslog, or as to its own log to the output."""
    with staged(packages=PROFTPD_PACKAGES) as stage:
        conf = stage.directory / "proftpd.conf"
        conf.write_text(PROFTPD.format(directory=stage.directory))
        stage.start("proftpd", *(["-n"] if own_log else []), "-c", str(conf))
        stage.await_port(FTP)
        yield stage


@contextmanager
def pureftpd(*, method: str = "unix") -> Iterator[Stage]:
    """Pure-FTPd, which writes to syslog; `method` is "unix" or "pam"."""
    with staged(packages=["pure-ftpd", "libsodium23"]) as stage:
        stage.start("pure-ftpd", "-S", f"127.0.0.1,{FTP}", "-l", method, "-E", "-H")
        stage.await_port(FTP)
        yield stage


@contextmanager
def openssh(*, dialogue: bool = False, level: str = "INFO") -> Iterator[Stage]:
    """OpenSSH with the account bob, who may come with the key `right`, or with his password. It writes to syslog.

    `dialogue`: PAM asks for the password, which it does in a process of its own.
    """
    with staged(users=["bob"]) as stage:
        passwd = stage.directory / "passwd"
        secret = stage.run("openssl", "passwd", "-6", PASSWORD).strip()
        bob = passwd.read_text().replace("bob:x:", f"bob:{secret}:")
        passwd.write_text(bob.replace("/usr/sbin/nologin", "/bin/sh"))
        for name in ("host", "right", *SSH_KEYS):
            stage.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{stage.directory}/{name}")
        (stage.directory / "run/sshd").mkdir()
        (stage.directory / "sshd_config").write_text(
            OPENSSH.format(directory=stage.directory, level=level, password=_yes(not dialogue), dialogue=_yes(dialogue))
        )
        stage.start("/usr/sbin/sshd", "-D", "-f", f"{stage.directory}/sshd_config")
        stage.await_port(SSH)
        yield stage


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


@contextmanager
def dropbear() -> Iterator[Stage]:
    """Dropbear, which writes to syslog."""
    with staged() as stage:
        stage.run("dropbearkey", "-t", "ed25519", "-f", f"{stage.directory}/hostkey")
        stage.start("dropbear", "-F", "-p", f"127.0.0.1:{SSH}", "-r", f"{stage.directory}/hostkey")
        stage.await_port(SSH)
        yield stage


@contextmanager
def mariadb() -> Iterator[Stage]:
    """MariaDB, whose own log is mysqld.log."""
    with staged() as stage:
        data = stage.directory / "data"
        stage.run("mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=nobody", "--skip-test-db")
        first = stage.directory / "first.sql"
        first.write_text(f"CREATE USER bob@'%' IDENTIFIED BY '{PASSWORD}';\n")
        log = stage.directory / "logs/mysqld.log"
        paths = (f"--datadir={data}", f"--socket={data}/mysqld.sock", f"--log-error={log}", f"--init-file={first}")
        stage.start("mariadbd", *MARIADB, *paths, f"--port={MYSQL}", "--log-warnings=2")
        stage.await_port(MYSQL)
        yield stage


@contextmanager
def postgresql() -> Iterator[Stage]:
    """PostgreSQL as Debian sets it up, with log_connections; its own log is postgresql.log."""
    with staged() as stage:
        data, secret = stage.directory / "data", stage.directory / "secret"
        data.mkdir()
        secret.write_text(PASSWORD)
        for path in (data, secret):
            shutil.chown(path, "nobody", "nogroup")
        begin = (
            "initdb",
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "password",
            f"--pwfile={secret}",
            "-N",
            "--locale=C",
        )
        stage.run(*AS_NOBODY, f"{POSTGRESQL_BIN}/{begin[0]}", *begin[1:])
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(POSTGRESQL_CONF.format(directory=stage.directory))
        (data / "pg_hba.conf").write_text("host postgres postgres,bob 127.0.0.0/8 password\n")
        stage.start(*AS_NOBODY, f"{POSTGRESQL_BIN}/postgres", "-D", str(data), "-p", str(POSTGRESQL))
        until(lambda: "ready to accept connections" in stage.log("postgresql.log"))
        yield stage


@contextmanager
def named() -> Iterator[Stage]:
    """BIND with one zone, which writes to syslog."""
    with staged() as stage:
        conf = stage.directory / "named.conf"
        conf.write_text(NAMED.format(directory=stage.directory))
        (stage.directory / "example.com").write_text(ZONE)
        stage.start("named", "-f", "-c", str(conf))
        stage.await_port(DNS)
        yield stage


@contextmanager
def slapd() -> Iterator[Stage]:
    """OpenLDAP with the log level stats, which writes to syslog."""
    with staged() as stage:
        conf = stage.directory / "slapd.conf"
        conf.write_text(SLAPD.format(directory=stage.directory, password=PASSWORD))
        (stage.directory / "data").mkdir()
        stage.start("slapd", "-h", f"ldap://127.0.0.1:{LDAP}", "-f", str(conf), "-d", "0")
        stage.await_port(LDAP)
        yield stage
