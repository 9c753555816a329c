"""The day of sshd: people with keys and with passwords, who looks what is there, and who guesses."""

import random
from collections.abc import Iterator, Sequence

from bench.days.trace import (
    ACCOUNTS,
    AUTH,
    DAY,
    HOUR,
    KERNEL,
    MIDNIGHT,
    MINUTE,
    SYSLOG,
    Line,
    Party,
    Street,
    at_some_time,
    party,
    syslog,
    working_hours,
)

KEY = "ED25519 SHA256:3Qw9ZkYVbR0fW1n2m3o4p5q6r7s8t9u0v1w2x3y4z5A"


def parties(chance: random.Random, street: Street) -> Iterator[Party]:
    """Everybody who comes to sshd, to FTP, or becomes root."""
    admins, forgetful, watchers = street.people(6), street.people(4), street.people(3)
    yield party("administrators with keys", admins, _admins(admins, chance))
    yield party("people who mistype, and come in", forgetful, _forgetful(forgetful, chance))
    yield party("monitors and surveys of SSH", watchers, _watchers(watchers, chance))
    bots = street.strangers(40)
    yield party("bots that guess SSH", bots, _bots(bots, chance), "brute_force", "distributed", tries=5)
    slow = street.strangers(10)
    lines = [line for one in slow for line in _slow(one, chance, ACCOUNTS)]
    yield party("slow: a name each 20 minutes", slow, lines, "slow_guessing", tries=20)
    patient = street.strangers(3)
    lines = [line for number, one in enumerate(patient) for line in _slow(one, chance, [f"anna{number}"])]
    unseen = "three failures an hour on one account are what a forgotten job does as well; nothing counts so few"
    yield Party("slow: one account each 20 minutes", patient, tuple(lines), unseen=unseen)
    net = street.strangers(60)
    yield party("a botnet on one account", net, _botnet(net), "distributed", "brute_force", tries=2)
    travellers = street.people(8)
    price = "who mistypes in the seconds in which a botnet's tries become too many is taken for a part of it"
    slips = tuple(_travellers(travellers))
    yield Party("owners of that account, from elsewhere", travellers, slips, lost_max=1, price=price)
    guessers, designers = street.strangers(12), street.people(5)
    yield party("FTP guessed", guessers, _ftp(guessers, chance), "brute_force", tries=10)
    yield party("people with FTP", designers, _designers(designers, chance))
    yield party("su and sudo, as every day", (), _roots(chance))
    told = tuple(_wrong_su(chance))
    yield Party("somebody tries to become root", (), told, ("su_use",), told="bob")
    knocks = street.strangers(80)
    yield Party("packets refused, in the kernel's log", knocks, tuple(_drops(knocks, chance)), unseen="one packet each")


def failed(at: float, address: str, account: str, number: int, *, known: bool = False) -> Iterator[Line]:
    """All that sshd and PAM write about one wrong password, the last line when the client goes."""
    port, program = 30_000 + number % 30_000, f"sshd[{10_000 + number}]"
    who = account if known else f"invalid user {account}"
    pam = f"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={address}"
    if not known:
        yield syslog(at, AUTH, program, f"Invalid user {account} from {address} port {port}", address)
        yield syslog(at, AUTH, program, "pam_unix(sshd:auth): check pass; user unknown")
    yield syslog(at, AUTH, program, pam + (f"  user={account}" if known else ""), address if known else "")
    yield syslog(at + 2, AUTH, program, f"Failed password for {who} from {address} port {port} ssh2")
    end = f"authenticating user {account}" if known else who
    yield syslog(at + 2.5, AUTH, program, f"Connection closed by {end} {address} port {port} [preauth]")


def _login(at: float, address: str, account: str, number: int, how: str) -> Iterator[Line]:
    port, program = 30_000 + number % 30_000, f"sshd[{10_000 + number}]"
    session = f"pam_unix(sshd:session): session opened for user {account}(uid=1000) by (uid=0)"
    yield syslog(
        at, AUTH, program, f"Accepted {how.split(' ', 1)[0]} for {account} from {address} port {port} ssh2{_key(how)}"
    )
    yield syslog(at, AUTH, program, session)
    yield syslog(at + 300, AUTH, program, f"Received disconnect from {address} port {port}:11: disconnected by user")
    yield syslog(at + 300, AUTH, program, f"Disconnected from user {account} {address} port {port}")
    yield syslog(at + 300, AUTH, program, f"pam_unix(sshd:session): session closed for user {account}")


def _key(how: str) -> str:
    return f": {KEY}" if how == "publickey" else ""


