"""What following a log costs: the CPU of the engine while lines come one by one, beside fail2ban.

    PYTHONPATH=. .venv/bin/python -m bench.live [--seconds 15] [--peer-seconds 5] [--rates 100 1000 5000]

One write() a line. calm: 1 % of the lines are an attack. attack: 60 %, from 300 addresses, all blocked after some
1,500 such lines: at 5,000 a second while it warms up, at lower rates some are decided about while it is measured.
spray: 60 %, from ever new addresses that stay below the threshold; nobody has a target for it. Percent of one core,
of the engine alone (the enforcer is beside it) and of fail2ban's server alone, without the programs that it starts.
"""

import argparse
import time
from typing import NamedTuple

from arena.errors import require_programs
from bench.measure import await_quiet, cpu_seconds, table
from bench.stage import Stage, fail2ban_backends

MIXES = ("calm", "attack", "spray")
RATES = (100, 1_000, 5_000)
TARGETS = {("attack", 5_000): 0.017, ("calm", 100): 0.003, ("attack", 100): 0.003}
WARM_UP_SECONDS = 2.0
PEER_WARM_UP_SECONDS = 3.0  # its bans are a shell command each
SPRAY_RATES = (5_000,)


class Cost(NamedTuple):
    """Share of one core, and lines that were really written each second."""

    engine: float
    enforcer: float
    lines_per_second: float


Case = tuple[str, int]  # mix and rate


def cases(rates: list[int]) -> list[Case]:
    """What is measured: all rates, of the spray only the highest ones."""
    return [(mix, rate) for mix in MIXES for rate in rates if mix != "spray" or rate in SPRAY_RATES]


def ours(seconds: float, wanted: list[Case]) -> dict[Case, Cost]:
    """What our own processes use."""
    found = {}
    for mix, rate in wanted:
        with Stage() as stage:
            stage.start()
            with stage.writing(rate, mix):
                time.sleep(WARM_UP_SECONDS)
                pids = stage.processes()
                lines, began = stage.lines_read(), time.monotonic()
                before = [cpu_seconds(pids[name]) for name in ("engine", "enforcer")]
                time.sleep(seconds)
                after = [cpu_seconds(pids[name]) for name in ("engine", "enforcer")]
                passed = time.monotonic() - began
                lines = stage.lines_read() - lines
        engine, enforcer = ((late - early) / passed for early, late in zip(before, after, strict=True))
        found[mix, rate] = Cost(engine, enforcer, lines / passed)
    return found


def theirs(seconds: float, wanted: list[Case]) -> dict[Case, float]:
    """What fail2ban's server uses for the same lines."""
    found: dict[Case, float] = {}
    if not seconds or not fail2ban_backends():
        return found
    for mix, rate in wanted:
        with Stage() as stage, stage.fail2ban("polling") as pid, stage.writing(rate, mix):
            time.sleep(PEER_WARM_UP_SECONDS)
            before, began = cpu_seconds(pid), time.monotonic()
            time.sleep(seconds)
            found[mix, rate] = (cpu_seconds(pid) - before) / (time.monotonic() - began)
    return found


def report(costs: dict[Case, Cost], peers: dict[Case, float]) -> None:
    """Print the table."""
    head = ("lines", "wanted/s", "read/s", "engine", "enforcer", "target", "us a line", "fail2ban, polling", "ratio")
    rows: list[tuple[str, ...]] = [head]
    for (mix, rate), cost in costs.items():
        target, peer = TARGETS.get((mix, rate)), peers.get((mix, rate))
        met = "" if target is None else f"{target:.1%} {'met' if cost.engine <= target else 'MISSED'}"
        beside = ("", "") if peer is None else (f"{peer:.2%}", f"{peer / cost.engine:,.1f} x")
        shares = (f"{cost.engine:.2%}", f"{cost.enforcer:.2%}")
        each = f"{cost.engine / cost.lines_per_second * 1e6:.1f}" if cost.lines_per_second else ""
        rows.append((mix, f"{rate:,}", f"{cost.lines_per_second:,.0f}", *shares, met, each, *beside))
    print(table("Following one log: share of one core", rows))


def main() -> None:
    """Read the arguments, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--peer-seconds", type=float, default=5.0, help="0: without fail2ban")
    parser.add_argument("--rates", type=int, nargs="+", default=list(RATES))
    arguments = parser.parse_args()
    require_programs(["ip", "nft"])
    await_quiet()
    wanted = cases(arguments.rates)
    report(ours(arguments.seconds, wanted), theirs(arguments.peer_seconds, wanted))


if __name__ == "__main__":
    main()
