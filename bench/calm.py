"""Lines of logs in which nothing happens: of mail servers, of web servers, and of a host that goes about its day.

They are made here, with what varies varied, so the same arguments give the same lines. The tests read them too: no card
may look for a text that such lines are full of (`tests/scan/test_calm.py`).
"""

import random
import time
from collections.abc import Iterator

BEGIN = 1_795_420_000  # 23 November 2026
SEED = 11

HOST = (
    "CRON[{pid}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
    "CRON[{pid}]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)",
    "CRON[{pid}]: pam_unix(cron:session): session closed for user root",
    "sudo:      bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/apt-get update",
    "sudo: pam_unix(sudo:session): session opened for user root(uid=0) by bob(uid=1000)",
    "sudo: pam_unix(sudo:session): session closed for user root",
    "systemd[1]: Started User Manager for UID 1000.",
    "systemd[1]: Starting Daily apt download activities...",
    "systemd[1]: apt-daily.service: Deactivated successfully.",
    "systemd[1]: Finished Daily apt download activities.",
    "systemd[1]: Created slice User Slice of UID 1000.",
    "systemd[1]: run-user-1000.mount: Succeeded.",
    "systemd-logind[611]: New session {pid} of user bob.",
    "systemd-logind[611]: Session {pid} logged out. Waiting for processes to exit.",
    "systemd-logind[611]: Removed session {pid}.",
    "kernel: [ 9{pid}.970699] audit: type=1400 apparmor=STATUS operation=profile_load name=nginx pid={pid}",
    "kernel: [ 9{pid}.970699] eth0: renamed from veth{pid}",
    "sshd[{pid}]: Connection closed by 192.0.2.10 port {port}",
    "sshd[{pid}]: Received disconnect from 192.0.2.10 port {port}:11: disconnected by user",
    "sshd[{pid}]: Disconnected from user bob 192.0.2.10 port {port}",
    "sshd[{pid}]: pam_unix(sshd:session): session opened for user bob(uid=1000) by (uid=0)",
    "sshd[{pid}]: pam_unix(sshd:session): session closed for user bob",
    "named[812]: all zones loaded",
    "named[812]: zone example.net/IN: sending notifies (serial 2026112301)",
    "chronyd[702]: Selected source 192.0.2.123 (ntp.example.net)",
    "dhclient[533]: DHCPACK of 192.0.2.10 from 192.0.2.1",
    "rsyslogd: [origin software=rsyslogd swVersion=8.2302.0 x-pid={pid}] rsyslogd was HUPed",
    "NetworkManager[640]: <info>  [1795420000.1234] dhcp4 (eth0): state changed new lease, address=192.0.2.10",
    "dockerd[911]: time=2026-11-23T08:10:00.123456789Z level=info msg=ignoring event container={queue}",
    "snmpd[655]: Connection from UDP: [192.0.2.20]:{port}->[192.0.2.10]:161",
)
MAIL = (
    "postfix/smtpd[{pid}]: connect from mail.example.net[192.0.2.25]",
    (
        "postfix/smtpd[{pid}]: Anonymous TLS connection established from mail.example.net[192.0.2.25]: TLSv1.3 with "
        "cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits)"
    ),
    "postfix/smtpd[{pid}]: {queue}: client=mail.example.net[192.0.2.25]",
    "postfix/cleanup[{pid}]: {queue}: message-id=<{pid}.{port}@mail.example.net>",
    "postfix/qmgr[902]: {queue}: from=<anna@example.net>, size={port}, nrcpt=1 (queue active)",
    (
        "postfix/lmtp[{pid}]: {queue}: to=<bob@example.com>, relay=mx.example.com[private/dovecot-lmtp], delay=0.21, "
        "delays=0.1/0.01/0.02/0.08, dsn=2.0.0, status=sent (250 2.0.0 <bob@example.com> {queue} Saved)"
    ),
    (
        "postfix/smtp[{pid}]: {queue}: to=<anna@example.net>, relay=mail.example.net[192.0.2.25]:25, delay=1.2, "
        "delays=0.1/0/0.6/0.5, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {queue})"
    ),
    (
        "postfix/smtpd[{pid}]: disconnect from mail.example.net[192.0.2.25] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 "
        "quit=1 commands=7"
    ),
    "postfix/qmgr[902]: {queue}: removed",
    "postfix/anvil[{pid}]: statistics: max connection rate 1/60s for (smtp:192.0.2.25) at Nov 23 08:10:00",
    (
        "dovecot: imap-login: Login: user=<bob@example.com>, method=PLAIN, rip=192.0.2.44, lip=192.0.2.1, "
        "mpid={pid}, TLS, session=<{queue}>"
    ),
    (
        "dovecot: imap(bob@example.com)<{pid}><{queue}>: Disconnected: Logged out in={port} out={pid} deleted=0 "
        "expunged=0 trashed=0 hdr_count=4 hdr_bytes=1423 body_count=1 body_bytes=2311"
    ),
    (
        "dovecot: imap(bob@example.com)<{pid}><{queue}>: Connection closed (IDLE running for 0.001 + waiting input for "
        "1200.002 secs, 2 B in + 10 B out, state=wait-input) in=212 out=4123 deleted=0 expunged=0 trashed=0"
    ),
    "dovecot: lmtp(bob@example.com)<{pid}><{queue}>: msgid=<{pid}.{port}@mail.example.net>: saved mail to INBOX",
    "dovecot: lmtp({pid}): Connect from local",
    "dovecot: lmtp({pid}): Disconnect from local: Logged out (state=READY)",
)
MAIL_WEIGHTS = (12, 5, 10, 10, 10, 8, 4, 12, 10, 1, 3, 3, 2, 6, 2, 2)
PAGES = (
    "/",
    "/index.html",
    "/assets/site.css?v={pid}",
    "/assets/app.{port}.js",
    "/images/photo-{pid}.jpg",
    "/favicon.ico",
    "/blog/2026/11/what-we-learned",
    "/shop/product/{pid}?colour=blue&size=m",
    "/wp-content/uploads/2026/11/photo-{pid}.webp",
    "/wp-includes/js/jquery/jquery.min.js?ver=3.7.1",
    "/api/v1/orders?page={port}",
    "/robots.txt",
    "/search?q=garden+chairs",
)
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
        "Mobile/15E148 Safari/604.1"
    ),
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
)
ACCESS = '{ip} - - [{stamp}] "{method} {page} HTTP/{version}" {status} {port} "https://www.example.com/" "{agent}"'
AGENT_WEIGHTS = (45, 20, 32, 3)
STATUSES = (200, 304, 301, 206, 404)
STATUS_WEIGHTS = (870, 80, 30, 15, 5)


