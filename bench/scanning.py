"""What reading logs costs: CPU seconds per million lines of our scanner and of its peers, in the same rounds.

    python bench/scanning.py [--lines 200000] [--rounds 3] [--stamp traditional|iso]

The logs are made here, so it is known how many lines of an attack are in them, and each contender's count is shown. Of
the calm lines 48 % are CRON's sessions, 16 % sudo's, 16 % systemd-logind's, 8 % systemd's, 8 % the kernel's and 4 % of
sshd clients that say goodbye, the near misses; the lines of the attack are those of eight kinds that sshd writes, each
of another process, which is the worst case for what is remembered of sessions. CPU is user and system time; less what
it takes for an empty log.
"""

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from durward.catalog.service_card import ServiceCard, load_service, load_services
from durward.scan.scanner import Scanner
from durward.scan.sessions import Sessions
from durward.scan.timestamps import Calendar

SHELF = Path(__file__).parent.parent / "src/durward/services"
BLOCK_BYTES = 256 * 1024
PEER_LINES = 20_000  # of a log, for a peer that takes many seconds for more
BEGIN = 1_795_420_000  # 23 November 2026
SSHG_PARSER = "/usr/libexec/sshguard/sshg-parser"
SEED = 7

Contender = Callable[[Path], tuple[float, int]]

CALM = (
    "CRON[{pid}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
    "CRON[{pid}]: pam_unix(cron:session): session closed for user root",
    "sudo:      bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/apt-get update",
    "sudo: pam_unix(sudo:session): session opened for user root(uid=0) by bob(uid=1000)",
    "systemd-logind[611]: New session {pid} of user bob.",
    "systemd-logind[611]: Session {pid} logged out. Waiting for processes to exit.",
    "sshd[{pid}]: Connection closed by 192.0.2.10 port {port}",
    "sshd[{pid}]: Received disconnect from 192.0.2.10 port {port}:11: disconnected by user",
    "systemd[1]: Started User Manager for UID 1000.",
    "kernel: [ 9{pid}.970699] audit: type=1400 apparmor=STATUS operation=profile_load name=nginx pid={pid}",
)
CALM_WEIGHTS = (24, 24, 8, 8, 8, 8, 2, 2, 8, 8)
ATTACK = (
    "sshd[{pid}]: Failed password for root from {ip} port {port} ssh2",
    "sshd[{pid}]: Failed password for invalid user {user} from {ip} port {port} ssh2",
    "sshd[{pid}]: Invalid user {user} from {ip} port {port}",
    "sshd[{pid}]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={ip} ",
    "sshd[{pid}]: Connection closed by invalid user {user} {ip} port {port} [preauth]",
    "sshd[{pid}]: Connection closed by authenticating user root {ip} port {port} [preauth]",
    "sshd[{pid}]: Received disconnect from {ip} port {port}:11: Bye Bye [preauth]",
    "sshd[{pid}]: Disconnected from authenticating user root {ip} port {port} [preauth]",
)
ATTACK_WEIGHTS = (30, 20, 15, 12, 8, 6, 5, 4)
USERS = ("admin", "test", "oracle", "ubuntu", "git", "postgres", "user", "ftpuser", "deploy", "pi")


def log_lines(count: int, attack_share: float, stamp: str) -> Iterator[str]:
    """Lines of an auth.log with so many of an attack among them; the same for the same arguments."""
    chance = random.Random(SEED)
    sources = [f"203.0.113.{number}" for number in range(1, 250)] + [f"2001:db8::{number:x}" for number in range(1, 50)]
    for number in range(count):
        attack = chance.random() < attack_share
        messages, weights = (ATTACK, ATTACK_WEIGHTS) if attack else (CALM, CALM_WEIGHTS)
        message = chance.choices(messages, weights)[0].format(
            pid=chance.randrange(1000, 400_000),
            port=chance.randrange(1024, 65536),
            user=chance.choice(USERS),
            ip=chance.choice(sources),
        )
        yield f"{stamped(BEGIN + number / 50, stamp)} web1 {message}\n"


def stamped(at: float, stamp: str) -> str:
    """A time as syslog writes it: `Nov 23 08:10:00`, or ISO 8601 with microseconds."""
    moment = time.gmtime(at)
    if stamp == "traditional":
        return time.strftime("%b %d %H:%M:%S", moment)
    return time.strftime("%Y-%m-%dT%H:%M:%S", moment) + f"{at % 1:.6f}"[1:] + "+00:00"


def synthetic_card(directory: Path, patterns: int) -> ServiceCard:
    """A card of so many patterns that are none of the log's, of the kind that other services have."""
    verbs = (
        "denied",
        "rejected",
        "refused",
        "blocked",
        "failed",
        "dropped",
        "aborted",
        "invalid",
        "expired",
        "unknown",
    )
    nouns = ("login", "password", "relay", "session", "certificate", "token", "query", "request", "mailbox", "transfer")
    lines = [
        f"{nouns[n // 10 % 10]} {verbs[n % 10]} by policy {n // 100} for {{user}} from {{ip}} port {{port}}"
        for n in range(patterns)
    ]
    text = (
        'title = "Synthetic"\n[reads]\nprograms = ["synthetic"]\n[[pattern]]\nevent = "auth.failure"\nlines = \'\'\'\n'
    )
    path = directory / "synthetic.toml"
    path.write_text(text + "\n".join(lines) + "\n'''\n")
    return load_service(path)


