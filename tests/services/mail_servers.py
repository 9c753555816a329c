"""Real mail servers: how each is set up and started on a stage."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from tests.services.mail_clients import CONTROLLER, IMAP, POP3, SIEVE, SMTP, SUBMISSION
from tests.services.mail_stage import PASSWORD, Stage, staged, unpacked, until

DOVECOT = """\
base_dir = {directory}/run/dovecot
state_dir = {directory}/run/dovecot
protocols = {protocols}
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
auth_verbose = {verbose}
auth_mechanisms = plain login
log_path = {log}
syslog_facility = mail
mail_location = maildir:{directory}/mail/%u
submission_relay_host = 127.0.0.1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {directory}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={directory}/mail/%u
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {directory}/run/sasl {{
    mode = 0666
  }}
}}
service imap-login {{
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  inet_listener pop3s {{
    port = 0
  }}
}}
"""
EXIM = """\
exim_path = /usr/sbin/exim4
spool_directory = {directory}/spool
log_file_path = {directory}/logs/%slog
pid_file_path = {directory}/run/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = 25 : 587
log_selector = {selector}
primary_hostname = mx.example.com
host_lookup =
helo_accept_junk_hosts = *
keep_environment =
tls_advertise_hosts =
auth_advertise_hosts = ${{if eq{{$received_port}}{{587}}{{*}}{{}}}}
acl_smtp_rcpt = check
smtp_max_synprot_errors = 3
begin acl
check:
  accept authenticated = *
  deny message = relay not permitted
       !domains = example.com
  deny message = unknown user
       !local_parts = bob
  accept
begin routers
all:
  driver = accept
  transport = nowhere