def host_lines(count: int) -> Iterator[str]:
    """What the programs of a host say among each other, each kind as often as any other."""
    chance = random.Random(SEED)
    for number in range(count):
        yield f"{syslog_stamp(number)} web1 {_filled(HOST[number % len(HOST)], chance)}\n"


def mail_lines(count: int) -> Iterator[str]:
    """Postfix and Dovecot, with mail coming and going and clients that know their passwords."""
    chance = random.Random(SEED)
    for number in range(count):
        yield f"{syslog_stamp(number)} mx {_filled(chance.choices(MAIL, MAIL_WEIGHTS)[0], chance)}\n"


def access_lines(count: int) -> Iterator[str]:
    """Visitors of a web site: nearly all get what they ask for."""
    chance = random.Random(SEED)
    for number in range(count):
        yield (
            ACCESS.format(
                ip=f"203.0.113.{chance.randrange(1, 255)}",
                stamp=time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(BEGIN + number / 50)),
                method=chance.choices(("GET", "POST", "HEAD"), (94, 5, 1))[0],
                page=_filled(chance.choice(PAGES), chance),
                version=chance.choice(("1.1", "2.0")),
                status=chance.choices(STATUSES, STATUS_WEIGHTS)[0],
                port=chance.randrange(100, 90_000),
                agent=chance.choices(AGENTS, AGENT_WEIGHTS)[0],
            )
            + "\n"
        )


def syslog_stamp(number: int) -> str:
    """The time of the line of that number, 50 of them a second."""
    return time.strftime("%b %d %H:%M:%S", time.gmtime(BEGIN + number / 50))


def _filled(message: str, chance: random.Random) -> str:
    return message.format(
        pid=chance.randrange(1000, 400_000), port=chance.randrange(1024, 65536), queue=f"{chance.randrange(2**40):010X}"
    )