def _admins(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        for at in working_hours(chance, 20 * MINUTE):
            account = ("alice", "deploy", "root")[chance.randrange(3)]
            yield from _login(at, address, account, number * 1000 + int(at) % 1000, "publickey")
    yield from failed(MIDNIGHT + 12 * HOUR, addresses[0], "root", 7_001, known=True)  # while a botnet tries the same


def _forgetful(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    """Three wrong ones and a right one in the morning; four wrong ones in the afternoon, and he asks a colleague."""
    for number, address in enumerate(addresses):
        morning, account = MIDNIGHT + 8 * HOUR + chance.randint(0, HOUR), f"carol{number}"
        for turn in range(3):
            yield from failed(morning + 20 * turn, address, account, 20_000 + 10 * number + turn, known=True)
        yield from _login(morning + 70, address, account, 20_005 + 10 * number, "password")
        for turn in range(4):
            yield from failed(morning + 6 * HOUR + 15 * turn, address, "caroll", 21_000 + 10 * number + turn)


def _watchers(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        start = MIDNIGHT + chance.randint(0, 300)
        for turn in range(288):
            program, port = f"sshd[{30_000 + turn}]", 40_000 + turn
            endings = (
                f"Connection closed by {address} port {port} [preauth]",
                f"Connection reset by {address} port {port} [preauth]",
                "error: kex_exchange_identification: Connection closed by remote host",
            )
            yield syslog(start + 300 * turn, AUTH, program, endings[(turn + number) % 3])


def _bots(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        at, every = at_some_time(chance, until=23 * HOUR), chance.choice((3, 7, 20, 60))
        names = ["root", *ACCOUNTS] if number % 2 else ["root"]
        for turn in range(chance.randint(8, 40)):
            account = names[turn % len(names)]
            process = 50_000 + 100 * number + turn
            yield from failed(at + every * turn, address, account, process, known=account == "root")


def _slow(address: str, chance: random.Random, names: Sequence[str]) -> Iterator[Line]:
    start = MIDNIGHT + chance.randint(0, 20 * MINUTE)
    for turn in range(DAY // (20 * MINUTE) - 1):
        account = names[turn % len(names)]
        at = start + 20 * MINUTE * turn + chance.randint(0, 60)
        yield from failed(at, address, account, 60_000 + chance.randint(0, 9_999), known=account == "root")


def _botnet(addresses: tuple[str, ...]) -> Iterator[Line]:
    """Each address has a try every forty minutes, and together they have one each forty seconds."""
    for turn in range(6 * len(addresses)):
        at = MIDNIGHT + 11 * HOUR + 40 * turn
        yield from failed(at, addresses[turn % len(addresses)], "root", 80_000 + turn, known=True)


def _travellers(addresses: tuple[str, ...]) -> Iterator[Line]:
    """Each mistypes the password once, in the middle of the botnet's tries, and then comes in."""
    for number, address in enumerate(addresses):
        at = MIDNIGHT + 11 * HOUR + 7 * MINUTE * (number + 1)
        yield from failed(at, address, "root", 90_000 + number, known=True)
        yield from _login(at + 15, address, "root", 90_100 + number, "password")


def _ftp(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        start, program = at_some_time(chance), f"pure-ftpd[{4000 + number}]"
        for turn in range(30):
            account = ("www", "admin")[number % 2]
            yield syslog(start + 6 * turn, SYSLOG, "pure-ftpd", f"(?@{address}) [INFO] New connection from {address}")
            wrong = f"(?@{address}) [WARNING] Authentication failed for user [{account}]"
            yield syslog(start + 6 * turn + 3, SYSLOG, program, wrong, address)


def _designers(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        for turn, at in enumerate(working_hours(chance, HOUR)):
            account, program = f"site{number}", "pure-ftpd"
            yield syslog(at, SYSLOG, program, f"(?@{address}) [INFO] New connection from {address}")
            if turn % 3 == 0:
                yield syslog(
                    at + 1, SYSLOG, program, f"(?@{address}) [WARNING] Authentication failed for user [{account}]"
                )
            yield syslog(at + 9, SYSLOG, program, f"(?@{address}) [INFO] {account} is now logged in")
            yield syslog(
                at + 30,
                SYSLOG,
                program,
                f"({account}@{address}) [NOTICE] /home/{account}//index.html uploaded  (812 bytes, 9.3KB/sec)",
            )
            yield syslog(at + 60, SYSLOG, program, f"({account}@{address}) [INFO] Logout.")


def _roots(chance: random.Random) -> Iterator[Line]:
    for at in working_hours(chance, 10 * MINUTE):
        command = "    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/systemctl reload nginx"
        yield syslog(at, AUTH, "sudo", command)
        yield syslog(at, AUTH, "sudo", "pam_unix(sudo:session): session opened for user root(uid=0) by alice(uid=1000)")
        yield syslog(at + 1, AUTH, "sudo", "pam_unix(sudo:session): session closed for user root")
    for hour in range(24):
        at = MIDNIGHT + hour * HOUR + 17 * MINUTE + 1
        yield syslog(
            at, AUTH, f"CRON[{900 + hour}]", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"
        )


def _wrong_su(chance: random.Random) -> Iterator[Line]:
    start, program = at_some_time(chance), "su[4242]"
    failure = "authentication failure; logname=bob uid=1000 euid=0 tty=/dev/pts/0 ruser=bob rhost=  user=root"
    for turn in range(8):
        yield syslog(start + 9 * turn, AUTH, program, f"pam_unix(su:auth): {failure}")
        yield syslog(start + 9 * turn + 2, AUTH, program, "FAILED SU (to root) bob on pts/0")


def _drops(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        if ":" in address:
            continue
        port = chance.choice((23, 445, 3389, 5060, 6379, 8291))
        frame = "MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00"
        yield syslog(
            at_some_time(chance),
            KERNEL,
            "kernel",
            f"[{number}.123456] [UFW BLOCK] IN=eth0 OUT= {frame} SRC={address} DST=192.0.2.1 LEN=40 TOS=0x00 PREC=0x00"
            f" TTL=240 ID={number} PROTO=TCP SPT=51000 DPT={port} WINDOW=1024 RES=0x00 SYN URGP=0",
        )