def ours(cards: list[ServiceCard], *, settle: bool) -> Contender:
    """Our scanner, reading a file in blocks of whole lines."""
    scanner = Scanner(cards)

    def run(path: Path) -> tuple[float, int]:
        sessions, calendar, count, position = Sessions(), Calendar(BEGIN + 86400), 0, 0

        def events_in(block: bytes) -> int:
            events = scanner.events(
                block, source="bench", position=position, observed_at=BEGIN, calendar=calendar, services=None
            )
            return len(sessions.settle(events) if settle else events)

        started = cpu_seconds(resource.RUSAGE_SELF)
        with path.open("rb", buffering=0) as file:
            while window := os.pread(file.fileno(), BLOCK_BYTES, position):
                block = window[: window.rfind(b"\n") + 1]
                count += events_in(block)
                position += len(block)
        return cpu_seconds(resource.RUSAGE_SELF) - started, count

    return run


def peer(command: list[str], *, count: Callable[[bytes], int], stdin: bool) -> Contender:
    """A program of its own. `count` takes the number of its findings from what it prints."""

    def run(path: Path) -> tuple[float, int]:
        with path.open("rb") as file:
            arguments = command if stdin else [part.replace("LOG", str(path)) for part in command]
            started = cpu_seconds(resource.RUSAGE_CHILDREN)
            output = subprocess.run(
                arguments, stdin=file if stdin else subprocess.DEVNULL, capture_output=True, check=False
            ).stdout
            return cpu_seconds(resource.RUSAGE_CHILDREN) - started, count(output)

    return run


def cpu_seconds(who: int) -> float:
    """User and system time so far."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def fail2ban_count(output: bytes) -> int:
    """`Lines: N lines, N ignored, N matched, N missed` at the end of what fail2ban-regex says."""
    summary = next(line for line in output.decode().splitlines() if line.startswith("Lines:"))
    return int(summary.split(",")[2].split()[0])


def contenders(directory: Path) -> dict[str, tuple[Contender, bool]]:
    """Each contender by name, and whether it reads the small log."""
    sshd = load_service(SHELF / "sshd.toml")
    synthetic = synthetic_card(directory, 500)
    found: dict[str, tuple[Contender, bool]] = {
        "durward, sshd card": (ours([sshd], settle=False), False),
        "durward, sshd + 500 patterns": (ours([sshd, synthetic], settle=False), False),
        "durward, all cards": (ours(load_services([SHELF]), settle=False), False),
        "durward, sshd, once per attempt": (ours([sshd], settle=True), False),
    }
    if Path(SSHG_PARSER).exists():
        found["sshg-parser"] = (peer([SSHG_PARSER], count=lambda output: output.count(b"\n"), stdin=True), False)
    if shutil.which("fail2ban-regex"):
        command = ["fail2ban-regex", "LOG", "sshd"]
        found["fail2ban-regex"] = (peer(command, count=fail2ban_count, stdin=False), True)
    return found


def measure(directory: Path, lines: int, rounds: int, stamp: str) -> None:
    """Run all contenders over all logs, round by round, and print the medians."""
    known = contenders(directory)
    empty = directory / "empty.log"
    empty.write_text("")
    for name, share in (("calm: 1 % of the lines are an attack", 0.01), ("attack: 60 %", 0.6)):
        large, small = directory / "large.log", directory / "small.log"
        large.write_text("".join(log_lines(lines, share, stamp)))
        small.write_text("".join(log_lines(min(PEER_LINES, lines), share, stamp)))
        costs: dict[str, list[float]] = {contender: [] for contender in known}
        counts: dict[str, int] = {}
        for _ in range(rounds):
            for contender, (run, is_small) in known.items():
                seconds, counts[contender] = run(small if is_small else large)
                start = run(empty)[0]
                costs[contender].append((seconds - start) * 1e6 / (min(PEER_LINES, lines) if is_small else lines))
        print(f"\n{name}, {stamp} stamps: CPU seconds per million lines, median of {rounds}")
        first = statistics.median(costs["durward, sshd card"])
        for contender, taken in costs.items():
            median = statistics.median(taken)
            print(f"  {contender:34} {median:8.3f}  x {median / first:7.1f}   {counts[contender]} found")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stamp", choices=("traditional", "iso"), default="traditional")
    arguments = parser.parse_args(sys.argv[1:])
    with tempfile.TemporaryDirectory() as directory:
        measure(Path(directory), arguments.lines, arguments.rounds, arguments.stamp)


if __name__ == "__main__":
    main()
