"""What many cards cost: the same logs read with every card of the shelf, and with those of their own services alone.

    PYTHONPATH=. python -m bench.cards [--lines 200000] [--rounds 5] [--json FILE]

CPU seconds per million lines in turns, medians; then what a start costs and how much memory it takes, in processes of
their own. The logs are made by `bench/scanning.py` and `bench/calm.py`.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from bench.calm import access_lines, mail_lines
from bench.scanning import SHELF, log_lines, ours

from durward.catalog.service_card import load_services

RATIO_MAX = 1.5
MEMORY_MIB_MAX = 25.0
START_SECONDS_MAX = 1.0
STARTS = 5

# Each log, whose it is, and its lines. What others than sshd say in its log is nothing that a card would call an event,
# but for the third, where sudo's commands are 8 % of the lines.
LOGS: dict[str, tuple[tuple[str, ...], Callable[[int], Iterable[str]]]] = {
    "sshd, calm": (("sshd",), lambda count: without_commands(count, 0.01)),
    "sshd, 60 % attack": (("sshd",), lambda count: without_commands(count, 0.6)),
    "sshd and sudo, calm": (("sshd", "sudo"), lambda count: log_lines(count, 0.01, "traditional")),
    "mail, calm": (("postfix", "dovecot"), mail_lines),
    "access log, calm": (("apache", "web"), access_lines),
}
START = """
import json, resource, sys, time
from pathlib import Path
from durward.catalog.service_card import load_services
from durward.scan.scanner import Scanner
shelf, wanted = Path(sys.argv[1]), set(sys.argv[2:])
cards = [card for card in load_services([shelf]) if not wanted or card.id in wanted]
scanner = Scanner(cards)
used = resource.getrusage(resource.RUSAGE_SELF)
status = Path("/proc/self/status").read_text()
resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
print(json.dumps({"seconds": used.ru_utime + used.ru_stime, "mib": int(resident) / 1024,
                  "lines": sum(len(pattern.lines) for card in cards for pattern in card.patterns),
                  "rules": len(scanner.rules) + len(scanner.record_rules), "cards": len(cards)}))
"""


def without_commands(count: int, attack_share: float) -> Iterator[str]:
    """An auth.log in which nobody uses sudo."""
    lines = log_lines(count * 2, attack_share, "traditional")
    return islice((line for line in lines if " ; COMMAND=" not in line), count)


def measure_logs(directory: Path, lines: int, rounds: int) -> dict[str, tuple[float, float]]:
    """Medians for each log: with its own cards, with all."""
    cards = load_services([SHELF])
    found: dict[str, tuple[float, float]] = {}
    for name, (services, make) in LOGS.items():
        log = directory / "log"
        log.write_text("".join(make(lines)))
        contenders = [ours([card for card in cards if card.id in services], settle=False), ours(cards, settle=False)]
        costs: list[list[float]] = [[], []]
        for _ in range(rounds):
            for cost, run in zip(costs, contenders, strict=True):
                cost.append(run(log)[0] * 1e6 / lines)
        found[name] = (statistics.median(costs[0]), statistics.median(costs[1]))
    return found


def measure_start(*services: str) -> dict[str, float]:
    """A start in a process of its own: the median of its CPU seconds, and its memory."""
    command = [sys.executable, "-c", START, str(SHELF), *services]
    runs = [json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(STARTS)]
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def verdict(value: float, most: float) -> str:
    """Whether a target was met."""
    return "met" if value <= most else "missed"


def main() -> None:
    """Read the arguments, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    alone, every = measure_start("sshd"), measure_start()
    with tempfile.TemporaryDirectory() as directory:
        logs = measure_logs(Path(directory), arguments.lines, arguments.rounds)
    counts = f"{every['cards']:.0f} cards, {every['lines']:.0f} patterns, {every['rules']:.0f} rules"
    print(f"{counts}; CPU seconds per million lines, medians of {arguments.rounds}\n")
    print("| log | its own cards | all | ratio | aimed at |\n|---|---|---|---|---|")
    for name, (own, everything) in logs.items():
        ratio = everything / own
        print(f"| {name} | {own:.3f} | {everything:.3f} | {ratio:.2f} | {RATIO_MAX}: {verdict(ratio, RATIO_MAX)} |")
    more = every["mib"] - alone["mib"]
    print(
        f"\nStart of cards and scanner: {every['seconds']:.2f} s of CPU "
        f"({verdict(every['seconds'], START_SECONDS_MAX)}),"
    )
    print(f"{more:.1f} MiB more than with the sshd card alone ({verdict(more, MEMORY_MIB_MAX)}).")
    if arguments.json:
        arguments.json.write_text(json.dumps({"logs": logs, "start": every, "alone": alone}))


if __name__ == "__main__":
    main()
