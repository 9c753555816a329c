"""The day of the mail servers: phones, offices, old passwords; guessers, spam, and who collects names."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

from bench.days.trace import (
    ACCOUNTS,
    EXIM,
    HOUR,
    MAIL,
    MIDNIGHT,
    MINUTE,
    Line,
    Party,
    Street,
    at_some_time,
    party,
    syslog,
    working_hours,
)

WAVE, WAVE_ROUND = 120, 6 * MINUTE
SLIPS = 0.05  # of the people in an office mistype on a morning


def parties(chance: random.Random, street: Street) -> Iterator[Party]:
    """Everybody who fetches mail, sends it, or would like to."""
    homes, offices, phones = street.people(30), street.people(5), street.people(6)
    yield party("people at home with mail", homes, _homes(homes, chance))
    yield party("offices behind one address", offices, _offices(offices, chance))
    yield party("phones with the old password", phones, _phones(phones, chance))
    guessers = street.strangers(20)
    found_by = ("brute_force", "credential_stuffing")  # during the wave below it is a part of that
    yield party("IMAP and POP3 guessed", guessers, _dovecot(guessers, chance), *found_by, tries=10)
    by_exim, by_postfix = street.strangers(15), street.strangers(15)
    yield party("SMTP guessed, at Exim", by_exim, _exim(by_exim, chance), "brute_force", tries=5)
    yield party("SMTP guessed, at Postfix", by_postfix, _postfix(by_postfix, chance), "brute_force", tries=5)
    wave = street.strangers(WAVE)
    yield party("stolen passwords", wave, _stolen(wave), "credential_stuffing", "brute_force", tries=2)
    harvest, robots = street.strangers(6), street.strangers(4)
    yield party("names collected", harvest, _harvest(harvest, chance), "recipient_harvest", tries=20)
    yield party("HTTP and worse, said to Exim", robots, _robots(robots, chance), "protocol_errors", tries=10)
    servers = street.people(12)
    yield party("mail servers, one with a dead name", servers, _servers(servers, chance))
    sender, thief = street.people(1), street.strangers(1)
    yield party("a letter to eighty people", sender, _sent(sender[0], "anna@example.com", 80, chance))
    lines = tuple(_sent(thief[0], "bert@example.com", 400, chance))
    yield Party("spam through a stolen account", thief, lines, ("relay_authenticated",), told="bert@example.com")


def _dovecot_line(at: float, address: str, message: str, by: str = "") -> Line:
    rest = f"method=PLAIN, rip={address}, lip=192.0.2.1, TLS, session=<{int(at * 10):x}{len(message):x}{address[-3:]}>"
    return syslog(at, MAIL, "dovecot", f"imap-login: {message}, {rest}", by)


def _login(at: float, address: str, account: str) -> Line:
    return _dovecot_line(at, address, f"Login: user=<{account}>")


def _wrong(at: float, address: str, account: str) -> Line:
    words = "Disconnected: Connection closed (auth failed, 1 attempts in 2 secs)"
    return _dovecot_line(at, address, f"{words}: user=<{account}>", address)


def _homes(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        account = f"h{number}@example.com"
        for turn in range(number % 4):  # a slip or two in the morning
            yield _wrong(MIDNIGHT + 7 * HOUR + 20 * turn, address, account)
        for at in working_hours(chance, 15 * MINUTE, end=23):
            yield _login(at, address, account)


def _offices(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for office, address in enumerate(addresses):
        for number in range(chance.randint(20, 60)):
            account = f"p{number}@office{office}.example"
            begins = MIDNIGHT + 7 * HOUR + chance.randint(0, HOUR)
            for turn in range(chance.choice((1, 2)) if chance.random() < SLIPS else 0):
                yield _wrong(begins - 60 + 20 * turn, address, account)
            for at in working_hours(chance, 20 * MINUTE):
                if at > begins:
                    yield _login(at, address, account)
            yield _login(begins, address, account)


def _phones(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    """The password was changed at the desk at eight; the phone tries the old one until the evening."""
    for number, address in enumerate(addresses):
        account = f"phone{number}@example.com"
        for at in working_hours(chance, 15 * MINUTE, begin=6):
            yield _login(at, address, account)
        for turn in range(10 * 60 // 5):
            yield _wrong(MIDNIGHT + 8 * HOUR + turn * 5 * MINUTE + number, address, account)


def _dovecot(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        start, every = at_some_time(chance), chance.choice((5, 30, 120))
        for turn in range(40):
            name = ACCOUNTS[turn % len(ACCOUNTS)] if number % 2 else "info"
            yield _wrong(start + every * turn, address, f"{name}@example.com")


def _exim(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for address in addresses:
        start, every = at_some_time(chance), chance.choice((2, 40, 300))
        for turn in range(25):
            name = f"{ACCOUNTS[turn % len(ACCOUNTS)]}@example.com"
            words = f"login authenticator failed for (User) [{address}]:40022: 535 Incorrect authentication data"
            yield _exim_line(start + every * turn, f"{words} (set_id={name})", address)


def _postfix(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        start, every, program = at_some_time(chance), chance.choice((3, 60, 240)), f"postfix/smtpd[{7000 + number}]"
        for turn in range(25):
            at = start + every * turn
            yield syslog(at, MAIL, program, f"connect from unknown[{address}]")
            words = f"warning: unknown[{address}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6"
            yield syslog(at + 1, MAIL, program, words, address)
            counts = "ehlo=1 auth=0/1 rset=1 quit=1 commands=3/4"
            yield syslog(at + 1, MAIL, program, f"disconnect from unknown[{address}] {counts}")


def _stolen(addresses: tuple[str, ...]) -> Iterator[Line]:
    """Three rounds: each address tries another account in each of them, of people who do exist."""
    for turn in range(3):
        for number, address in enumerate(addresses):
            at = MIDNIGHT + 15 * HOUR + WAVE_ROUND * turn + WAVE_ROUND * number / len(addresses)
            yield _wrong(at, address, f"victim{turn * len(addresses) + number}@example.com")


def _harvest(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        start = at_some_time(chance)
        for turn in range(60):
            at, name = start + 5 * turn, f"{chance.choice(ACCOUNTS)}{turn}@example.com"
            if number % 2:
                why = f"550 5.1.1 <{name}>: Recipient address rejected: User unknown in virtual mailbox table"
                ends = f"from=<x@example.net> to=<{name}> proto=ESMTP helo=<mx.example.net>"
                words = f"NOQUEUE: reject: RCPT from unknown[{address}]: {why}; {ends}"
                yield syslog(at, MAIL, f"postfix/smtpd[{7300 + number}]", words, address)
            else:
                words = _refused(f"(mx.example.net) [{address}]", name)
                yield _exim_line(at, words, address)


def _robots(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for address in addresses:
        start = at_some_time(chance)
        for turn in range(30):
            words = f'SMTP syntax error in "GET /{turn} HTTP/1.1" H=[{address}]:40022 unrecognized command'
            yield _exim_line(start + 20 * turn, words, address)


def _servers(addresses: tuple[str, ...], chance: random.Random) -> Iterator[Line]:
    for number, address in enumerate(addresses):
        for at in working_hours(chance, 4 * MINUTE, begin=0, end=24):
            host = f"H=mx{number}.example.net [{address}]"
            words = f'<= alice@example.net {host} P=esmtps S=1234 T="Hello" for bob@example.com'
            yield _exim_line(at, f"1v{int(at) % 10_000:04}-000abc-1F {words}")
            if number == 0:
                yield _exim_line(at + 1, _refused(f"mx0.example.net [{address}]", "gone@example.com"))


def _refused(host: str, name: str) -> str:
    return f"H={host}:40022 F=<list@example.net> rejected RCPT <{name}>: Unrouteable address"


def _sent(address: str, account: str, people: int, chance: random.Random) -> Iterator[Line]:
    start = MIDNIGHT + chance.randint(9 * HOUR, 17 * HOUR)
    for turn in range(people // 20):
        names = " ".join(f"r{turn}-{number}@example.net" for number in range(20))
        words = f'<= {account} H=(laptop) [{address}]:40022 P=esmtpsa A=login:{account} S=1234 T="Letter" for {names}'
        yield _exim_line(start + 15 * turn, f"1v{turn:04}-{ord(account[0]):06}-1F {words}", address)


def _exim_line(at: float, message: str, by: str = "") -> Line:
    return Line(at, EXIM, f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} {message}", by)
