"""A day of one host in ten logs, of whose every address it is known what it is: who is found, by what, and who is lost?

    PYTHONPATH=. .venv/bin/python -m bench.days [--seed 11] [--days 3] [--write DIRECTORY]

The logs are made here, as sshd, PAM, su, sudo, Pure-FTPd, Dovecot, Exim, Postfix, nginx, Apache, ModSecurity and the
kernel write them, and are the same for the same seed; `--write` keeps them. `durward replay --json` reads them with an
empty configuration. Each further day has the next seed.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.days.judging import Decision, Verdict, day, decisions_of, judged, replay, strangers, write
from bench.days.trace import Party
from bench.measure import table


def main() -> None:
    """Make each day, have it decided about, and judge."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=11)
    options.add_argument("--days", type=int, default=1)
    options.add_argument("--write", type=Path, metavar="DIRECTORY")
    given = options.parse_args()
    wrong = 0
    for seed in range(given.seed, given.seed + given.days):
        parties = day(seed)
        with tempfile.TemporaryDirectory(prefix="durward-days-") as folder:
            directory = (given.write or Path(folder)) / f"day-{seed}"
            directory.mkdir(parents=True, exist_ok=True)
            decisions = decisions_of(replay(write(parties, directory), Path(folder)))
        verdicts = judged(parties, decisions)
        sys.stdout.write(report(seed, parties, verdicts, decisions) + "\n")
        wrong += sum(len(one.wrong) for one in verdicts) + len(strangers(parties, decisions))
    sys.exit(1 if wrong else 0)


def report(seed: int, parties: Sequence[Party], verdicts: Iterable[Verdict], decisions: Sequence[Decision]) -> str:
    """The table of parties, that of detectors, and what is wrong."""
    lines = sum(len(party.lines) for party in parties)
    rows = [("", "who", "blocked", "by", "tries (at most)", "")]
    for one in verdicts:
        by = ", ".join(f"{name} {number}" for name, number in sorted(one.by.items()))
        tries = f"{one.tries} ({one.party.tries})" if one.party.is_to_be_blocked else ""
        rows.append((one.party.name, str(len(one.party.addresses)), str(one.blocked), by, tries, _mark(one)))
    counts = Counter((one["verdict"], one["detector"]) for one in decisions)
    made = [("verdict", "detector", "times"), *((*key, str(number)) for key, number in sorted(counts.items()))]
    wrong = [text for one in verdicts for text in one.wrong] + strangers(parties, decisions)
    return "\n\n".join([table(f"Day {seed}: {lines} lines", rows), table("Decisions", made), *wrong])


def _mark(verdict: Verdict) -> str:
    if verdict.wrong:
        return "**wrong**"
    if verdict.party.unseen:
        return "let go"
    return "the price" if verdict.party.price and verdict.blocked else "right"


if __name__ == "__main__":
    main()