begin transports
nowhere:
  driver = appendfile
  file = /dev/null
  user = nobody
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if and{{{{eq{{$auth2}}{{bob}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if and{{{{eq{{$auth1}}{{bob}}}}{{eq{{$auth2}}{{{password}}}}}}}}}
  server_set_id = $auth1
"""
POSTFIX = """\
compatibility_level = 3.6
queue_directory = {directory}/spool
data_directory = {directory}/data
meta_directory = {directory}/etc/postfix
myhostname = mx.example.com
mydestination = example.com
mynetworks = 127.0.0.1/32
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps = inline:{{bob=1}}
smtpd_peername_lookup = no
smtpd_sasl_type = dovecot
smtpd_sasl_path = {directory}/run/sasl
smtpd_recipient_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_delay_reject = yes
smtpd_helo_required = yes
smtpd_error_sleep_time = 0
postscreen_greet_wait = 1s
"""
POSTFIX_SERVICES = """\
smtp inet n - n - 1 postscreen
smtpd pass - - n - - smtpd
submission inet n - n - - smtpd -o syslog_name=postfix/submission -o smtpd_sasl_auth_enable=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
discard unix - - n - - discard
error unix - - n - - error
dnsblog unix - - n - 0 dnsblog
tlsproxy unix - - n - 0 tlsproxy
"""
CYRUS = """\
configdirectory: {cyrus}
partition-default: {cyrus}/mail
defaultpartition: default
sievedir: {cyrus}/sieve
admins: cyrus
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {cyrus}/sasldb
sasl_mech_list: PLAIN LOGIN CRAM-MD5
allowplaintext: yes
servername: mx.example.com
syslog_prefix: cyrus
"""
CYRUS_SERVICES = """\
START {{
  recover cmd="/usr/sbin/cyrus ctl_cyrusdb -C {etc}/imapd.conf -r"
}}
SERVICES {{
  imap cmd="imapd -C {etc}/imapd.conf" listen="127.0.0.1:143"
  pop3 cmd="pop3d -C {etc}/imapd.conf" listen="127.0.0.1:110"
  sieve cmd="timsieved -C {etc}/imapd.conf" listen="127.0.0.1:4190"
}}
EVENTS {{
}}
"""
CYRUS_FOLDERS = ("db", "lock", "log", "mail", "msg", "proc", "ptclient", "quota", "sieve", "socket", "tmp", "user")
SENDMAIL = """\
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`linux')dnl
FEATURE(`no_default_msa')dnl
define(`confAUTH_MECHANISMS', `PLAIN LOGIN')dnl
define(`QUEUE_DIR', `{directory}/queue')dnl
define(`ALIAS_FILE', `{directory}/aliases')dnl
define(`confPID_FILE', `{directory}/run/sendmail.pid')dnl
define(`STATUS_FILE', `{directory}/run/sendmail.status')dnl
define(`confDOMAIN_NAME', `mx.example.com')dnl
DAEMON_OPTIONS(`Port=25, Addr=127.0.0.1, Name=MTA-v4')dnl
DAEMON_OPTIONS(`Port=587, Addr=127.0.0.1, Name=MSP-v4')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""
SASL = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {directory}/sasldb\nmech_list: PLAIN LOGIN\n"
RSPAMD = """\
options {{ pidfile = "{directory}/run/rspamd.pid"; filters = ""; url_tld = "{directory}/domains"; }}
logging {{ type = "file"; filename = "{directory}/logs/mail.log"; level = "info"; }}
worker "controller" {{ bind_socket = "127.0.0.1:{port}"; password = "{password}"; secure_ip = "192.0.2.77"; }}
"""


@contextmanager
def dovecot(*, verbose: bool = False, syslog: bool = True) -> Iterator[Stage]:
    """Dovecot with all its protocols."""
    with staged() as stage:
        run_dovecot(stage, verbose=verbose, syslog=syslog, protocols="imap pop3 sieve submission")
        for port in (IMAP, POP3, SIEVE, SUBMISSION):
            stage.await_port(port)
        yield stage


def run_dovecot(stage: Stage, *, verbose: bool = False, syslog: bool = True, protocols: str = "") -> None:
    """Start Dovecot on a stage. Without protocols it only answers others that ask it about passwords."""
    directory = stage.directory
    (directory / "etc/dovecot.conf").write_text(
        DOVECOT.format(
            directory=directory,
            protocols=protocols or "none",
            verbose="yes" if verbose else "no",
            log="syslog" if syslog else f"{directory}/logs/mail.log",
        )
    )
    (directory / "users").write_text(f"bob:{{PLAIN}}{PASSWORD}\n")
    (directory / "mail").mkdir()
    (directory / "mail").chmod(0o777)
    stage.start("dovecot", "-F", "-c", f"{directory}/etc/dovecot.conf")
    until((directory / "run/sasl").is_socket)


@contextmanager
def postfix() -> Iterator[Stage]:
    """Postfix, which asks Dovecot about passwords."""
    with staged(packages=["postfix"], users=["postfix", "postdrop"]) as stage:
        etc = stage.directory / "etc/postfix"
        shutil.copytree(unpacked("postfix") / "etc/postfix", etc)
        (etc / "main.cf").write_text(POSTFIX.format(directory=stage.directory))
        (etc / "master.cf").write_text(POSTFIX_SERVICES)
        (stage.directory / "spool").mkdir()
        (stage.directory / "data").mkdir()
        stage.run("chown", "postfix", f"{stage.directory}/data")
        run_dovecot(stage)
        stage.start("postfix", "-c", str(etc), "start-fg")
        for port in (SMTP, SUBMISSION):
            stage.await_port(port)
        yield stage


@contextmanager
def exim(*, selector: str = "+incoming_port") -> Iterator[Stage]:
    """Exim, which takes passwords at its second door only."""
    with staged() as stage:
        text = EXIM.format(directory=stage.directory, password=PASSWORD, selector=selector)
        (stage.directory / "etc/exim.conf").write_text(text)
        (stage.directory / "spool").mkdir()
        stage.run("chown", "Debian-exim", f"{stage.directory}/spool", f"{stage.directory}/run")
        stage.start("exim4", "-bdf", "-C", f"{stage.directory}/etc/exim.conf")
        for port in (SMTP, SUBMISSION):
            stage.await_port(port)
        yield stage


@contextmanager
def courier() -> Iterator[Stage]:
    """Courier's IMAP and POP3, which ask PAM about passwords."""
    packages = ("courier-imap", "courier-pop", "courier-base", "courier-authdaemon", "courier-authlib")
    with staged(packages=[*packages, "libcourier-unicode4", "libgamin0"], users=["courier"]) as stage:
        (stage.directory / "run/courier/authdaemon").mkdir(parents=True)
        places = "/usr/lib/courier"
        stage.start("sh", "-c", f"set -a; . /etc/courier/authdaemonrc; exec {places}/courier-authlib/authdaemond")
        until((stage.directory / "run/courier/authdaemon/socket").is_socket)
        for name, port, command in (
            ("imapd", IMAP, (f"{places}/courier/imaplogin", "/usr/bin/imapd", "Maildir")),
            ("pop3d", POP3, (f"{places}/courier/courierpop3login", f"{places}/courier/courierpop3d", "Maildir")),
        ):
            logger = ("-stderrlogger=/usr/sbin/courierlogger", f"-stderrloggername={name}")
            limits = ("-address=127.0.0.1", "-maxprocs=20", "-maxperip=20", "-nodnslookup", "-noidentlookup")
            settings = {
                "PORT": str(port),
                "AUTHMODULES": "authdaemon",
                "IMAP_CAPABILITY": "IMAP4rev1",
                "PROTOCOL": name,
            }
            stage.start("/usr/sbin/couriertcpd", *limits, *logger, str(port), *command, **settings)
            stage.await_port(port)
        yield stage


@contextmanager
def cyrus() -> Iterator[Stage]:
    """Cyrus with IMAP, POP3 and ManageSieve, and nobody who has a password."""
    with staged(
        packages=("cyrus-common", "cyrus-imapd", "cyrus-pop3d", "libxapian30", "libical3"), users=["cyrus"]
    ) as stage:
        etc, folder = stage.directory / "etc", stage.directory / "cyrus"
        for name in CYRUS_FOLDERS:
            (folder / name).mkdir(parents=True)
        (etc / "imapd.conf").write_text(CYRUS.format(cyrus=folder))
        (etc / "cyrus.conf").write_text(CYRUS_SERVICES.format(etc=etc))
        stage.run("chown", "-R", "cyrus", str(folder))
        process = str(stage.directory / "run/cyrus.pid")
        stage.start("/usr/sbin/cyrmaster", "-C", f"{etc}/imapd.conf", "-M", f"{etc}/cyrus.conf", "-D", "-p", process)
        for port in (IMAP, POP3, SIEVE):
            stage.await_port(port)
        yield stage


@contextmanager
def sendmail() -> Iterator[Stage]:
    """Sendmail, and nobody who has a password."""
    packages = ("sendmail-bin", "sendmail-base", "sendmail-cf", "m4")
    with staged(packages=packages, users=["smmsp", "smmta"]) as stage:
        directory = stage.directory
        (directory / "queue").mkdir(mode=0o700)
        (directory / "aliases").write_text("postmaster: root\n")
        (directory / "settings").write_text(SENDMAIL.format(directory=directory))
        (directory / "sasl").write_text(SASL.format(directory=directory))
        (directory / "sendmail.cf").write_text(stage.run("m4", f"{directory}/settings"))
        sasl = (
            "mkdir -p /etc/mail/sasl && cp {0}/sasl /etc/mail/sasl/Sendmail.conf.2 && touch /etc/mail/local-host-names"
        )
        stage.run("sh", "-c", sasl.format(directory))
        stage.run(
            "sh", "-c", 'echo "127.0.0.1 mx.example.com $(hostname)" >>/etc/hosts'
        )  # it waits until it has a name
        safe = ("-O", "DontBlameSendmail=GroupWritableDirPathSafe")
        stage.start("/usr/libexec/sendmail/sendmail", "-bD", "-C", f"{directory}/sendmail.cf", *safe)
        for port in (SMTP, SUBMISSION):
            stage.await_port(port)
        yield stage


@contextmanager
def rspamd() -> Iterator[Stage]:
    """Rspamd's controller."""
    packages = ("libhyperscan5", "libluajit2-5.1-2", "libluajit2-5.1-common", "libsodium23", "libunwind8")
    with staged(packages=["rspamd", *packages], users=["_rspamd"]) as stage:
        directory = stage.directory
        (directory / "domains").write_text("com\nnet\n")
        text = RSPAMD.format(directory=directory, port=CONTROLLER, password=PASSWORD)
        (directory / "etc/rspamd.conf").write_text(text)
        stage.start("/usr/bin/rspamd", "-f", "-i", "-c", f"{directory}/etc/rspamd.conf")
        stage.await_port(CONTROLLER)
        yield stage
